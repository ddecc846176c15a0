"""What a page sent to the loudspeakers, and how it is judged. Times in seconds of its clock."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from parcours_dev.simulators.signals import CHIRP_HZ_A_SECOND, CHIRP_START_HZ

Sound = npt.NDArray[np.float64]

SILENCE_DBFS, HEARD_DBFS = -60.0, -50.0
FRAME_S = 0.005
HISS_HZ, HISS_TAPS = 8000.0, 255
PLACE_S, PLACE_STEP_S = 0.4, 0.25
CLOCKS_S = 5.0
"""Both clocks are compared near the moment in question: the sound's stands still in a pause."""


@dataclass(frozen=True)
class Mark:
    """Something that happened to the page. at: by the sound's clock; wall: seconds since 1970."""

    name: str
    at: float
    wall: float


@dataclass(frozen=True)
class Recording:
    """Mono sound, beginning at `starts`; clocks pairs moments of the sound with wall time."""

    samples: Sound
    rate: int
    starts: float = 0.0
    marks: Sequence[Mark] = ()
    clocks: Sequence[tuple[float, float]] = field(default=(), repr=False)

    @classmethod
    def from_page(cls, heard: dict[str, Any]) -> "Recording":
        """What `__ear.recording()` hands over."""
        samples = np.frombuffer(base64.b64decode(heard["samples"]), dtype="<f4")
        rate = int(heard["rate"])
        return cls(
            samples.astype(np.float64),
            rate,
            heard["frame"] / rate if rate else 0.0,
            tuple(marks_of(heard["marks"])),
            tuple((c["at"], c["wall"] / 1000) for c in heard["clocks"]),
        )

    @property
    def ends(self) -> float:
        return self.starts + len(self.samples) / self.rate

    def between(self, start: float, end: float) -> "Recording":
        """A part of it, on the same clock."""
        first = max(0, round((start - self.starts) * self.rate))
        last = max(first, round((end - self.starts) * self.rate))
        part = self.samples[first:last]
        return Recording(part, self.rate, self.starts + first / self.rate, self.marks, self.clocks)

    def mark(self, name: str) -> Mark:
        """The last thing of this name that happened."""
        found = [mark for mark in self.marks if mark.name == name]
        assert found, f"no {name!r} among {[mark.name for mark in self.marks]}"
        return found[-1]

    def moment_of(self, wall: float) -> float:
        """When, by the sound's clock, it was this wall time."""
        near = [(at, then) for at, then in self.clocks if abs(then - wall) < CLOCKS_S]
        # A page that had other work wrote the wall time down late, never early.
        at, then = max(near or self.clocks[-1:], key=lambda pair: pair[0] - pair[1])
        return at + wall - then

    # Loudness

    def levels(self, frame_s: float = FRAME_S) -> Sound:
        """The level of one frame after another, in dBFS."""
        return _decibels(_frames(self.samples, round(frame_s * self.rate)))

    def first_sound(self, over_dbfs: float = HEARD_DBFS) -> float | None:
        """When it was first louder than that."""
        loud = np.flatnonzero(self.levels() > over_dbfs)
        return None if len(loud) == 0 else self.starts + float(loud[0]) * FRAME_S

    def last_sound(self, over_dbfs: float = SILENCE_DBFS) -> float | None:
        """The end of the last frame that was louder than that."""
        loud = np.flatnonzero(self.levels() > over_dbfs)
        return None if len(loud) == 0 else self.starts + float(loud[-1] + 1) * FRAME_S

    def silences(self, longer_than_s: float = 0.02) -> list[tuple[float, float]]:
        """The stretches under -60 dBFS, each as (start, seconds)."""
        quiet = np.concatenate([[False], self.levels() < SILENCE_DBFS, [False]])
        edges = np.flatnonzero(np.diff(quiet.astype(int)))
        runs = [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
        return [
            (self.starts + first * FRAME_S, (last - first) * FRAME_S)
            for first, last in runs
            if (last - first) * FRAME_S > longer_than_s + 1e-9
        ]

    def hiss(self, window_s: float = 0.002) -> Sound:
        """The level above 8 kHz in one window after another, in dBFS: where clicks are."""
        high = _filter_high(self.samples, self.rate)
        return _decibels(_frames(high, round(window_s * self.rate)))

    def loudest_hiss(self, start: float, end: float) -> tuple[float, float]:
        """The loudest click between two moments: (dBFS, when)."""
        # The edges of what is looked at are cuts themselves.
        margin = 0.01
        levels = self.between(start - margin, end + margin).hiss()[5:-5]
        place = int(np.argmax(levels))
        return float(levels[place]), start + place * 0.002

    # Tones

    def tone(self, hertz: float, window_s: float = 0.01, step_s: float = 0.002) -> Sound:
        """How much of a tone there is, 0..1 of full scale, window after window (Goertzel)."""
        size, step = round(window_s * self.rate), round(step_s * self.rate)
        if len(self.samples) < size:
            return np.zeros(0)
        windows = np.lib.stride_tricks.sliding_window_view(self.samples, size)[::step]
        time = np.arange(size) / self.rate
        shape = np.hanning(size + 2)[1:-1]
        wave = np.exp(-2j * np.pi * hertz * time) * shape
        return np.asarray(2 * np.abs(windows @ wave) / shape.sum())

    def swap(
        self, outgoing_hz: float, incoming_hz: float, share: float = 0.02
    ) -> tuple[float, float]:
        """When one tone was replaced by another: (start, seconds), from the incoming one's first
        2 % to the outgoing one's last. What cracks before or after has a little of every tone: it
        is looked for from the half of each."""
        out, into = self.tone(outgoing_hz), self.tone(incoming_hz)
        half_in = np.flatnonzero(into > into.max() / 2)
        half_out = np.flatnonzero(out > out.max() / 2)
        assert len(half_in) and len(half_out), "both tones are heard"
        before = np.flatnonzero(into[: half_in[0]] <= share * into.max())
        after = np.flatnonzero(out[half_out[-1] :] <= share * out.max())
        begun = int(before[-1]) + 1 if len(before) else 0
        left = half_out[-1] + int(after[0]) - 1 if len(after) else len(out) - 1
        start, end = (begun * 0.002 + 0.005, int(left) * 0.002 + 0.005)
        return self.starts + start, end - start

    # Chirps

    def place(self, start: float, end: float) -> float:
        """Where in a chirp it was at `start`, in seconds, by the frequencies until `end`."""
        part = self.between(start, end)
        time = np.arange(len(part.samples)) / self.rate
        # What is left of a chirp when its own sweep is taken out is one steady tone.
        wave = _analytic(part.samples) * np.exp(-1j * np.pi * CHIRP_HZ_A_SECOND * time**2)
        spectrum = np.abs(np.fft.fft(wave * np.hanning(len(wave)), 2**20))
        hertz = float(np.argmax(spectrum)) * self.rate / 2**20
        return (hertz - CHIRP_START_HZ) / CHIRP_HZ_A_SECOND

    def jump(self, start: float, end: float) -> float:
        """The farthest that the place in a chirp moved against the clock, in seconds.

        Where two chirps a few ms apart sound at once, they may cancel each other, and the place
        cannot be told: it is what lasts for longer than a swap that counts.
        """
        moments = np.arange(start, end - PLACE_S, PLACE_STEP_S)
        offsets = [self.place(moment, moment + PLACE_S) - moment for moment in moments]
        lasting = np.median(np.lib.stride_tricks.sliding_window_view(offsets, 5), axis=1)
        return float(np.ptp(lasting))


def marks_of(told: list[dict[str, Any]]) -> list[Mark]:
    """What `__ear.marks` holds."""
    return [Mark(mark["name"], mark["at"], mark["wall"] / 1000) for mark in told]


def _frames(samples: Sound, size: int) -> Sound:
    return samples[: len(samples) // size * size].reshape(-1, size)


def _decibels(frames: Sound) -> Sound:
    return np.asarray(10 * np.log10((frames**2).mean(axis=1) + 1e-16))


def _filter_high(samples: Sound, rate: int) -> Sound:
    """A steep filter without phase: nothing below 7 kHz is left."""
    place = np.arange(HISS_TAPS) - HISS_TAPS // 2
    low = np.sinc(2 * (HISS_HZ - 500) / rate * place) * 2 * (HISS_HZ - 500) / rate
    low *= np.kaiser(HISS_TAPS, 12)
    taps = -low / low.sum()
    taps[HISS_TAPS // 2] += 1
    size = 1 << (len(samples) + HISS_TAPS - 1).bit_length()
    whole = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(taps, size), size)
    start = HISS_TAPS // 2
    return np.asarray(whole[start : start + len(samples)])


def _analytic(samples: Sound) -> npt.NDArray[np.complex128]:
    spectrum = np.fft.fft(samples)
    half = len(samples) // 2
    spectrum[1:half] *= 2
    spectrum[half + 1 :] = 0
    return np.asarray(np.fft.ifft(spectrum))
