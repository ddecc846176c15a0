"""The judge, judged: on sounds whose faults are known."""

from itertools import pairwise

import numpy as np
import pytest

from parcours_dev.simulators.mp3 import encode
from parcours_dev.simulators.signals import Signal, produce
from tests.browser.recording import Recording, Sound
from tests.fixtures.sounds import decode

RATE = 44_100
CLICK_DBFS = -80


def tone(seconds: float, hertz: float, level: float = 0.25) -> Sound:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def played(signal: Signal, seconds: float, kind: str = "file") -> Sound:
    """A simulated track as a browser decodes it."""
    blocks = produce(signal, words="", seconds=seconds, seed="a", order=0, kind=kind)  # type: ignore[arg-type]
    sound: Sound = decode(b"".join(encode(blocks)), "mono")[0].astype(np.float64)
    return sound


def swapped(seconds: float, shape: str = "linear") -> Sound:
    """Two seconds of 500 Hz, then 1700 Hz, with such a crossfade at 1 s."""
    out, into = played("tones", 2, "stream"), played("tones", 2, "file")
    share = np.clip((np.arange(len(out)) / RATE - 1) / max(seconds, 1 / RATE), 0, 1)
    if shape == "equal power":
        return out * np.cos(share * np.pi / 2) + into * np.sin(share * np.pi / 2)
    return out * (1 - share) + into * share


def test_the_level_of_a_tone_is_its_root_mean_square() -> None:
    levels = Recording(tone(1, 500, 0.1), RATE).levels(0.01)

    assert levels == pytest.approx(-23.01, abs=0.05)


def test_first_and_last_sound_are_found_on_the_sounds_own_clock() -> None:
    sound = np.concatenate([np.zeros(RATE), tone(1, 500, 0.02), np.zeros(RATE)])
    heard = Recording(sound, RATE, starts=10.0)

    assert heard.first_sound() == pytest.approx(11, abs=0.006)
    assert heard.last_sound() == pytest.approx(12, abs=0.006)
    assert Recording(np.zeros(RATE), RATE).first_sound() is None


@pytest.mark.parametrize(("gap_s", "found"), [(0.015, 0), (0.02, 0), (0.03, 1), (0.5, 1)])
def test_silences_longer_than_20_ms_are_found(gap_s: float, found: int) -> None:
    sound = np.concatenate([tone(1, 500), np.zeros(round(gap_s * RATE)), tone(1, 500)])

    assert len(Recording(sound, RATE).silences()) == found


def test_a_hard_cut_clicks_and_a_crossfade_does_not() -> None:
    cut, _ = Recording(swapped(0), RATE).loudest_hiss(0.5, 1.5)
    faded, _ = Recording(swapped(0.18), RATE).loudest_hiss(0.5, 1.5)

    assert cut > CLICK_DBFS + 15
    assert faded < CLICK_DBFS - 5


@pytest.mark.parametrize("ramp_s", [0, 0.0005])
def test_a_sudden_stop_clicks(ramp_s: float) -> None:
    sound = tone(2, 1700)
    place = np.arange(len(sound)) / RATE - 1.0003
    sound *= 1 - np.clip(place / max(ramp_s, 1 / RATE), 0, 1)
    loudest, at = Recording(sound, RATE).loudest_hiss(0.5, 1.5)

    assert loudest > CLICK_DBFS
    assert at == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("ramp_s", [0.02, 0.15])
def test_a_ramp_of_20_ms_does_not_click(ramp_s: float) -> None:
    sound = tone(2, 1700)
    place = np.arange(len(sound)) / RATE - 1.0003
    sound *= 0.5 + 0.5 * np.cos(np.pi * np.clip(place / ramp_s, 0, 1))
    loudest, _ = Recording(sound, RATE).loudest_hiss(0.5, 1.5)

    assert loudest < CLICK_DBFS


def test_simulated_tones_have_nothing_above_8_khz() -> None:
    for kind in ("stream", "file"):
        heard = Recording(played("tones", 3, kind), RATE)
        assert heard.loudest_hiss(0.5, 2.5)[0] < CLICK_DBFS - 10


@pytest.mark.parametrize("shape", ["linear", "equal power"])
@pytest.mark.parametrize("seconds", [0.1, 0.18, 0.3])
def test_the_length_of_a_swap_is_measured(seconds: float, shape: str) -> None:
    start, length = Recording(swapped(seconds, shape), RATE).swap(500, 1700)

    assert start == pytest.approx(1, abs=0.015)
    assert length == pytest.approx(seconds, abs=0.02)


@pytest.mark.parametrize("jump_s", [0, 0.01, 0.03, -0.2, 1])
def test_a_jump_in_a_chirp_is_measured(jump_s: float) -> None:
    chirp = played("chirp", 12)
    second = round((6 + jump_s) * RATE)
    sound = np.concatenate([chirp[: 6 * RATE], chirp[second : second + 4 * RATE]])
    heard = Recording(sound, RATE)

    before, after = heard.place(5, 5.9), heard.place(6.1, 7)
    assert (after - before) - 1.1 == pytest.approx(jump_s, abs=0.003)


@pytest.fixture(scope="module")
def chirp() -> Sound:
    return played("chirp", 12)


def crossed(chirp: Sound, at_s: float, lag_s: float) -> Recording:
    """A chirp that is replaced, within 0.18 s, by another one that is behind by the lag."""
    begins, length = round(at_s * RATE), 8 * RATE
    sooner = chirp[:length]
    later = chirp[begins - round(lag_s * RATE) :][: length - begins]
    share = np.minimum(1, np.arange(len(later)) / (0.18 * RATE))
    both = (1 - share) * sooner[begins:] + share * later
    return Recording(np.concatenate([sooner[:begins], both]), RATE)


@pytest.mark.parametrize("lag_s", [0.002, 0.005])
def test_a_swap_of_chirps_that_cancel_each_other_is_no_jump(chirp: Sound, lag_s: float) -> None:
    crossings = [crossed(chirp, 4 + late, lag_s) for late in (0.1, 0.4, 0.6)]

    assert max(heard.jump(2.5, 6.5) for heard in crossings) < 0.01


@pytest.mark.parametrize("lag_s", [-0.05, 0.035, 0.05])
def test_a_swap_to_another_place_is_a_jump(chirp: Sound, lag_s: float) -> None:
    heard = crossed(chirp, 4, lag_s)

    assert heard.jump(2.5, 6.5) == pytest.approx(abs(lag_s), abs=0.004)


def test_a_chirp_tells_the_place_all_along() -> None:
    heard = Recording(played("chirp", 12), RATE)
    places = [heard.place(start, start + 0.5) for start in range(1, 11)]

    assert [after - before for before, after in pairwise(places)] == pytest.approx(
        [1.0] * 9, abs=0.003
    )
