"""`?output=plain`: elements by themselves, as where sound through a graph stops with the screen."""

from collections.abc import Iterator

import pytest

from tests.browser.house import House
from tests.browser.listener import Listener, Open


@pytest.fixture
def plain(open_listener: Open, house: House) -> Iterator[Listener]:
    house.tune(complete_s=90)
    listener = open_listener(path="?output=plain", bed=False)
    listener.tap_start()
    listener.wait_for_music()
    house.tune(first_s=150)
    yield listener


def test_a_journey_without_a_graph(plain: Listener) -> None:
    page = plain.page
    [preview] = plain.playing()
    assert "/streams/" in preview.address and not preview.graph
    page.wait_for_function("__ear.playing().some(({ volume }) => volume > 0.1)")

    page.wait_for_function(
        "window.__both = __ear.playing(), __both.length === 2 && __both.every(({ at }) => at > 0)"
    )
    places = sorted(one["at"] for one in page.evaluate("__both"))
    assert places[1] - places[0] < 0.2, "the final comes in where the preview is"
    page.wait_for_function(
        "__ear.playing().every(({ address }) => address.includes('/object/sign/'))"
    )

    plain.press("pause")
    page.wait_for_function("__ear.playing().length === 0")
    plain.press("resume")
    page.wait_for_function("__ear.playing().some(({ at, volume }) => at > 2 && volume > 0.1)")

    plain.press("stop")
    plain.wait_for_title("Arrêter est toujours une bonne décision")
    page.wait_for_function("__ear.playing().length === 0")
    assert page.evaluate("__ear.rate") == 0, "no graph was ever made"
    assert plain.troubles == []
