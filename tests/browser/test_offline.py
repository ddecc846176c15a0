"""Music without any network, from a piece of the reserve that the page has kept
(docs/player.md#kept-music)."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.browser import test_engines
from tests.browser.deployment import Deployment
from tests.browser.engines import Engine, EngineListener
from tests.browser.listener import PageOptions
from tests.browser.recording import SILENCE_DBFS, Recording
from tests.browser.screens import NEVER, RESERVE_PRESET, filled_reserve
from tests.browser.test_engines import pytest_generate_tests as pytest_generate_tests
from tests.browser.trials import JOURNEY_S_MAX, TONE_SHARE, reserve_tones

desktop, engine = test_engines.desktop, test_engines.engine

# Not every driver waits for a promise: what the last look has found is told.
IS_KEPT = f"""(Promise.all(["./", "kept/{RESERVE_PRESET}.mp3", "kept/index.json"].map((path) =>
  caches.match(new URL(path, document.baseURI)))).then((found) => {{
    globalThis.__isKept = found.every(Boolean);
  }}), globalThis.__isKept)"""
KEPT_S_MAX = 90
SOUND_S_MAX = 20
STOPPED_S = 0.3
HEARD_S = 3
WORDS = {"fr": "gardée sur cet appareil", "en": "kept on this device"}


@pytest.fixture(scope="module")
def tones(session_deployment: Deployment) -> Iterator[list[float]]:
    """A reserve of the first card, as an operator fills it; what its pieces sound like, in Hz."""
    session_deployment.recover()
    with filled_reserve(session_deployment):
        yield reserve_tones(session_deployment)


@pytest.fixture
def listener(engine: Engine, deployment: Deployment) -> Iterator[EngineListener]:
    """Somebody whose browser may keep the page."""
    listener = engine.open(deployment, PageOptions(language=engine.language, offline_page=True))
    yield listener
    listener.close()


def test_the_network_goes_after_the_tap_or_before_it_and_there_is_music_all_the_same(
    engine: Engine, deployment: Deployment, tones: list[float], listener: EngineListener
) -> None:
    listener.tap_start()
    listener.wait_for_music()
    listener.press("stop")
    listener.wait_for(IS_KEPT, KEPT_S_MAX)
    deployment.tune(first_s=NEVER)

    listener.reload()
    listener.press("start")
    listener.wait_for_music()
    deployment.tcp_proxy.cut()
    listener.wait_for_screen("end", JOURNEY_S_MAX)
    journey = listener.recording()

    listener.reload()
    listener.press("start")
    listener.wait_for_music(SOUND_S_MAX)
    listener.listen_for(HEARD_S)
    said = listener.text()
    heard = engine.sink.recording()
    listener.press("stop")
    stopped = engine.sink.recording().ends + STOPPED_S
    listener.listen_for(1)
    silent = engine.sink.recording()

    begun, over = journey.first_sound(SILENCE_DBFS), journey.last_sound(SILENCE_DBFS)
    assert begun is not None and over is not None
    assert journey.between(begun + 0.05, over - 1).silences() == []
    strength = np.max([journey.tone(hertz) for hertz in tones], axis=0)
    assert float(np.mean(strength > TONE_SHARE)) > 0.7, "music, and the bed hardly"
    music = heard.between(heard.ends - 1.5, heard.ends)
    assert max(share_of(tone, music) for tone in tones) > TONE_SHARE, "the piece that was kept"
    assert WORDS[engine.language] in said
    assert silent.between(stopped, silent.ends).levels().max() < SILENCE_DBFS


def share_of(tone: float, heard: Recording) -> float:
    """0..1 of full scale, most of the time."""
    return float(np.median(heard.tone(tone)))
