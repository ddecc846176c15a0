"""What is heard while music is being composed: the bed, from the tap to the first preview."""

import re

import numpy as np
import pytest
from playwright.sync_api import Route

from parcours_dev.simulators.bed import START_LOOP_S
from tests.browser.deployment import Deployment
from tests.browser.hearing import hear
from tests.browser.listener import Listener, Open
from tests.browser.recording import Recording, Sound

CLICK_DBFS, HEARD_DBFS, GONE_DBFS = -80, -50, -90
START_S_MAX, STOP_S_MAX = 1, 0.05
BED_IN_S, BED_OUT_S = 0.9, 3
READ_S = 1
LENGTHEN_S = 4
"""The short loop crosses to the long one (web/engine/browser/beds.ts)."""
STEP_S = 0.1
BED_HZ = range(70, 400, 10)
"""The bed's chords are of 73 to 294 Hz; the lowest tone of a track is of 500 Hz."""


@pytest.fixture
def open_with_bed(open_listener: Open) -> Open:
    """Opens pages with the bed, whatever else is wished."""
    return lambda **changes: open_listener(**changes | {"bed": True})


def bed_levels(heard: Recording) -> Sound:
    """The level of the bed alone, in dBFS, every tenth of a second."""
    # So long a window tells 10 Hz apart; by its shape, each is told one and a half times.
    power = sum(heard.tone(hertz, STEP_S, STEP_S) ** 2 / 2 for hertz in BED_HZ) / 1.5
    return np.asarray(10 * np.log10(power + 1e-16))


def when_it_left(heard: Recording) -> float:
    """The bed's last moment over -60 dBFS."""
    return heard.starts + float(np.flatnonzero(bed_levels(heard) > -60)[-1] + 1) * STEP_S


def when_it_came(heard: Recording, hertz: float) -> float:
    """When a tone was first a tenth as strong as at its strongest."""
    strength = heard.tone(hertz, STEP_S, STEP_S)
    return heard.starts + float(np.argmax(strength > 0.1 * strength.max())) * STEP_S


def test_the_bed_sounds_within_a_second_and_crosses_to_the_first_preview(
    open_with_bed: Open, deployment: Deployment
) -> None:
    def wait(listener: Listener) -> Recording:
        # Nobody taps before they have read a little; meanwhile the bed is fetched and decoded.
        listener.listen_for(READ_S)
        listener.tap_start()
        listener.wait_for_music()
        listener.listen_for(BED_OUT_S + 0.5)
        return listener.recording()

    def judge(heard: Recording) -> None:
        # By wall time: the sound's clock starts after the tap. The recorder starts later still:
        # the bed may have begun before it was heard, never after.
        tapped = heard.moment_of(heard.mark("click Commencer").wall)
        begun = heard.first_sound(-60)
        assert begun is not None
        assert begun - tapped <= START_S_MAX
        came, left = when_it_came(heard, deployment.tones()[0]), when_it_left(heard)
        composing = heard.between(begun + BED_IN_S, came)
        after = heard.between(left + 0.5, heard.ends)

        assert bed_levels(composing).min() > HEARD_DBFS
        # Both move softly: less than the whole of it is loud enough to be told.
        assert 0.4 * BED_OUT_S < left - came < BED_OUT_S, "it leaves slowly, under the preview"
        assert bed_levels(after).max() < GONE_DBFS
        assert heard.between(begun + 0.05, heard.ends).silences() == []
        assert heard.loudest_hiss(begun + 0.05, heard.ends - 0.05)[0] <= CLICK_DBFS

    hear(open_with_bed, wait, judge)


def test_a_few_seconds_of_it_sound_until_the_whole_has_arrived(
    open_with_bed: Open, deployment: Deployment
) -> None:
    deployment.tune(first_s=900)

    def wait(listener: Listener) -> Recording:
        held: list[Route] = []
        listener.page.route(re.compile(r"/bed-[0-9a-f]{8}\.mp3$"), lambda route: held.append(route))
        listener.listen_for(READ_S)
        listener.tap_start()
        listener.listen_for(START_LOOP_S + BED_IN_S + 1)
        [whole] = held
        whole.continue_()
        listener.listen_for(LENGTHEN_S + 1.5)
        return listener.recording()

    def judge(heard: Recording) -> None:
        begun = heard.first_sound(-60)
        assert begun is not None
        assert heard.ends - begun > START_LOOP_S + LENGTHEN_S, "a round, and the long one after it"
        assert bed_levels(heard.between(begun + BED_IN_S, heard.ends)).min() > HEARD_DBFS
        assert heard.between(begun + 0.05, heard.ends).silences() == []
        assert heard.loudest_hiss(begun + 0.05, heard.ends - 0.05)[0] <= CLICK_DBFS

    hear(open_with_bed, wait, judge)


def test_stop_under_the_bed_is_silence_within_50_ms(
    open_with_bed: Open, deployment: Deployment
) -> None:
    deployment.tune(first_s=150)

    def stop(listener: Listener) -> Recording:
        listener.tap_start()
        listener.listen_for(BED_IN_S + 0.6)
        listener.watch_the_machine()
        listener.press("stop")
        listener.listen_for(0.5)
        return listener.recording()

    def judge(heard: Recording) -> None:
        stopped = heard.mark("click Stop").at
        last = heard.last_sound(-60)
        assert last is not None
        assert bed_levels(heard.between(stopped - 0.3, stopped)).min() > HEARD_DBFS
        assert 0 < last - stopped <= STOP_S_MAX
        assert heard.loudest_hiss(stopped - 0.2, stopped + 0.2)[0] <= CLICK_DBFS
        assert heard.between(stopped + 0.1, heard.ends).first_sound(GONE_DBFS) is None

    hear(open_with_bed, stop, judge)
