"""Pause, resume, seek, previous, next and Stop, as they are heard."""

import pytest

from tests.browser.deployment import TRACK_S, Deployment
from tests.browser.hearing import hear
from tests.browser.listener import Listener, Open
from tests.browser.recording import Recording
from tests.browser.screens import NEVER

CLICK_DBFS = -80
STOP_S_MAX, JUMP_S_MAX, CROSSFADE_S = 0.05, 0.03, 4


def silence_after(heard: Recording, moment: float) -> float:
    """How long something was still heard after that moment."""
    last = heard.between(moment - 0.5, heard.ends).last_sound(-60)
    assert last is not None, "there was something to silence"
    return last - moment


@pytest.mark.parametrize("way", ["click", "Escape", "lock screen"])
def test_stop_is_silence_within_50_ms(open_listener: Open, way: str) -> None:
    def stop(listener: Listener) -> Recording:
        listener.tap_start()
        listener.wait_for_music()
        listener.listen_for(3.5)
        listener.watch_the_machine()
        if way == "click":
            listener.press("stop")
        elif way == "Escape":
            listener.page.keyboard.press("Escape")
        else:
            listener.press_key("stop")
        listener.wait_for_title("La musique est arrêtée")
        listener.listen_for(1)
        return listener.recording()

    def judge(heard: Recording) -> None:
        name = {"click": "click Stop", "Escape": "keydown Escape", "lock screen": "key stop"}[way]
        stopped = heard.mark(name).at
        assert 0 < silence_after(heard, stopped) <= STOP_S_MAX
        loudest, _ = heard.loudest_hiss(stopped - 0.2, stopped + 0.2)
        assert loudest <= CLICK_DBFS
        assert heard.between(stopped + 0.1, heard.ends).first_sound(-90) is None

    hear(open_listener, stop, judge)


def test_stop_before_the_first_sound_leaves_silence(
    listener: Listener, deployment: Deployment
) -> None:
    deployment.tune(speed=10)
    listener.tap_start()
    listener.press("stop")
    listener.listen_for(6)

    assert listener.recording().first_sound(-90) is None


@pytest.mark.parametrize(
    ("width", "height"), [(360, 740), (320, 568), (320, 256), (740, 360), (1440, 900)], ids=str
)
def test_stop_stays_in_its_place(open_listener: Open, width: int, height: int) -> None:
    """What was aimed at Stop on one screen cannot become Pause on the next."""
    listener = open_listener(bed=False, width=width, height=height)
    page = listener.page
    listener.deployment.tune(first_s=NEVER)
    listener.press("start")
    places = {"waiting": place_of(listener, "stop")}
    listener.keep_picture("stop-waiting")
    listener.press("stop")
    listener.press("home")
    listener.deployment.recover()
    listener.press("start")
    listener.wait_for_music()
    places["playing"] = place_of(listener, "stop")
    listener.keep_picture("stop-playing")
    listener.press("more")
    page.get_by_role("dialog").wait_for()
    places["a sheet"] = place_of(listener, "stop")
    listener.press("close")
    listener.press("pause")
    listener.wait_for_button("resume")
    places["paused"] = place_of(listener, "stop")
    page.evaluate("location.hash = 'runs'")
    page.locator(".run").first.wait_for()
    places["elsewhere"] = place_of(listener, "stop")

    assert dict.fromkeys(places, places["waiting"]) == places


def place_of(listener: Listener, name: str) -> tuple[int, ...]:
    """Where the last button of this name is, in whole pixels: x, y, width, height."""
    box = listener.button(name).last.bounding_box()
    assert box is not None, f"{name} is in sight"
    return tuple(round(box[side]) for side in ("x", "y", "width", "height"))


def test_escape_closes_a_dialog_first_and_stops_next(listener: Listener) -> None:
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(2)
    listener.press("more")
    listener.page.get_by_role("dialog").wait_for()
    listener.page.keyboard.press("Escape")
    listener.page.get_by_role("dialog").wait_for(state="detached")
    listener.listen_for(1)
    before = listener.recording()
    listener.page.keyboard.press("Escape")
    listener.wait_for_title("La musique est arrêtée")
    listener.listen_for(0.5)

    closed = before.mark("keydown Escape").at
    assert before.between(closed + 0.2, before.ends).silences() == []
    heard = listener.recording()
    assert silence_after(heard, heard.mark("keydown Escape").at) <= STOP_S_MAX


def test_pause_and_resume_neither_click_nor_startle(listener: Listener) -> None:
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(4)
    listener.press("pause")
    listener.wait_for_button("resume")
    listener.listen_for(1)
    listener.press("resume")
    listener.wait_for_button("pause")
    listener.listen_for(3)

    heard = listener.recording()
    paused, resumed = heard.mark("click Pause").at, heard.mark("click Reprendre").at
    silent = heard.between(paused, resumed)
    assert 0 < silence_after(silent, paused) <= STOP_S_MAX
    assert heard.loudest_hiss(paused - 0.2, heard.ends - 0.3)[0] <= CLICK_DBFS
    again = heard.between(resumed, heard.ends).first_sound(-60)
    assert again is not None
    levels = heard.between(again, again + 2).levels(0.25)
    assert levels[0] < levels[-1] - 12, "it comes back over a second and a half"
    assert levels[2] < levels[-1] - 1


def test_a_hard_cut_would_be_heard(listener: Listener) -> None:
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(3.5)
    listener.page.evaluate("__ear.cut()")
    listener.listen_for(0.5)

    heard = listener.recording()
    cut = heard.mark("cut").at
    before, _ = heard.loudest_hiss(cut - 0.5, cut - 0.1)
    loudest, _ = heard.loudest_hiss(cut - 0.1, cut + 0.2)
    assert before <= CLICK_DBFS
    assert loudest > CLICK_DBFS + 15


def test_a_seek_neither_clicks_nor_loses_the_place(
    open_listener: Open, deployment: Deployment
) -> None:
    deployment.tune(signal="chirp")
    listener = open_listener(bed=False)
    listener.start_with_a_final_soon()
    listener.wait_for_playing("playing.some(({ address }) => address.includes('/object/sign/'))")
    listener.wait_for_playing("playing.some(({ at }) => at > 6)")
    listener.press("more")
    bar = listener.page.get_by_role("slider").first
    bar.focus()
    bar.press("Home")
    listener.listen_for(4)

    heard = listener.recording()
    sought = heard.mark("keydown Home").at
    assert heard.loudest_hiss(sought - 0.5, heard.ends - 0.3)[0] <= CLICK_DBFS
    place = heard.place(heard.ends - 1.5, heard.ends - 0.5)
    assert place < 4.5, "it was at nine seconds or so before"


def test_preview_and_final_meet_at_the_same_place(
    open_listener: Open, deployment: Deployment
) -> None:
    def swap(listener: Listener) -> Recording:
        deployment.tune(signal="chirp")
        listener.start_with_a_final_soon()
        listener.watch_the_machine()
        listener.wait_for_playing(
            "playing.length === 1 && playing[0].address.includes('/object/sign/')"
        )
        listener.listen_for(3)
        return listener.recording()

    def judge(heard: Recording) -> None:
        start = heard.first_sound(-45)
        assert start is not None
        # The next piece comes in four seconds before this one is over.
        end = min(heard.ends, start + TRACK_S - CROSSFADE_S)
        assert heard.jump(start + 0.5, end) <= JUMP_S_MAX

    hear(open_listener, swap, judge)
