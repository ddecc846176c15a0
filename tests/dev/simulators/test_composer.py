"""Composed music can be listened to: level, silence, clicks, tempo, mode, sameness."""

import time
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pytest

from parcours_dev.simulators.composer import compose
from parcours_dev.simulators.instruments import RATE
from parcours_dev.simulators.melody import write_bars
from parcours_dev.simulators.mp3 import encode
from parcours_dev.simulators.score import MODES, read_score

CALM = "instrumental, 64 BPM, D dorian, 6/8, handpan, felt piano, soft pad, calm"
LIVELY = "instrumental, 100 BPM, ionian, 4/4, piano, soft claps, shaker, bright energetic"
DARK = "62 BPM, aeolian, 6/8, low drones, harp, kalimba, deep"
TENTH = RATE // 10

Sound = npt.NDArray[np.float32]


@lru_cache
def _listen(words: str, seconds: float = 60, seed: str = "seed") -> Sound:
    return np.concatenate(list(compose(read_score(words, seconds, seed))), axis=1)


def _decibel(sound: Sound) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(sound**2))))


@pytest.mark.parametrize("words", [CALM, LIVELY, DARK])
def test_music_is_as_loud_as_records_are_and_never_clips(words: str) -> None:
    sound = _listen(words)
    middle = sound[:, 10 * RATE : -10 * RATE]
    assert -20.5 < _decibel(middle) < -14.5
    assert np.abs(sound).max() < 0.95


@pytest.mark.parametrize("words", [CALM, LIVELY, DARK])
def test_music_has_no_gap_and_no_click(words: str) -> None:
    sound = _listen(words)
    inside = sound[:, 5 * RATE : -12 * RATE]
    tenths = inside[:, : inside.shape[1] // TENTH * TENTH].reshape(2, -1, TENTH)
    quietest = 20 * np.log10(np.sqrt((tenths**2).mean(axis=(0, 2))).min())
    assert quietest > -40
    # A soft attack moves no more than this in one sample; a cut waveform jumps further.
    assert np.abs(np.diff(sound, axis=1)).max() < 0.15


def test_music_fades_in_and_out() -> None:
    sound = _listen(CALM)
    assert np.abs(sound[:, :50]).max() < 1e-3
    assert np.abs(sound[:, -50:]).max() < 1e-3
    assert _decibel(sound[:, : RATE // 2]) < _decibel(sound[:, 10 * RATE : 11 * RATE]) - 6


@pytest.mark.parametrize("seconds", [1.0, 10.0, 33.337])
def test_music_lasts_exactly_as_long_as_asked(seconds: float) -> None:
    assert _listen(CALM, seconds).shape == (2, round(seconds * RATE))


def test_music_is_stereo() -> None:
    left, right = _listen(CALM)
    assert 0.05 < np.corrcoef(left, right)[0, 1] < 0.9


@pytest.mark.parametrize(("words", "bpm"), [(CALM, 64), (LIVELY, 100)])
def test_the_beat_can_be_measured(words: str, bpm: int) -> None:
    assert _strength_of_pulse(_listen(words), bpm) > 2 * max(
        _strength_of_pulse(_listen(words), other) for other in (bpm * 0.87, bpm * 1.13)
    )


def _strength_of_pulse(sound: Sound, bpm: float) -> float:
    """How much attacks repeat at this tempo: the spectrum of the attacks at one frequency."""
    hop = 512
    mono = np.diff(sound.mean(axis=0)[10 * RATE : -10 * RATE])
    power = (mono[: len(mono) // hop * hop].reshape(-1, hop) ** 2).sum(axis=1)
    attacks = np.maximum(0, np.diff(np.sqrt(power)))
    time_s = np.arange(len(attacks)) * hop / RATE
    return float(np.abs(np.sum(attacks * np.exp(-2j * np.pi * bpm / 60 * time_s))))


@pytest.mark.parametrize("mode", MODES)
def test_every_note_belongs_to_the_mode(mode: str) -> None:
    score = read_score(f"E {mode}, bright, energetic, 90 BPM", 120, "seed")
    allowed = {(4 + step) % 12 for step in MODES[mode]}
    bars = list(write_bars(score))
    struck = {note.pitch % 12 for bar in bars for note in bar.notes}
    held = {pitch % 12 for bar in bars for pitch in bar.chord}
    assert struck <= allowed
    assert held <= allowed
    assert 4 in held


def test_no_two_notes_of_a_chord_are_a_semitone_apart() -> None:
    for mode in MODES:
        for bar in write_bars(read_score(f"E {mode}", 120, "seed")):
            assert min(np.diff(bar.chord)) > 1, (mode, bar.chord)


def test_equal_scores_give_equal_bytes_and_other_seeds_other_music() -> None:
    first, again = (b"".join(encode(compose(read_score(CALM, 8, "one")))) for _ in range(2))
    other = b"".join(encode(compose(read_score(CALM, 8, "two"))))
    assert first == again
    assert first != other


def test_music_is_composed_much_quicker_than_it_plays() -> None:
    began = time.process_time()
    for _ in encode(compose(read_score(CALM, 120, "speed"))):
        pass
    assert time.process_time() - began < 6, "two minutes of music in a few seconds"
