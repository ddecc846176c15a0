"""Ambient music from the words of a prompt, bar by bar, so that memory stays small.

Layers: a drone on the key note, pads that change chord every few seconds, a pulse on the beats and
a sparse song. Equal scores give equal samples.
"""

from collections.abc import Iterator
from zlib import crc32

import numpy as np

from parcours_dev.simulators.instruments import LOOP, NOTE_SECONDS_MAX, RATE, Ensemble, Samples
from parcours_dev.simulators.melody import BASS_BOTTOM, Bar, raise_to, write_bars
from parcours_dev.simulators.score import Score

PAD_LEVEL, DRONE_LEVEL = 0.075, 0.035
MASTER = np.float32(1.2)
PAD_ATTACK_S, PAD_RELEASE_S = 1.8, 3.2
FADE_IN_S, FADE_OUT_S = 2.5, 9.0
SWELL_S = 23.0
LOUD, CEILING = 0.6, 0.9
"""Below LOUD samples pass untouched; above they bend and never reach CEILING."""
TAIL = int(NOTE_SECONDS_MAX * RATE)
CANVAS = 2**20


def compose(score: Score) -> Iterator[Samples]:
    """Blocks of one bar each, together exactly score.seconds long."""
    ensemble = Ensemble(crc32(score.seed.encode()), score.brightness)
    key_note, fifth = (raise_to(BASS_BOTTOM, score.pitch(degree, 1)) for degree in (0, 4))
    drone = ensemble.pad((key_note, fifth), DRONE_LEVEL)
    length = round(score.seconds * RATE)
    canvas = _Canvas()
    chords: list[tuple[int, tuple[int, ...]]] = []
    for bar in write_bars(score):
        start = round(bar.start_s * RATE)
        size = min(round((bar.start_s + bar.seconds) * RATE), length) - start
        if size <= 0:
            return
        if not chords or (bar.starts_chord and bar.chord != chords[-1][1]):
            chords = [*chords[-1:], (start, bar.chord)]
        mix = canvas.advance(size)
        _add_notes(mix, bar, size, ensemble)
        block = mix[:, :size]
        _add_pads(block, start, chords, ensemble)
        block += _looped(drone, start, size)
        yield _finish(block * MASTER, start, length)


class _Canvas:
    """Where notes are added up: one piece of memory along which the music moves."""

    def __init__(self) -> None:
        self._mix = np.zeros((2, CANVAS), dtype=np.float32)
        self._place, self._size = 0, 0

    def advance(self, size: int) -> Samples:
        """The next `size` samples and the room in which their notes ring on.

        What was handed out before is overwritten sooner or later.
        """
        assert 2 * (size + TAIL) < CANVAS, "a bar and its tail fit twice"
        self._place += self._size
        self._size = size
        if self._place + size + TAIL > CANVAS:
            self._mix[:, :TAIL] = self._mix[:, self._place : self._place + TAIL]
            self._mix[:, TAIL:] = 0
            self._place = 0
        return self._mix[:, self._place : self._place + size + TAIL]


def _add_notes(mix: Samples, bar: Bar, size: int, ensemble: Ensemble) -> None:
    samples_a_beat = bar.seconds * RATE / bar.beats
    for note in bar.notes:
        start = min(size, round(note.beat * samples_a_beat))
        sound = ensemble.note(note.voice, note.pitch)
        end = min(mix.shape[1], start + sound.shape[1])
        mix[:, start:end] += sound[:, : end - start] * np.float32(note.loudness)


def _add_pads(
    block: Samples, start: int, chords: list[tuple[int, tuple[int, ...]]], ensemble: Ensemble
) -> None:
    """The last chord rises while the one before it falls."""
    size = block.shape[1]
    time = np.arange(start, start + size, dtype=np.float32) / np.float32(RATE)
    swell = 0.85 + 0.15 * np.sin(time * np.float32(2 * np.pi / SWELL_S))
    since = time - np.float32(chords[-1][0] / RATE)
    rising = np.sin(np.clip(since / PAD_ATTACK_S, 0, 1) * np.float32(np.pi / 2))
    block += _looped(ensemble.pad(chords[-1][1], PAD_LEVEL), start, size) * (rising * swell)
    if len(chords) > 1 and since[0] < PAD_RELEASE_S:
        falling = np.cos(np.clip(since / PAD_RELEASE_S, 0, 1) * np.float32(np.pi / 2))
        block += _looped(ensemble.pad(chords[0][1], PAD_LEVEL), start, size) * (falling * swell)


def _looped(loop: Samples, start: int, size: int) -> Samples:
    place = start % LOOP
    if place + size <= LOOP:
        return loop[:, place : place + size]
    return np.take(loop, np.arange(place, place + size), axis=1, mode="wrap")


def _finish(block: Samples, start: int, length: int) -> Samples:
    """Fade the beginning and the end, and keep peaks below full scale."""
    size = block.shape[1]
    fade_in = min(FADE_IN_S * RATE, length / 4)
    fade_out = min(FADE_OUT_S * RATE, length / 4)
    if start < fade_in or start + size > length - fade_out:
        place = np.arange(start, start + size, dtype=np.float64)
        share = np.clip(np.minimum((place + 1) / fade_in, (length - place - 1) / fade_out), 0, 1)
        block *= (0.5 - 0.5 * np.cos(np.pi * share)).astype(np.float32)
    loudness = np.abs(block)
    if loudness.max(initial=0) > LOUD:
        room = CEILING - LOUD
        bent = np.sign(block) * (LOUD + room * np.tanh((loudness - LOUD) / room))
        block = np.where(loudness > LOUD, bent, block)
    return block
