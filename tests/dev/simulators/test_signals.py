"""Measuring signals tell where in a track one is, and in which track."""

import numpy as np
import pytest
from tinytag import TinyTag

from parcours_dev.simulators.instruments import RATE, Samples
from parcours_dev.simulators.mp3 import BYTES_A_SECOND, encode
from parcours_dev.simulators.signals import (
    CHIRP_HZ_A_SECOND,
    CHIRP_START_HZ,
    Signal,
    produce,
    tone_hz,
)


def _record(signal: Signal, seconds: float, order: int = 0) -> Samples:
    blocks = produce(signal, words="64 BPM", seconds=seconds, seed="seed", order=order)
    return np.concatenate(list(blocks), axis=1)


def _loudest_hz(sound: Samples, at_s: float) -> float:
    size = 8192
    start = round(at_s * RATE) - size // 2
    spectrum = np.abs(np.fft.rfft(sound[0, start : start + size] * np.hanning(size)))
    return float(np.argmax(spectrum) * RATE / size)


@pytest.mark.parametrize("at_s", [0.5, 10.0, 33.0, 59.0])
def test_the_frequency_of_a_chirp_tells_the_position(at_s: float) -> None:
    heard = _loudest_hz(_record("chirp", 60), at_s)
    assert (heard - CHIRP_START_HZ) / CHIRP_HZ_A_SECOND == pytest.approx(at_s, abs=0.3)


def test_tracks_which_follow_one_another_have_unlike_tones() -> None:
    tones = [tone_hz(order, kind) for order in range(8) for kind in ("stream", "file")]
    assert len(set(tones)) == 16
    for order in (0, 1, 7):
        assert _loudest_hz(_record("tones", 3, order), 1.5) == pytest.approx(tone_hz(order), abs=6)


@pytest.mark.parametrize("signal", ["music", "chirp", "tones"])
def test_signals_last_exactly_as_long_as_asked(signal: Signal) -> None:
    assert _record(signal, 7.25).shape == (2, round(7.25 * RATE))


def test_an_mp3_has_its_length_and_its_frames(tmp_path: object) -> None:
    seconds = 9.5
    blocks = produce("music", words="64 BPM", seconds=seconds, seed="seed", order=0)
    pieces = list(encode(blocks))
    track = b"".join(pieces)
    assert all(pieces)
    assert track[:2] == b"\xff\xfb", "it opens with a frame of MPEG 1 layer 3"
    assert len(track) == pytest.approx(seconds * BYTES_A_SECOND, rel=0.02)
    path = f"{tmp_path}/track.mp3"
    with open(path, "wb") as file:
        file.write(track)
    tag = TinyTag.get(path)
    assert tag.duration == pytest.approx(seconds, abs=0.1)
    assert (tag.samplerate, tag.channels) == (RATE, 2)
    assert tag.bitrate == pytest.approx(128, abs=1)
