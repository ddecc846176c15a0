"""Ready pieces of music until one's own is there, and in its place."""

from collections.abc import Iterator

import pytest

from tests.browser import test_engines
from tests.browser.deployment import SPEED, Deployment
from tests.browser.engines import EngineListener
from tests.browser.screens import filled_reserve
from tests.browser.test_engines import pytest_generate_tests as pytest_generate_tests
from tests.browser.trials import SINK_S_MAX, reserve_tones, tap_to_reserve
from tests.fixtures.waiting import wait_until

desktop, engine, listener = test_engines.desktop, test_engines.engine, test_engines.listener

PIECE_S = 90
MUSIC_S_MAX = 8.0
"""From the tap to the first piece of the reserve, on a busy machine. The 2 s of a quiet one are
measured: `python -m tests.browser.table --only reserve`."""
OWN_AFTER_S = 24
"""Of the clock, from the tap to the listener's own: the piece before has sounded for 20 s."""
NEVER_S = 3000


@pytest.fixture(scope="module")
def reserve(session_deployment: Deployment) -> Iterator[list[float]]:
    """Two pieces as Suno composes them, stored; their tones, in Hz. They are gone afterwards."""
    session_deployment.tune(signal="tones", uneven_db=0, track_seconds=PIECE_S, complete_s=5)
    with filled_reserve(session_deployment):
        yield reserve_tones(session_deployment)


def test_suno_silent_from_before_the_tap_there_is_music_and_ones_own_takes_over(
    listener: EngineListener, deployment: Deployment, reserve: list[float]
) -> None:
    deployment.tune(first_s=OWN_AFTER_S * SPEED, complete_s=NEVER_S, track_seconds=PIECE_S)

    assert tap_to_reserve(listener, reserve) <= MUSIC_S_MAX
    words = {"fr": "En attendant la vôtre", "en": "Until yours is ready"}
    assert words[listener.options.language] in listener.text()
    listener.keep_picture("reserve")
    wait_until(lambda: deployment.segments()[0]["status"] == "first", OWN_AFTER_S + 20)
    listener.wait_for_playing("playing.length > 1")
    listener.wait_for_playing("playing.length === 1")
    listener.listen_for(1)
    heard = listener.recording()

    begun = heard.first_sound(-60)
    assert begun is not None
    assert heard.between(begun + 0.05, heard.ends).silences() == []
    assert max(heard.tone(hertz).max() for hertz in reserve) > 0.02, "a ready piece first"
    end = heard.between(heard.ends - 0.5, heard.ends)
    assert end.tone(deployment.tones()[0]).max() > 0.02, "one's own"
    assert max(end.tone(hertz).max() for hertz in reserve) < 0.01, "and it alone"
    assert words[listener.options.language] not in listener.text()


def test_stop_silences_the_reserve(
    listener: EngineListener, deployment: Deployment, reserve: list[float]
) -> None:
    deployment.tune(first_s=NEVER_S)
    tap_to_reserve(listener, reserve)
    listener.listen_for(2)
    listener.press("stop")
    listener.listen_for(2)

    assert listener.playing() == []
    heard = listener.recording()
    last = heard.last_sound(-60)
    assert last is not None
    assert last - heard.mark("click Stop").at <= SINK_S_MAX
    assert max(heard.tone(hertz).max() for hertz in reserve) > 0.02, "it was the reserve"


def test_suno_refuses_everything_and_the_reserve_is_the_music(
    listener: EngineListener, deployment: Deployment, reserve: list[float]
) -> None:
    deployment.fail("refused", times=0)
    tap_to_reserve(listener, reserve)
    said = {
        "fr": "Une musique déjà composée vous accompagne",
        "en": "Music composed earlier is with you",
    }[listener.options.language]
    listener.wait_for(f"document.body.innerText.includes({said!r})", 60)
    listener.listen_for(2)

    assert len(listener.playing()) == 1
    heard = listener.recording()
    assert heard.between(heard.ends - 1, heard.ends).silences() == []
    assert deployment.last_run()["status"] != "ready"
