"""What is tried in every engine, often: Stop and Pause, at random moments, and what was heard."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.browser.deployment import FIRST_S, TRACK_S, Deployment
from tests.browser.engines import Engine, EngineListener
from tests.browser.listener import HELD_UP_MS, PageOptions
from tests.browser.recording import Mark, Recording
from tests.browser.words import WORDS
from tests.fixtures.waiting import wait_until

SILENT_DBFS = -60
GRAPH_S_MAX = 0.05
"""From the press to the last sound, in the graph: the promise. Where the machine had other work
when the page wanted to act (HELD_UP_MS), SINK_S_MAX is the limit there too."""
SINK_S_MAX = 0.3
"""From the press to the last sound at the sink. What has left the page is in the buffers of the
browser and of PulseAudio, and on a busy machine longer than the 50 ms of a quiet one: here it is
judged that nothing stays behind."""
ENDS_S = 0.02
"""What is silent for so long before the next press has not stayed behind."""
CLICK_DBFS = -80
CLICK_S = (-0.02, 0.06)
"""Around a press, where its fade is: whatever clicks there is the player's doing."""
ROUNDING_S = 1e-6
TONE_SHARE = 0.02
"""Of full scale: a tone that is heard."""
QUIET_S = 0.5
"""For how long nothing may be heard before the next trial begins."""
STOP_AFTER_S_MAX, PAUSE_AFTER_S_MAX = 3.0, 1.5
AT_ONCE_EVERY = 5
"""Every so many Pauses it is not waited for music: they come while it is on its way."""
STOP_AT_ONCE_EVERY = 2
"""The same of Stops, which come soon after a tap more often."""
SERIES = 25
"""Trials of one page: a recording in the page takes its memory."""
TURN_S_MAX = 1.2
"""Where Stop and Pause come in turns: at most so long after what brought the music back."""
TURN_QUIET_S = 0.35
AFRESH_EVERY = 5
"""Every so many Stops a journey begins anew; after the others it is taken up again."""
LONG_TRACK_S = 120
SWAPPED_TRACK_S, SECOND_AFTER_S = 40, 450
"""The latter in the simulator's seconds: 15 of the clock. Later, and there would be no time for the
fourth."""
JOURNEY_S_MAX = 180


@dataclass(frozen=True)
class Trial:
    """One press. graph_s, sink_s: how long something was still heard; None: nothing was.

    click_dbfs: the loudest click of its fade, in the graph; None when nothing was heard.
    ends_silent: at the sink, before whatever came next.
    faults: what was not as it should be, in words; none when it was carried out.
    """

    pressed: str
    after_s: float
    graph_s: float | None
    sink_s: float | None
    click_dbfs: float | None
    held_up: bool
    ends_silent: bool
    faults: tuple[str, ...]

    @property
    def late_at_the_sink(self) -> bool:
        """Its one fault: the page was silent in time, and the sink later, before the next press."""
        in_time = self.graph_s is not None and self.graph_s <= GRAPH_S_MAX + ROUNDING_S
        return in_time and len(self.faults) == 1 and self.ends_silent


def start_with_a_final_soon(
    listener: EngineListener,
    track_s: float = SWAPPED_TRACK_S,
    second_after_s: float = SECOND_AFTER_S,
) -> None:
    """Tap, until the first piece sounds whose final is composed next, and before the second.

    It is long enough, and the second comes late enough, for several tries on a busy machine: near
    its end, or once the second is there, there is no swap.
    """
    deployment = listener.deployment
    runs = deployment.count_runs()
    deployment.tune(first_s=FIRST_S, complete_s=90, track_seconds=track_s)
    listener.tap_start()
    wait_until(lambda: deployment.count_runs() > runs and deployment.bought()[:1] == [1])
    deployment.tune(first_s=second_after_s, track_seconds=TRACK_S)
    listener.wait_for_music()
    wait_until(lambda: deployment.bought()[1:2] == [1], JOURNEY_S_MAX)
    deployment.tune(first_s=150)


def try_stops(engine: Engine, deployment: Deployment, count: int, seed: int = 1) -> list[Trial]:
    """Start and Stop, again and again: while it waits, begins, and plays."""
    return _in_series(engine, deployment, count, random.Random(seed), _stop_series)


def try_pauses(engine: Engine, deployment: Deployment, count: int, seed: int = 1) -> list[Trial]:
    """Pause and Resume, again and again, most while the music still comes in."""
    return _in_series(engine, deployment, count, random.Random(seed), _pause_series)


def try_both(engine: Engine, deployment: Deployment, count: int, seed: int = 1) -> list[Trial]:
    """So many Stops and as many Pauses, in turns: each brings on the music for the next."""
    return _in_series(engine, deployment, count, random.Random(seed), _both_series)


@dataclass(frozen=True)
class Seen:
    """What the page showed of one press. wrong: in words, empty when nothing was."""

    wrong: str
    held_up: bool


Series = Callable[[EngineListener, Sequence[float]], list[Seen]]


def _in_series(
    engine: Engine, deployment: Deployment, count: int, chance: random.Random, series: Series
) -> list[Trial]:
    trials: list[Trial] = []
    left = count
    while left > 0:
        deployment.recover()
        listener = engine.open(deployment, PageOptions(language=engine.language, bed=True))
        moments = [chance.random() for _ in range(min(SERIES, left))]
        left -= len(moments)
        seen = series(listener, moments)
        graph, sink = listener.recording(), engine.heard(listener)
        listener.close()
        trials += judge(graph, sink, seen, WORDS[engine.language])
    return trials


def _stop_series(listener: EngineListener, moments: Sequence[float]) -> list[Seen]:
    seen = []
    listener.tap_start()
    for place, moment in enumerate(moments):
        if place > 0:
            listener.press("start")
        listener.listen_for(moment * STOP_AFTER_S_MAX)
        listener.evaluate("__ear.late = 0")
        listener.press("stop")
        wrong = _missing(listener, ".screen.end")
        listener.listen_for(QUIET_S)
        seen.append(_look(listener, wrong))
        listener.press("home")
    return seen


def _pause_series(listener: EngineListener, moments: Sequence[float]) -> list[Seen]:
    seen = []
    listener.deployment.tune(track_seconds=LONG_TRACK_S)
    listener.tap_start()
    listener.wait_for_music()
    for place, moment in enumerate(moments):
        # A music that is opened again needs a moment to be heard: most Pauses have one to silence.
        if place % AT_ONCE_EVERY != 0:
            listener.wait_for("__ear.loud()", 10)
        listener.listen_for(moment * PAUSE_AFTER_S_MAX)
        listener.evaluate("__ear.late = 0")
        listener.press("pause")
        listener.wait_for_button("resume")
        listener.listen_for(QUIET_S)
        seen.append(_look(listener, ""))
        listener.press("resume")
        listener.wait_for_button("pause")
    listener.listen_for(QUIET_S)
    return seen


def _both_series(listener: EngineListener, moments: Sequence[float]) -> list[Seen]:
    seen = []
    listener.deployment.tune(track_seconds=LONG_TRACK_S)
    listener.tap_start()
    for place, moment in enumerate(moments):
        # However slowly a busy machine begins: most presses have a sound to silence.
        if place % STOP_AT_ONCE_EVERY == 0:
            listener.wait_for("__ear.loud()")
        listener.listen_for(moment * TURN_S_MAX)
        listener.evaluate("__ear.late = 0")
        listener.press("stop")
        wrong = _missing(listener, ".screen.end")
        listener.listen_for(TURN_QUIET_S)
        seen.append(_look(listener, wrong))
        if place % AFRESH_EVERY == AFRESH_EVERY - 1:
            listener.press("home")
            listener.press("start")
        else:
            listener.press("resume")
        listener.wait_for_music()
        if place % AT_ONCE_EVERY != 0:
            listener.wait_for("__ear.loud()", 10)
        listener.listen_for((1 - moment) * TURN_S_MAX)
        listener.evaluate("__ear.late = 0")
        listener.press("pause")
        listener.wait_for_button("resume")
        listener.listen_for(TURN_QUIET_S)
        seen.append(_look(listener, ""))
        listener.press("resume")
    listener.wait_for_button("pause")
    return seen


def _missing(listener: EngineListener, selector: str) -> str:
    try:
        listener.wait_for(f"document.querySelector({selector!r})", 5)
    except AssertionError:
        return f"no {selector}; "
    return ""


def _look(listener: EngineListener, wrong: str) -> Seen:
    playing = listener.playing()
    held_up = float(listener.evaluate("__ear.late")) > HELD_UP_MS
    return Seen(wrong + (f"still playing {playing}" if playing else ""), held_up)


def judge(
    graph: Recording, sink: Recording, seen: Sequence[Seen], words: Mapping[str, str]
) -> list[Trial]:
    """One trial a Stop or Pause. words: what is written on the buttons."""
    in_graph, at_sink = (_windows(it.marks, words, it.ends) for it in (graph, sink))
    assert len(in_graph) == len(at_sink) == len(seen), f"{len(in_graph)} of {len(seen)} presses"
    return [
        _trial(graph, window, sink, place, it)
        for window, place, it in zip(in_graph, at_sink, seen, strict=True)
    ]


@dataclass(frozen=True)
class Window:
    """From a press until whatever came next, on one recording's clock. begun: what it ended."""

    press: str
    begun: float
    pressed: float
    next: float


def _windows(marks: Sequence[Mark], words: Mapping[str, str], ends: float) -> list[Window]:
    named = {f"click {words[name]}": name for name in ("stop", "pause", "start", "resume")}
    clicks = [mark for mark in marks if mark.name in named]
    after = [*clicks[1:], None]
    before = [None, *clicks[:-1]]
    return [
        Window(named[mark.name], b.at if b else 0.0, mark.at, n.at if n else ends)
        for b, mark, n in zip(before, clicks, after, strict=True)
        if named[mark.name] in ("stop", "pause")
    ]


def _trial(graph: Recording, window: Window, sink: Recording, place: Window, seen: Seen) -> Trial:
    in_graph, at_sink = _still_heard(graph, window), _still_heard(sink, place)
    faults = [seen.wrong] if seen.wrong else []
    if (in_graph or 0) > (SINK_S_MAX if seen.held_up else GRAPH_S_MAX) + ROUNDING_S:
        faults.append(f"heard for {in_graph:.3f} s in the graph")
    if (at_sink or 0) > SINK_S_MAX:
        faults.append(f"heard for {at_sink:.3f} s at the sink")
    after_s = place.pressed - place.begun
    click = None if in_graph is None else _click(graph, window.pressed)
    ends_silent = (at_sink or 0) < place.next - place.pressed - ENDS_S
    return Trial(
        window.press, after_s, in_graph, at_sink, click, seen.held_up, ends_silent, tuple(faults)
    )


def _click(graph: Recording, pressed: float) -> float:
    before, after = CLICK_S
    return graph.loudest_hiss(pressed + before, pressed + after)[0]


def _still_heard(heard: Recording, window: Window) -> float | None:
    """From the press to the last sound; None when there was nothing to silence."""
    last = heard.between(window.pressed, window.next).last_sound(SILENT_DBFS)
    return None if last is None else last - window.pressed


def summary(trials: Sequence[Trial]) -> dict[str, object]:
    """For the table of docs/player.md: how many, how many failed, and how long they took."""
    graph = sorted(trial.graph_s for trial in trials if trial.graph_s is not None)
    sink = sorted(trial.sink_s for trial in trials if trial.sink_s is not None)
    return {
        "tried": len(trials),
        "failed": sum(bool(trial.faults) for trial in trials),
        "nothing sounded": sum(trial.graph_s is None for trial in trials),
        "faults": [trial.faults for trial in trials if trial.faults],
        "while the machine had other work": sum(trial.held_up for trial in trials),
        "graph ms, median and worst": _both(graph),
        "sink ms, median and worst": _both(sink),
        "clicks dBFS, median and worst": _clicks(trials),
    }


def _clicks(trials: Sequence[Trial]) -> str:
    clicks = sorted(trial.click_dbfs for trial in trials if trial.click_dbfs is not None)
    if not clicks:
        return "nothing sounded"
    return f"{clicks[len(clicks) // 2]:.0f} / {clicks[-1]:.0f}"


def _both(seconds: Sequence[float]) -> str:
    if not seconds:
        return "nothing sounded"
    return f"{seconds[len(seconds) // 2] * 1000:.0f} / {seconds[-1] * 1000:.0f}"


def reserve_tones(deployment: Deployment) -> list[float]:
    """What the pieces of the reserve sound like, in Hz: of the task that was composed last."""
    [*_, task] = deployment.control("GET")["tasks"]
    return [track["tone_hz"] for track in task["tracks"]]


def tap_to_reserve(listener: EngineListener, tones: list[float]) -> float:
    """Tap, and wait for the reserve; seconds from the tap to its music, in the graph.

    The bed sounds before: the music is told by its tone.
    """
    listener.tap_start()
    listener.wait_for("document.querySelector('.screen.playing')")
    listener.listen_for(1)
    heard = listener.recording()
    strength = np.max([heard.tone(hertz) for hertz in tones], axis=0)
    assert strength.max() > TONE_SHARE, "a piece of the reserve sounds"
    [tap, *_] = [mark for mark in heard.marks if mark.name.startswith(("click", "pointerup"))]
    music = heard.starts + float(np.argmax(strength > TONE_SHARE)) * 0.002
    return music - heard.moment_of(tap.wall)
