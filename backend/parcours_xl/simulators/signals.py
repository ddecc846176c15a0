"""What can be recorded in place of music, for measuring players: sweeps and steady tones."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from parcours_xl.simulators.composer import compose
from parcours_xl.simulators.instruments import RATE, Samples
from parcours_xl.simulators.score import read_score

Signal = Literal["music", "chirp", "tones"]

CHIRP_START_HZ, CHIRP_HZ_A_SECOND = 200.0, 20.0
"""position in seconds = (frequency - 200) / 20, whatever the length of the track."""
TONE_FIRST_HZ, TONE_STEP_HZ, TONES = 300.0, 50.0, 40
LEVEL = 0.25
EDGE = RATE // 100


def tone_hz(order: int) -> float:
    """The steady tone of the nth track; neighbours differ by 50 Hz, after 40 they repeat."""
    return TONE_FIRST_HZ + TONE_STEP_HZ * (order % TONES)


def produce(
    signal: Signal, *, words: str, seconds: float, seed: str, order: int
) -> Iterator[Samples]:
    """Blocks of about a second up to a few seconds, together exactly as long as asked."""
    if signal == "music":
        return compose(read_score(words, seconds, seed))
    if signal == "chirp":
        return _sound(seconds, CHIRP_START_HZ, CHIRP_HZ_A_SECOND)
    return _sound(seconds, tone_hz(order), 0.0)


def _sound(seconds: float, start_hz: float, hz_a_second: float) -> Iterator[Samples]:
    length = round(seconds * RATE)
    for start in range(0, length, RATE):
        place = np.arange(start, min(length, start + RATE), dtype=np.float64)
        time = place / RATE
        wave = LEVEL * np.sin(2 * np.pi * (start_hz * time + hz_a_second / 2 * time**2))
        wave *= np.clip(np.minimum(place, length - 1 - place) / EDGE, 0, 1)
        yield _both_sides(wave)


def _both_sides(wave: npt.NDArray[np.float64]) -> Samples:
    return np.stack([wave, wave]).astype(np.float32)
