"""Reload, a second tab, past runs: the music is found again, and never starts alone."""

from tests.browser.deployment import Deployment
from tests.browser.listener import Listener, Open


def test_a_reload_gives_the_place_back_paused(listener: Listener, deployment: Deployment) -> None:
    deployment.tune(signal="chirp")
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(4)
    listener.page.reload()
    button = listener.page.get_by_role("button", name="Reprendre à")
    button.wait_for()
    said = int(button.inner_text().split()[-2])
    listener.listen_for(1)
    assert listener.playing() == [], "paused"
    button.click()
    listener.wait_for_music()
    listener.listen_for(3)

    heard = listener.recording()
    begun = heard.first_sound()
    assert begun is not None and begun > heard.mark(f"click Reprendre à {said} s").at
    assert heard.place(begun, begun + 0.5) - said < 3, "from there, not from the beginning"
    assert heard.place(begun, begun + 0.5) > said - 1
    levels = heard.between(begun, begun + 2).levels(0.25)
    assert levels[0] < levels[-1] - 6, "it comes back softly"


def test_one_tab_sounds_and_the_other_offers_to_listen_here(listener: Listener) -> None:
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(2)
    other = listener.another_tab()
    other.wait_for_button("listen here")
    listener.wait_for_playing("playing.length > 0")
    assert not other.playing()

    other.press("listen here")
    other.wait_for_music()
    listener.wait_for_button("listen here")
    listener.wait_for_playing("playing.length === 0")
    other.wait_for_playing("playing.length > 0")

    listener.press("listen here")
    listener.wait_for_music()
    other.wait_for_button("listen here")
    other.wait_for_playing("playing.length === 0")
    listener.wait_for_playing("playing.length > 0")


def test_without_realtime_the_page_asks_by_name_and_opens_no_socket(
    open_listener: Open,
) -> None:
    listener = open_listener(bed=False)
    sockets: list[object] = []
    listener.page.on("websocket", lambda socket: sockets.append(socket))
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(4.2)
    asked = [address for address in listener.fetched if "/rest/v1/parcours_runs" in address]
    listener.press("stop")
    listener.listen_for(0.5)
    before = len(listener.fetched)
    listener.listen_for(3)

    assert sockets == []
    assert len(asked) >= 2
    assert all("select=id" in address for address in asked)
    assert not [address for address in listener.fetched if "callback_token" in address]
    assert not [address for address in listener.fetched[before:] if "/rest/v1/" in address]
