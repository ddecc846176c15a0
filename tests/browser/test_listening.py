"""What is heard: judged by what the page sends to the loudspeakers."""

from tests.browser.house import House
from tests.browser.listener import Listener

CLICK_DBFS = -80


def test_the_music_starts_by_itself_after_one_tap(listener: Listener, house: House) -> None:
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(4)

    heard = listener.recording()
    first = heard.first_sound()
    assert first is not None
    received = house.segments()[0]["metadata"]["first_received_at"]
    assert received
    assert listener.troubles == []
