"""The promises of the player, kept in three engines: Chromium, Firefox ESR and WebKitGTK.

Every engine is recorded twice: in the graph, exactly and whatever else the machine does; and at
its sink, as it left the browser.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.browser.deployment import Deployment
from tests.browser.desktop import Desktop, missing_programs, running_desktop
from tests.browser.engines import NAMES, Engine, EngineListener, missing, running_engine
from tests.browser.hearing import TRIES_MAX
from tests.browser.listener import PageOptions
from tests.browser.recording import Recording
from tests.browser.trials import (
    CLICK_DBFS,
    JOURNEY_S_MAX,
    LONG_TRACK_S,
    start_with_a_final_soon,
    try_both,
)

PRESSES = int(os.environ.get("PRESSES", "25"))
"""How many Stops, and how many Pauses, each engine is tried with: a press takes some 2 s."""
LATE_AT_THE_SINK_MAX = 1
"""Of all presses: a sound server without a processor of its own is late once in a while."""
SWAP_S = (0.15, 0.2)
SIGNED = "address.includes('/object/sign/')"
AWAY_S = 3


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    if missing_programs():
        refuse_or_skip(missing(NAMES[0]) or "")
    with (
        tempfile.TemporaryDirectory(prefix="parcours-desktop-") as name,
        running_desktop(Path(name), NAMES) as desktop,
    ):
        yield desktop


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test once an engine. A mark, not a fixture: it is judged before any browser starts."""
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", NAMES, indirect=True, scope="module")


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest, desktop: Desktop) -> Iterator[Engine]:
    if reason := missing(request.param):
        refuse_or_skip(reason)
    with running_engine(request.param, desktop) as engine:
        yield engine


def refuse_or_skip(reason: str) -> None:
    """What is missing may be missing on a person's machine, never in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def listener(engine: Engine, deployment: Deployment) -> Iterator[EngineListener]:
    """Somebody for whom nothing but the journey's own music sounds."""
    with deployment.page_proxy.refusing("/bed-", 404):
        listener = engine.open(deployment, PageOptions(language=engine.language))
        yield listener
        listener.close()


@dataclass(frozen=True)
class Journey:
    graph: Recording
    tones: list[tuple[float, float]]
    text: str
    still_playing: bool

    @property
    def begun(self) -> float:
        first = self.graph.first_sound(-60)
        assert first is not None, "something was heard"
        return first

    @property
    def over(self) -> float:
        last = self.graph.last_sound(-60)
        assert last is not None
        return last


@pytest.fixture(scope="module")
def journey(engine: Engine, session_deployment: Deployment) -> Journey:
    """Four short pieces, from the tap until it has ended by itself.

    Heard once more where a busy machine has spoilt it, which not every engine's own threads tell
    the page: the last try decides.
    """
    for _ in range(TRIES_MAX - 1):
        journey = listen_to_the_end(engine, session_deployment)
        if keeps_every_promise(journey):
            return journey
    return listen_to_the_end(engine, session_deployment)


def listen_to_the_end(engine: Engine, deployment: Deployment) -> Journey:
    deployment.recover()
    with deployment.page_proxy.refusing("/bed-", 404):
        listener = engine.open(deployment, PageOptions(language=engine.language))
        start_with_a_final_soon(listener)
        listener.wait_for_screen("end", JOURNEY_S_MAX)
        listener.listen_for(1)
        still_playing = bool(listener.playing())
        heard = listener.recording()
        tones = [deployment.tones(place) for place in range(4)]
        text = listener.text()
        listener.close()
    return Journey(heard, tones, text, still_playing)


def keeps_every_promise(journey: Journey) -> bool:
    try:
        test_a_journey_is_heard_from_the_tap_to_its_natural_end(journey)
        test_the_preview_crosses_to_the_final_in_150_to_200_ms(journey)
        test_the_swap_does_not_click(journey)
    except AssertionError:
        return False
    return True


def test_a_journey_is_heard_from_the_tap_to_its_natural_end(journey: Journey) -> None:
    heard = journey.graph

    assert not journey.still_playing
    assert all(max(heard.tone(hertz).max() for hertz in pair) > 0.05 for pair in journey.tones)
    assert heard.between(journey.begun + 0.05, journey.over - 1).silences() == []


def test_the_preview_crosses_to_the_final_in_150_to_200_ms(journey: Journey) -> None:
    assert SWAP_S[0] <= swap_of(journey)[1] <= SWAP_S[1]


def swap_of(journey: Journey) -> tuple[float, float]:
    """When the first piece's final took its place: start and length in seconds."""
    preview, final = journey.tones[0]
    strength = journey.graph.tone(final)
    begun = journey.graph.starts + float(np.argmax(strength > 0.1 * strength.max())) * 0.002
    return journey.graph.between(begun - 1, begun + 1).swap(preview, final)


def test_the_swap_does_not_click(journey: Journey) -> None:
    heard = journey.graph
    begun, seconds = swap_of(journey)

    for corner in (begun, begun + seconds):
        assert heard.loudest_hiss(corner - 0.02, corner + 0.02)[0] <= CLICK_DBFS


def test_stop_and_pause_are_silence_whenever_they_are_pressed(
    engine: Engine, deployment: Deployment
) -> None:
    trials = try_both(engine, deployment, PRESSES)

    clicks = [trial.click_dbfs for trial in trials if trial.click_dbfs is not None]
    # A step of the player's would be in all of them. Elements themselves lose samples, too.
    assert np.median(clicks) <= CLICK_DBFS
    for press in ("stop", "pause"):
        pressed = [trial for trial in trials if trial.pressed == press]
        assert len(pressed) == PRESSES
        assert sum(trial.graph_s is not None for trial in pressed) > PRESSES / 2, "it sounded"
    failed = [trial for trial in trials if trial.faults]
    assert [trial for trial in failed if not trial.late_at_the_sink] == []
    assert len(failed) <= LATE_AT_THE_SINK_MAX


def test_a_reload_is_paused_and_resumes_at_its_place(
    engine: Engine, listener: EngineListener, deployment: Deployment
) -> None:
    # Long enough that a slow reload is not at its end.
    deployment.tune(signal="chirp", track_seconds=LONG_TRACK_S)
    listener.tap_start()
    listener.wait_for_music()
    listener.wait_for_playing("playing.some(({ at }) => at > 5)")
    begins = time.monotonic()
    listener.reload()
    listener.wait_for_button("leave")
    reloaded_s = time.monotonic() - begins
    listener.listen_for(1)
    assert listener.playing() == [], "paused"
    listener.tap(".solid")
    listener.wait_for_music()
    listener.listen_for(3)

    heard = listener.recording()
    begun = heard.first_sound()
    assert begun is not None
    place = heard.place(begun, begun + 0.5)
    assert 3 < place < 8 + reloaded_s, "from there, not from the beginning"


def test_where_signing_fails_the_previews_are_the_music(
    listener: EngineListener, deployment: Deployment
) -> None:
    with deployment.page_proxy.refusing("/sign-track"):
        listener.tap_start()
        listener.wait_for_music()
        listener.wait_for_playing("playing.length > 1")
        listener.wait_for_playing("playing.length === 1")
        listener.listen_for(1)
        assert not any("/object/sign/" in one.address for one in listener.playing())
    heard = listener.recording()

    assert never_silent(heard)
    assert all(heard.tone(deployment.tones(place)[0]).max() > 0.02 for place in (0, 1))


def test_without_a_network_the_music_goes_on_and_comes_back(
    listener: EngineListener, deployment: Deployment
) -> None:
    listener.tap_start()
    listener.wait_for_music()
    deployment.tcp_proxy.cut()
    listener.listen_for(AWAY_S)
    deployment.tcp_proxy.recover()
    listener.wait_for_playing("playing.length > 1")
    listener.wait_for_playing("playing.length === 1")
    listener.listen_for(1)

    assert never_silent(listener.recording())


def test_one_tab_sounds_and_the_other_offers_to_listen_here(listener: EngineListener) -> None:
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(2)
    other = listener.another_tab()
    other.wait_for_button("listen here")
    assert not other.playing()

    other.press("listen here")
    other.wait_for_music()
    listener.wait_for_button("listen here")
    listener.wait_for_playing("playing.length === 0")
    other.wait_for_playing("playing.length > 0")


def test_a_journey_without_a_graph(engine: Engine, deployment: Deployment) -> None:
    with deployment.page_proxy.refusing("/bed-", 404):
        listener = engine.open(
            deployment, PageOptions(path="?output=plain", language=engine.language)
        )
        # Elements alone are brought together by their places: on a busy machine at the third try.
        start_with_a_final_soon(listener, LONG_TRACK_S, second_after_s=3000)
        listener.wait_for_playing(f"playing.length === 1 && playing[0].{SIGNED}")
        place = listener.playing()[0].at
        listener.wait_for_playing(f"playing.some(({{ at }}) => at > {place + 1})")
        listener.press("pause")
        listener.wait_for_playing("playing.length === 0")
        listener.press("resume")
        listener.wait_for_playing("playing.some(({ at, volume }) => at > 2 && volume > 0.1)")
        listener.press("stop")
        listener.wait_for_screen("end")
        listener.listen_for(1)
        heard = engine.heard(listener)
        assert listener.evaluate("__ear.rate") == 0, "no graph was ever made"
        listener.close()

    stopped = [mark for mark in heard.marks if mark.name.endswith("Stop")][-1].at
    assert heard.between(stopped - 1, stopped).first_sound(-50) is not None, "it was heard"
    assert heard.between(stopped + 0.3, stopped + 1).first_sound(-60) is None


def never_silent(heard: Recording) -> bool:
    """From the first sound until now, for no more than 20 ms."""
    first = heard.first_sound(-60)
    assert first is not None
    return heard.between(first + 0.05, heard.ends).silences() == []
