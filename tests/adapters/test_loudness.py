"""Measuring how long and how loud a track really is."""

import asyncio
import os
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import lameenc  # type: ignore[import-not-found]
import numpy as np
import pytest

from parcours_xl.adapters import loudness
from parcours_xl.adapters.loudness import listen
from parcours_xl.simulators.instruments import RATE, Samples
from parcours_xl.simulators.mp3 import encode

pytestmark = pytest.mark.anyio


def tone(seconds: float, level: float, hertz: float = 997.0) -> Samples:
    time_s = np.arange(round(seconds * RATE)) / RATE
    sine = level * np.sin(2 * np.pi * hertz * time_s)
    return np.stack([sine, sine]).astype(np.float32)


def write_wave(file: Path, samples: Samples) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setparams((len(samples), 2, RATE, 0, "NONE", ""))
        out.writeframes((samples * 32_767).astype("<i2").tobytes(order="F"))
    return file


def write(file: Path, *blocks: Samples) -> Path:
    file.write_bytes(b"".join(encode(iter(blocks))))
    return file


@pytest.mark.parametrize(("level", "lufs"), [(0.1, -20.0), (0.01, -40.0)])
async def test_a_tone_is_as_loud_as_the_standard_says(
    tmp_path: Path, level: float, lufs: float
) -> None:
    # BS.1770: a sine of 997 Hz on both sides measures its level in dBFS, to 0.1.
    sound = await listen(write_wave(tmp_path / "tone.wav", tone(30, level)))

    assert sound is not None
    assert sound.loudness_lufs == pytest.approx(lufs, abs=0.2)
    assert sound.true_peak_dbtp == pytest.approx(lufs, abs=0.3)
    assert sound.seconds == pytest.approx(30, abs=0.1)


async def test_a_mono_file_is_as_loud_as_it_plays(tmp_path: Path) -> None:
    sound = await listen(write_wave(tmp_path / "mono.wav", tone(30, 0.1)[:1]))

    assert sound is not None
    assert sound.loudness_lufs == pytest.approx(-20, abs=0.2)


async def test_a_file_of_variable_bit_rate_is_heard_to_its_end(tmp_path: Path) -> None:
    # Without a header that tells the length: decoders that trust an estimate stop too early.
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(2)
    encoder.set_vbr(4)
    encoder.set_vbr_quality(4)
    chance = np.random.default_rng(1)
    file = tmp_path / "variable.mp3"
    with file.open("wb") as out:
        for level in (3, *[3000] * 6):
            noise = (chance.standard_normal((RATE * 5, 2)) * level).astype("<i2")
            out.write(bytes(encoder.encode(noise.tobytes())))
        out.write(bytes(encoder.flush()))
    assert b"Xing" not in file.read_bytes()[:2000]

    sound = await listen(file)

    assert sound is not None
    assert sound.seconds == pytest.approx(35, abs=0.2)


async def test_half_a_file_is_half_as_long(tmp_path: Path) -> None:
    file = write(tmp_path / "half.mp3", tone(20, 0.1))
    os.truncate(file, file.stat().st_size // 2)

    sound = await listen(file)

    assert sound is not None
    assert sound.seconds == pytest.approx(10, abs=0.2)


async def test_silence_has_a_length_and_no_loudness(tmp_path: Path) -> None:
    sound = await listen(write(tmp_path / "silence.mp3", tone(3, 0)))

    assert sound is not None
    assert sound.seconds == pytest.approx(3, abs=0.1)
    assert (sound.loudness_lufs, sound.true_peak_dbtp) == (None, None)


@pytest.mark.parametrize("what", [b"", b"<html>no music</html>", b"ID3" + bytes(5000)])
async def test_what_cannot_be_decoded_is_not_measured(tmp_path: Path, what: bytes) -> None:
    file = tmp_path / "odd.mp3"
    file.write_bytes(what)

    sound = await listen(file)

    assert sound is None or sound.seconds == 0


async def test_damage_in_the_middle_does_not_stop_the_measuring(tmp_path: Path) -> None:
    file = write(tmp_path / "damaged.mp3", tone(20, 0.1))
    music = bytearray(file.read_bytes())
    music[100_000:120_000] = os.urandom(20_000)
    file.write_bytes(music)

    sound = await listen(file)

    assert sound is not None
    assert sound.seconds == pytest.approx(20, abs=2)


async def test_hours_of_music_are_not_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loudness, "LISTENED_S_MAX", 4)

    sound = await listen(write(tmp_path / "long.mp3", tone(30, 0.1)))

    assert sound is not None
    assert sound.seconds == pytest.approx(4, abs=0.2)


async def test_measuring_ends_with_whoever_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks, endless = [0], np.zeros(8192, dtype=np.float32)
    begun = threading.Event()

    def play_for_ever(_: Path) -> Iterator[Samples]:
        while True:
            blocks[0] += 1
            begun.set()
            yield endless

    monkeypatch.setattr(loudness, "_decode", play_for_ever)
    asked = asyncio.create_task(listen(tmp_path / "endless.mp3"))
    await asyncio.to_thread(begun.wait, 5)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await asyncio.sleep(0.1)
    before = blocks[0]
    time.sleep(0.1)  # noqa: ASYNC251 - nothing else may run meanwhile

    assert blocks[0] == before
