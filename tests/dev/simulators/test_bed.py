"""The bed, decoded as a browser does it: seamless, quiet, and nothing in it begins."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from parcours_dev.simulators.bed import (
    LEAD_S,
    LOOP_S,
    START_BYTES_MAX,
    START_LOOP_S,
    compose_bed,
    write_bed,
    write_start,
)
from parcours_dev.simulators.instruments import RATE
from parcours_xl.clients.audio import Audio
from tests.fixtures.sounds import decode

Sound = npt.NDArray[np.float32]

MUSIC_LUFS = -18
"""`targetLufs` in web/engine/settings.ts."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bed") / "bed.mp3"
    write_bed(file)
    return file


@pytest.fixture(scope="module")
def start_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("start") / "bed-start.mp3"
    write_start(file)
    return file


@pytest.fixture(scope="module")
def played(file: Path) -> Sound:
    return two_rounds(file)


@pytest.fixture(scope="module")
def start_played(start_file: Path) -> Sound:
    return two_rounds(start_file)


def two_rounds(file: Path) -> Sound:
    """Twice what the player loops: the file's whole seconds less one, after the lead."""
    sound = decode(file.read_bytes()).T
    start, length = int(LEAD_S * RATE), (int(len(sound) / RATE) - 1) * RATE
    loop = sound[start : start + length]
    return np.concatenate([loop, loop])


def decibels(sound: Sound, seconds: float) -> Sound:
    """The level of one frame after another, in dBFS."""
    size = int(seconds * RATE)
    frames = sound[: len(sound) // size * size].reshape(-1, size * 2)
    return np.asarray(10 * np.log10((frames**2).mean(axis=1)), dtype=np.float32)


def steps(sound: Sound) -> Iterator[float]:
    yield from np.abs(np.diff(sound, axis=0)).max(axis=1)


def test_it_lasts_between_60_and_90_seconds_and_weighs_little(file: Path, played: Sound) -> None:
    assert len(played) / RATE / 2 == LOOP_S
    assert 60 <= LOOP_S <= 90
    assert file.stat().st_size < 700_000


def test_the_same_bed_comes_out_every_time() -> None:
    assert np.array_equal(compose_bed(), compose_bed())


def test_a_few_seconds_come_first_in_a_small_file(start_file: Path, start_played: Sound) -> None:
    assert len(start_played) / RATE / 2 == START_LOOP_S
    assert start_file.stat().st_size <= START_BYTES_MAX


@pytest.mark.parametrize(("sound", "loop_s"), [("played", LOOP_S), ("start_played", START_LOOP_S)])
def test_its_end_is_its_beginning(sound: str, loop_s: int, request: pytest.FixtureRequest) -> None:
    played = request.getfixturevalue(sound)
    seam = loop_s * RATE
    jump = np.abs(np.diff(played[seam - 4 : seam + 4], axis=0)).max()
    usual = np.percentile(np.abs(np.diff(played, axis=0)), 99.5)

    assert jump <= usual, "from one sample to the next as everywhere else"
    around = played[seam - RATE // 20 : seam + RATE // 20]
    assert energy_above(around, 4000) < -80, "a cut would ring up there"


def test_the_long_loop_begins_as_loud_as_the_short_one(played: Sound, start_played: Sound) -> None:
    begins, short = (float(decibels(one, 4)[0]) for one in (played, start_played))

    assert begins == pytest.approx(short, abs=1)


def energy_above(sound: Sound, hertz: float) -> float:
    """In dBFS."""
    windowed = sound[:, 0] * np.hanning(len(sound))
    power = np.abs(np.fft.rfft(windowed)) ** 2 / len(sound) ** 2 * 4
    return float(10 * np.log10(power[np.fft.rfftfreq(len(sound), 1 / RATE) > hertz].sum() + 1e-20))


def test_a_hard_cut_would_be_noticed(played: Sound) -> None:
    cut = np.concatenate([played[: RATE // 20], played[30 * RATE : 30 * RATE + RATE // 20]])

    assert energy_above(cut, 4000) > -80


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["file", "start_file"])
async def test_it_is_a_little_quieter_than_the_music(
    name: str, request: pytest.FixtureRequest
) -> None:
    sound = await Audio().measure(request.getfixturevalue(name))

    assert sound.loudness_lufs is not None
    assert 3 <= MUSIC_LUFS - sound.loudness_lufs <= 6
    assert sound.true_peak_dbtp is not None and sound.true_peak_dbtp < -6


def test_nothing_in_it_begins_suddenly(played: Sound) -> None:
    rises = np.diff(decibels(played, 0.05))

    assert rises.max() < 3


def test_it_never_falls_silent(played: Sound) -> None:
    assert decibels(played, 0.4).min() > -32


def test_it_has_no_beat(played: Sound) -> None:
    # Between 30 and 200 a minute, the level does not repeat itself.
    level = decibels(played, 0.05)
    slow = np.convolve(np.pad(level, (20, 20), mode="wrap"), np.ones(41) / 41, "valid")
    swing = level - slow
    likeness = np.correlate(swing, swing, "full")[len(swing) - 1 :]

    assert (likeness / likeness[0])[6:41].max() < 0.2


def test_it_has_no_melody(played: Sound) -> None:
    # What is heard in one second is still what is heard in the next: no tone moves.
    size = RATE
    spectra = np.abs(np.fft.rfft(played[: LOOP_S * RATE, 0].reshape(-1, size) * np.hanning(size)))
    tones = spectra[:, 50:1200].reshape(len(spectra), -1, 10).sum(axis=2)
    tones /= np.linalg.norm(tones, axis=1, keepdims=True)

    assert np.median((tones[1:] * tones[:-1]).sum(axis=1)) > 0.8
