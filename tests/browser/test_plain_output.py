"""`?output=plain`: elements by themselves, as where sound through a graph stops with the screen."""

import pytest

from tests.browser.deployment import Deployment
from tests.browser.listener import Listener, Open


@pytest.fixture
def plain(open_listener: Open) -> Listener:
    listener = open_listener(path="?output=plain", bed=False)
    listener.start_with_a_final_soon()
    return listener


def test_a_journey_without_a_graph(plain: Listener) -> None:
    plain.wait_for_playing("playing.some(({ volume }) => volume > 0.1)")
    [preview] = plain.playing()
    assert "/streams/" in preview.address and not preview.graph

    plain.wait_for_playing("playing.filter(({ at }) => at > 2).length === 2")
    places = sorted(one.at for one in plain.playing())
    assert places[1] - places[0] < 0.2, "the final comes in where the preview is"
    plain.wait_for_playing(
        "playing.length === 1 && playing[0].volume > 0.1 && playing[0].address.includes('/sign/')"
    )

    plain.press("pause")
    plain.wait_for_playing("playing.length === 0")
    plain.press("resume")
    plain.wait_for_playing("playing.some(({ at, volume }) => at > 2 && volume > 0.1)")

    plain.press("stop")
    plain.wait_for_title("La musique est arrêtée")
    plain.wait_for_playing("playing.length === 0")
    assert plain.page.evaluate("__ear.rate") == 0, "no graph was ever made"
    assert plain.errors == []


def test_the_bed_without_a_graph(open_listener: Open, deployment: Deployment) -> None:
    deployment.tune(first_s=90)
    listener = open_listener(path="?output=plain", bed=True)
    listener.tap_start()
    listener.wait_for_playing("playing.some(({ volume }) => volume > 0.05)")
    # Decks that the tap unlocks may be playing still, silently.
    [bed] = [one for one in listener.playing() if one.volume > 0.05]
    assert "/bed-" in bed.address and not bed.graph

    listener.wait_for_music()
    listener.wait_for_playing("playing.length === 1 && playing[0].address.includes('/streams/')")
    listener.press("stop")
    listener.wait_for_playing("playing.length === 0")
    assert listener.errors == []
