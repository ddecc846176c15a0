"""The sound of one note, one chord, one drone: stereo arrays at 44.1 kHz, rendered once and reused.

Pads and drones are made in the frequency domain (Paul Nasca's PADsynth: every harmonic is a narrow
band of random phase), which gives a soft choir-like sound that loops without a seam. Reverberation
is linear, so it is baked into each rendered note instead of being applied to the whole mix.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]
"""Shape (2, length), left and right; full scale is 1."""

RATE = 44_100
LOOP = 2**19
"""Length of a pad's loop in samples, 11.9 s; a power of two keeps the transform quick."""
NOTE_SECONDS_MAX = 5.0
REVERB_SECONDS = 1.6
_NOTE_FFT = 2**18
assert NOTE_SECONDS_MAX * RATE < _NOTE_FFT, "a note and its reverb fit one transform"


@dataclass(frozen=True)
class Voice:
    """A struck or blown instrument: partials as (ratio, level, seconds to fade to a third)."""

    partials: tuple[tuple[float, float, float], ...]
    attack_s: float
    level: float
    pan: float
    """-1 left, 1 right."""
    reverb: float


VOICES = {
    "handpan": Voice(
        ((1, 1, 1.3), (2.0, 0.55, 0.9), (3.0, 0.22, 0.6), (4.16, 0.08, 0.25), (5.4, 0.07, 0.15),
         (8.1, 0.03, 0.06), (11.3, 0.02, 0.04)),
        0.006, 0.17, -0.25, 0.45,
    ),
    "piano": Voice(
        ((1, 1, 1.4), (2.001, 0.4, 0.8), (3.004, 0.2, 0.5), (4.01, 0.1, 0.35), (5.02, 0.06, 0.2),
         (7.05, 0.03, 0.1), (9.1, 0.02, 0.06)),
        0.012, 0.15, 0.2, 0.4,
    ),
    "rhodes": Voice(
        ((1, 1, 1.5), (2.0, 0.25, 0.7), (3.0, 0.1, 0.4), (7.0, 0.05, 0.12)),
        0.008, 0.15, 0.15, 0.35,
    ),
    "harp": Voice(
        ((1, 1, 0.9), (2.0, 0.5, 0.5), (3.0, 0.28, 0.33), (4.0, 0.14, 0.25), (5.0, 0.07, 0.18)),
        0.004, 0.15, -0.3, 0.45,
    ),
    "kalimba": Voice(
        ((1, 1, 0.7), (2.0, 0.12, 0.4), (5.8, 0.1, 0.12), (6.2, 0.06, 0.08)),
        0.004, 0.17, 0.3, 0.45,
    ),
    "guitar": Voice(
        ((1, 1, 0.9), (2.0, 0.6, 0.6), (3.0, 0.35, 0.4), (4.0, 0.15, 0.25), (6.0, 0.06, 0.15)),
        0.005, 0.14, -0.15, 0.35,
    ),
    "bells": Voice(
        ((1, 1, 1.1), (2.76, 0.25, 0.6), (5.4, 0.08, 0.25), (0.5, 0.15, 1.2)),
        0.003, 0.1, 0.35, 0.6,
    ),
    "flute": Voice(
        ((1, 1, 1.2), (2.0, 0.18, 1.0), (3.0, 0.05, 0.8)),
        0.12, 0.13, 0.1, 0.5,
    ),
    "bass": Voice(((1, 1, 1.8), (2.0, 0.3, 1.0), (3.0, 0.06, 0.5)), 0.03, 0.2, 0.0, 0.1),
}  # fmt: skip


class Ensemble:
    """Renders what one piece of music needs, each sound once."""

    def __init__(self, seed: int, brightness: float) -> None:
        self.brightness = brightness
        self._noise = np.random.default_rng(seed)
        self._notes: dict[tuple[str, int], Samples] = {}
        self._pads: dict[tuple[int, ...], Samples] = {}
        self._room = self._build_room()

    def note(self, voice: str, pitch: int) -> Samples:
        """A note with its reverberation, at most NOTE_SECONDS_MAX long."""
        key = (voice, pitch)
        if key not in self._notes:
            self._notes[key] = self._render_note(voice, pitch)
        return self._notes[key]

    def pad(self, chord: tuple[int, ...], level: float) -> Samples:
        """A seamless loop of LOOP samples with the given root mean square level."""
        if chord not in self._pads:
            self._pads[chord] = self._render_pad(chord, level)
        return self._pads[chord]

    def _render_note(self, name: str, pitch: int) -> Samples:
        if name in VOICES:
            voice, dry = VOICES[name], self._strike(VOICES[name], pitch)
        else:
            voice, dry = Voice((), 0, 1, 0.2 if name == "shaker" else 0.0, 0.15), self._hit(name)
        spectrum = np.fft.rfft(dry, _NOTE_FFT)
        sides = []
        for side, room in zip((-1, 1), self._room, strict=True):
            wet = np.fft.irfft(spectrum * room, _NOTE_FFT)[: int(NOTE_SECONDS_MAX * RATE)]
            wet *= voice.reverb
            wet[: len(dry)] += dry * np.sqrt((1 + side * voice.pan) / 2)
            sides.append(wet)
        sound = np.stack(sides).astype(np.float32)
        sound[:, -RATE // 5 :] *= np.linspace(1, 0, RATE // 5, dtype=np.float32)
        return sound

    def _strike(self, voice: Voice, pitch: int) -> npt.NDArray[np.float32]:
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        time = np.arange(int((NOTE_SECONDS_MAX - REVERB_SECONDS) * RATE), dtype=np.float32) / RATE
        dry = np.zeros_like(time)
        lasting = (220 / frequency) ** 0.35
        softness = 0.6 + 1.2 * self.brightness
        for ratio, level, fade_s in voice.partials:
            if frequency * ratio < 12_000:
                shade = np.float32(level * (softness if ratio > 1.5 else 1.0))
                turning = np.float32(2 * np.pi * frequency * ratio) * time
                fading = np.exp(time * np.float32(-1 / (fade_s * lasting)))
                dry += np.sin(turning) * fading * shade
        attack = int(voice.attack_s * RATE)
        dry[:attack] *= _ramp(attack)
        dry[-RATE // 2 :] *= _ramp(RATE // 2)[::-1]
        return (dry * voice.level).astype(np.float32)

    def _hit(self, name: str) -> npt.NDArray[np.float32]:
        seconds, fade_s = (0.25, 0.09) if name == "tom" else (0.12, 0.018)
        time = np.arange(int(seconds * RATE), dtype=np.float32) / RATE
        if name == "tom":
            turns = 70 * time + np.float32(2.5) * (1 - np.exp(-time / np.float32(0.04)))
            sound, level = np.sin(2 * np.pi * turns), 0.25
        else:
            hiss = self._noise.standard_normal(len(time) + 1)
            # Neighbours taken apart are bright, like grains; taken together dull, like palms.
            sound, level = (
                (hiss[1:] + hiss[:-1], 0.02) if name == "clap" else (np.diff(hiss), 0.018)
            )
        hit = (sound * np.exp(-time / fade_s) * level).astype(np.float32)
        hit[:120] *= _ramp(120)
        hit[-400:] *= _ramp(400)[::-1]
        return hit

    def _render_pad(self, chord: tuple[int, ...], level: float) -> Samples:
        return paint_pad(chord, 700 + 1_900 * self.brightness, level, LOOP, self._noise)

    def _build_room(self) -> tuple[npt.NDArray[np.complex64], npt.NDArray[np.complex64]]:
        """Two unlike tails of fading, darkening noise: the left and the right of a small hall."""
        length = int(REVERB_SECONDS * RATE)
        time = np.arange(length, dtype=np.float32) / RATE
        fade = np.exp(-time / np.float32(0.32)) * np.minimum(1, time / np.float32(0.012))
        sides = []
        hertz = np.fft.rfftfreq(_NOTE_FFT, 1 / RATE)
        darkness = 1 + (hertz / 2_500) ** 2
        for _ in range(2):
            tail = self._noise.standard_normal(length).astype(np.float32) * fade
            tail *= np.clip((REVERB_SECONDS - time) / 0.3, 0, 1)
            spectrum = np.fft.rfft(tail, _NOTE_FFT)
            loudness = np.sqrt(np.sum(tail**2))
            sides.append((spectrum / (darkness * loudness)).astype(np.complex64))
        return sides[0], sides[1]


def paint_pad(
    chord: tuple[int, ...], cutoff_hz: float, level: float, length: int, chance: np.random.Generator
) -> Samples:
    """A seamless loop of so many samples (an even number) with that root mean square level."""
    heights = np.zeros(length // 2 + 1, dtype=np.float32)
    for pitch in chord:
        base = 440 * 2 ** ((pitch - 69) / 12)
        for harmonic in range(1, 25):
            frequency = base * harmonic
            height = harmonic**-1.25 * np.exp(-frequency / cutoff_hz)
            if height > 1e-4:
                _add_band(heights, frequency, frequency * 0.007, height, length)
    sides = []
    for _ in range(2):
        phases = chance.random(len(heights), dtype=np.float32) * np.float32(2 * np.pi)
        sides.append(np.fft.irfft(heights * np.exp(1j * phases)).astype(np.float32))
    loop = np.stack(sides)
    loop *= np.float32(level / np.sqrt(np.mean(loop**2)))
    return loop


def _add_band(
    heights: npt.NDArray[np.float32], frequency: float, width: float, height: float, length: int
) -> None:
    """Add a bell-shaped band around a frequency (Hz) to a spectrum of that many samples."""
    bins_a_hertz = length / RATE
    centre, spread = frequency * bins_a_hertz, max(1.0, width * bins_a_hertz)
    first, last = int(centre - 4 * spread), int(centre + 4 * spread) + 1
    if first < 1 or last >= len(heights):
        return
    distance = (np.arange(first, last, dtype=np.float32) - np.float32(centre)) / np.float32(spread)
    # Bands of equal power sound equally loud whatever their width.
    heights[first:last] += np.exp(-0.5 * distance**2) * np.float32(height / np.sqrt(spread))


def _ramp(length: int) -> npt.NDArray[np.float32]:
    """Half a cosine from 0 to 1: no click."""
    return (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, length))).astype(np.float32)
