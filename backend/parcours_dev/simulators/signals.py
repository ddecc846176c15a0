"""What can be recorded in place of music, for measuring players: sweeps and steady tones."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from parcours_dev.simulators.composer import compose
from parcours_dev.simulators.instruments import RATE, Samples
from parcours_dev.simulators.score import read_score

Signal = Literal["music", "chirp", "tones"]
Kind = Literal["stream", "file"]
"""A track as it is heard while it is being composed, and as it is delivered."""

CHIRP_START_HZ, CHIRP_HZ_A_SECOND = 200.0, 20.0
"""position in seconds = (frequency - 200) / 20, whatever the length of the track."""
TONE_FIRST_HZ: dict[Kind, float] = {"stream": 500.0, "file": 1700.0}
TONE_STEP_HZ, TONES = 100.0, 8
"""All are multiples of 100 Hz: windows of 10 ms tell any two of them apart."""
LEVEL = 0.25
EDGE = RATE // 100


def tone_hz(order: int, kind: Kind = "file") -> float:
    """The steady tone of the nth track, another one for its stream; after 8 they repeat."""
    return TONE_FIRST_HZ[kind] + TONE_STEP_HZ * (order % TONES)


def produce(
    signal: Signal, *, words: str, seconds: float, seed: str, order: int, kind: Kind = "file"
) -> Iterator[Samples]:
    """Blocks of about a second up to a few seconds, together exactly as long as asked."""
    if signal == "music":
        return compose(read_score(words, seconds, seed))
    if signal == "chirp":
        return _sound(seconds, CHIRP_START_HZ, CHIRP_HZ_A_SECOND)
    return _sound(seconds, tone_hz(order, kind), 0.0)


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
