"""The figures of docs/player.md: `python -m tests.browser.table [--stops N] [ENGINE…]`.

Measures one engine after another on a deployment of its own; what is missing is left out.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from parcours_dev.deployment import temporary_state
from parcours_dev.player_build import build_player
from parcours_dev.supabase.stack import running_stack
from tests.browser.deployment import SHORT, WHOLE, Deployment, running_deployment
from tests.browser.desktop import running_desktop
from tests.browser.engines import NAMES, Engine, EngineListener, missing, running_engine
from tests.browser.listener import PageOptions
from tests.browser.recording import Recording
from tests.browser.screens import NEVER, filled_reserve
from tests.browser.trials import (
    JOURNEY_S_MAX,
    reserve_tones,
    start_with_a_final_soon,
    summary,
    tap_to_reserve,
    try_pauses,
    try_stops,
)
from tests.browser.words import WORDS

STOPS, PAUSES, TAPS = 300, 50, 50
HEARD_DBFS = -60
BED_HZ_MAX = 400
RESERVE_S = 60
LONG_PIECE_S = 240
WHOLE_JOURNEY_S_MAX = 25 * 60
TAKE_EVERY_S = 20

PARTS = ("first", "journey", "reserve", "stops", "pauses")
WHOLE_PARTS = ("suno-down",)
"""A journey of the real length each; only alone."""
Figures = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=NAMES)
    parser.add_argument("--stops", type=int, default=STOPS, help="Stops an engine")
    parser.add_argument("--pauses", type=int, default=PAUSES, help="Pauses an engine")
    parser.add_argument("--taps", type=int, default=TAPS, help="taps with a reserve")
    every = (*PARTS, *WHOLE_PARTS)
    parser.add_argument("--only", nargs="*", choices=every, default=PARTS, help="these parts of it")
    asked = parser.parse_args()
    whole = set(asked.only) & set(WHOLE_PARTS)
    if whole and whole != set(asked.only):
        parser.error(f"{', '.join(whole)}: not together with other parts")
    build_player()
    with temporary_state("parcours-table-") as folder:
        (folder / "desktop").mkdir()
        with (
            running_stack(folder / "supabase") as project,
            running_deployment(project, WHOLE if whole else SHORT) as deployment,
            running_desktop(folder / "desktop", NAMES) as desktop,
        ):
            for engine_name in asked.engines:
                if reason := missing(engine_name):
                    print(reason)
                    continue
                with running_engine(engine_name, desktop) as engine:
                    for figures in measure(engine, deployment, asked):
                        print(json.dumps(figures), flush=True)


def measure(engine: Engine, deployment: Deployment, asked: argparse.Namespace) -> Iterator[Figures]:
    """What the table says of one engine, as it is measured."""
    parts: dict[str, Callable[[], Figures]] = {
        "first": lambda: _first_sounds(engine, deployment),
        "journey": lambda: _journey(engine, deployment),
        "reserve": lambda: _reserve(engine, deployment, asked.taps),
        "suno-down": lambda: _suno_down(engine, deployment),
        "stops": lambda: {"stops": summary(try_stops(engine, deployment, asked.stops))},
        "pauses": lambda: {"pauses": summary(try_pauses(engine, deployment, asked.pauses))},
    }
    for part in asked.only:
        figures = parts[part]()
        load = round(os.getloadavg()[1], 1)
        yield {"engine": engine.name, "version": engine.version, "load": load} | figures


def _first_sounds(engine: Engine, deployment: Deployment) -> Figures:
    """From the tap to the bed and to the music, at the sink; what was fetched before it."""
    deployment.recover()
    listener = engine.open(deployment, PageOptions(language=engine.language))
    # Nothing is asked of the page before the tap: in Chromium that counts as a gesture.
    time.sleep(2)
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(3)
    heard, (tone, _) = engine.heard(listener), deployment.tones()
    tap = heard.mark(f"click {WORDS[engine.language]['start']}")
    tapped, fetched = tap.at, _bytes_before(listener, tap.wall)
    listener.close()
    after = heard.between(tapped, heard.ends)
    bed = after.first_sound(HEARD_DBFS)
    strength = after.tone(tone)
    music = after.starts + float(np.argmax(strength > 0.1 * strength.max())) * 0.002
    return {
        "tap to bed s": None if bed is None else round(bed - tapped, 2),
        "tap to music s": round(music - tapped, 2),
        "bytes before Start": fetched,
    }


def _reserve(engine: Engine, deployment: Deployment, taps: int) -> Figures:
    """From the tap to a ready piece, in the graph, while Suno says nothing."""
    deployment.recover()
    deployment.tune(track_seconds=RESERVE_S)
    seconds = []
    with filled_reserve(deployment):
        tones = reserve_tones(deployment)
        for _ in range(taps):
            deployment.recover()
            deployment.tune(first_s=NEVER)
            listener = engine.open(deployment, PageOptions(language=engine.language))
            time.sleep(1)
            seconds.append(tap_to_reserve(listener, tones))
            listener.close()
    median, p95 = np.percentile(seconds, [50, 95])
    return {
        "taps": taps,
        "tap to a ready piece s": {
            "median": round(float(median), 2),
            "p95": round(float(p95), 2),
            "worst": round(max(seconds), 2),
        },
    }


def _suno_down(engine: Engine, deployment: Deployment) -> Figures:
    """A journey of 18 to 24 real minutes while Suno refuses everything, from before the tap."""
    deployment.recover()
    deployment.tune(track_seconds=LONG_PIECE_S)
    with filled_reserve(deployment), deployment.page_proxy.refusing("/bed-", 404):
        deployment.fail("maintenance", times=0, match={"call": "*"})
        listener = engine.open(deployment, PageOptions(language=engine.language))
        time.sleep(1)
        listener.tap_start()
        heard = _until_the_end(listener)
        figures = {
            "minutes of music": round((heard.ends - heard.starts) / 60, 1),
            "longest silence ms": _longest_silence_ms(heard),
            "silences, at s": _silences(heard),
            "ended by itself": listener.evaluate("Boolean(document.querySelector('.screen.end'))"),
            "run": deployment.last_run()["status"],
        }
        listener.close()
    return {"suno down": figures}


def _until_the_end(listener: EngineListener) -> Recording:
    """All that is heard, taken from the page in parts: it keeps no whole journey."""
    parts, latest = [], time.monotonic() + WHOLE_JOURNEY_S_MAX
    ended = False
    while not ended and time.monotonic() < latest:
        listener.listen_for(TAKE_EVERY_S)
        ended = bool(listener.evaluate("Boolean(document.querySelector('.screen.end'))"))
        parts.append(Recording.from_page(listener.evaluate("__ear.take()")))
    samples = np.concatenate([part.samples for part in parts])
    return Recording(samples, parts[0].rate, parts[0].starts)


def _bytes_before(listener: EngineListener, wall: float) -> int:
    """What was fetched before then, headers and all, as the browser counts it."""
    told = listener.evaluate(
        "['resource', 'navigation'].flatMap((kind) => performance.getEntriesByType(kind))"
        ".filter(({ startTime }) => performance.timeOrigin + startTime < %f)"
        ".reduce((sum, { transferSize }) => sum + transferSize, 0)" % (wall * 1000)
    )
    return int(told)


def _journey(engine: Engine, deployment: Deployment) -> Figures:
    """One whole journey: its swap, and its longest silence, both in the graph."""
    deployment.recover()
    with deployment.page_proxy.refusing("/bed-", 404):
        listener = engine.open(deployment, PageOptions(language=engine.language))
        start_with_a_final_soon(listener)
        with suppress(Exception):  # what was heard until then is told all the same
            listener.wait_for_screen("end", JOURNEY_S_MAX)
        ended = listener.evaluate("Boolean(document.querySelector('.screen.end'))")
        heard, tones = listener.recording(), deployment.tones()
        listener.close()
    return {
        "swap ms": _swap_ms(heard, *tones),
        "longest silence ms": _longest_silence_ms(heard),
        "ended by itself": ended,
    }


def _swap_ms(heard: Recording, preview: float, final: float) -> int:
    strength = heard.tone(final)
    begun = heard.starts + float(np.argmax(strength > 0.1 * strength.max())) * 0.002
    return round(heard.between(begun - 1, begun + 1).swap(preview, final)[1] * 1000)


def _longest_silence_ms(heard: Recording) -> int:
    silences = _between_first_and_last(heard).silences(longer_than_s=0)
    return round(max((seconds for _, seconds in silences), default=0) * 1000)


def _silences(heard: Recording) -> list[tuple[float, float]]:
    """Those of more than 20 ms: after how many seconds of music, and how long."""
    music = _between_first_and_last(heard)
    return [(round(at - music.starts, 1), round(long, 3)) for at, long in music.silences()]


def _between_first_and_last(heard: Recording) -> Recording:
    first, last = heard.first_sound(HEARD_DBFS), heard.last_sound(HEARD_DBFS)
    assert first is not None and last is not None
    return heard.between(first + 0.05, last - 1)


if __name__ == "__main__":
    main()
