"""What a downloaded file really holds: whether it plays, how long, how loud, and until when."""

import asyncio
import os
import struct
import sys
import wave
from pathlib import Path

import lameenc  # type: ignore[import-not-found]
import numpy as np
import pytest

from parcours_dev.simulators.instruments import RATE, Samples
from parcours_dev.simulators.mp3 import encode
from parcours_xl.clients import audio, audio_decoder
from parcours_xl.clients.audio import Audio, DecoderBusy, NotPlayable
from tests.fixtures.waiting import until

pytestmark = pytest.mark.anyio

PAGE = b"<!doctype html><html><title>Just a moment</title><body>" + b"<p>Checking.</p>" * 400
SCRIPT = b"<script>for (;;) window.location = '/';</script>" * 400


@pytest.fixture
async def listening() -> Audio:
    return Audio()


def tone(seconds: float, level: float, hertz: float = 997.0) -> Samples:
    time_s = np.arange(round(seconds * RATE)) / RATE
    sine = level * np.sin(2 * np.pi * hertz * time_s)
    return np.stack([sine, sine]).astype(np.float32)


def write_wave(file: Path, samples: Samples, rate: int = RATE) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setparams((len(samples), 2, rate, 0, "NONE", ""))
        out.writeframes((samples * 32_767).astype("<i2").tobytes(order="F"))
    return file


def write(file: Path, *blocks: Samples) -> Path:
    file.write_bytes(b"".join(encode(iter(blocks))))
    return file


@pytest.mark.parametrize(("level", "lufs"), [(0.1, -20.0), (0.01, -40.0)])
async def test_a_tone_is_as_loud_as_the_standard_says(
    listening: Audio, tmp_path: Path, level: float, lufs: float
) -> None:
    # BS.1770: a sine of 997 Hz on both sides measures its level in dBFS, to 0.1.
    sound = await listening.measure(write_wave(tmp_path / "tone", tone(30, level)))

    assert sound.content_type == "audio/wav"
    assert sound.loudness_lufs == pytest.approx(lufs, abs=0.1)
    assert sound.true_peak_dbtp == pytest.approx(lufs, abs=0.1)
    assert sound.seconds == pytest.approx(30, abs=0.01)
    assert (sound.silent, sound.sound_end_seconds) == (False, None)


async def test_a_mono_file_is_as_loud_as_it_plays(listening: Audio, tmp_path: Path) -> None:
    sound = await listening.measure(write_wave(tmp_path / "mono", tone(30, 0.1)[:1]))

    assert sound.loudness_lufs == pytest.approx(-20, abs=0.1)
    assert sound.true_peak_dbtp == pytest.approx(-20, abs=0.1)


async def test_a_peak_between_two_samples_counts(listening: Audio, tmp_path: Path) -> None:
    # A quarter of the rate, 45 degrees off: every sample is at 0.707 of the wave's crest.
    places = np.arange(10 * RATE)
    wave_form = 0.5 * np.sin(np.pi / 2 * places + np.pi / 4) * np.clip(places / RATE, 0, 1)
    samples = np.stack([wave_form, wave_form]).astype(np.float32)

    sound = await listening.measure(write_wave(tmp_path / "between", samples))

    assert sound.true_peak_dbtp == pytest.approx(-6.02, abs=0.2)


async def test_a_file_of_variable_bit_rate_is_heard_to_its_end(
    listening: Audio, tmp_path: Path
) -> None:
    # Without a header that tells the length: decoders that trust an estimate stop too early.
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(2)
    encoder.set_vbr(4)
    encoder.set_vbr_quality(4)
    chance = np.random.default_rng(1)
    file = tmp_path / "variable"
    with file.open("wb") as out:
        for level in (3, *[3000] * 6):
            noise = (chance.standard_normal((RATE * 5, 2)) * level).astype("<i2")
            out.write(bytes(encoder.encode(noise.tobytes())))
        out.write(bytes(encoder.flush()))
    assert b"Xing" not in file.read_bytes()[:2000]

    assert (await listening.measure(file)).seconds == pytest.approx(35, abs=0.2)


async def test_half_a_file_is_half_as_long(listening: Audio, tmp_path: Path) -> None:
    file = write(tmp_path / "half", tone(20, 0.1))
    os.truncate(file, file.stat().st_size // 2)

    assert (await listening.measure(file)).seconds == pytest.approx(10, abs=0.2)


async def test_damage_in_the_middle_does_not_stop_the_measuring(
    listening: Audio, tmp_path: Path
) -> None:
    file = write(tmp_path / "damaged", tone(20, 0.1))
    music = bytearray(file.read_bytes())
    music[100_000:120_000] = np.random.default_rng(3).bytes(20_000)
    file.write_bytes(music)

    assert (await listening.measure(file)).seconds == pytest.approx(20, abs=2)


async def test_a_picture_in_front_of_the_music_is_no_harm(listening: Audio, tmp_path: Path) -> None:
    # Downloads carry cover art of hundreds of kB in an ID3 tag.
    size = 600_000
    frame = b"APIC" + struct.pack(">I", size) + b"\0\0" + bytes(size)
    synch_safe = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    file = write(tmp_path / "tagged", tone(20, 0.1))
    file.write_bytes(b"ID3\x03\0\0" + synch_safe + frame + file.read_bytes())

    sound = await listening.measure(file)

    assert sound.content_type == "audio/mpeg"
    assert sound.seconds == pytest.approx(20, abs=0.1)


# Silence


async def test_silence_has_a_length_and_no_loudness(listening: Audio, tmp_path: Path) -> None:
    sound = await listening.measure(write(tmp_path / "silence", tone(30, 0)))

    assert sound.silent
    assert sound.seconds == pytest.approx(30, abs=0.1)
    assert (sound.loudness_lufs, sound.sound_end_seconds) == (None, None)


@pytest.mark.parametrize(("lufs", "silent"), [(-63, True), (-57, False)])
async def test_silent_is_what_is_below_60_lufs_throughout(
    listening: Audio, tmp_path: Path, lufs: float, silent: bool
) -> None:
    sound = await listening.measure(write_wave(tmp_path / "faint", tone(5, 10 ** (lufs / 20))))

    assert sound.silent is silent


@pytest.mark.parametrize("end_s", [7.0, 21.3])
async def test_the_end_of_the_sound_is_told_when_silence_follows(
    listening: Audio, tmp_path: Path, end_s: float
) -> None:
    sound = await listening.measure(write(tmp_path / "tail", tone(end_s, 0.1), tone(9, 0)))

    assert sound.seconds == pytest.approx(end_s + 9, abs=0.1)
    assert sound.sound_end_seconds == pytest.approx(end_s, abs=0.3)


async def test_samples_that_are_no_numbers_are_silence(listening: Audio, tmp_path: Path) -> None:
    file = tmp_path / "not-a-number"
    file.write_bytes(riff(tag=3, bits=32, data=np.full(RATE * 10, np.nan, "<f4").tobytes()))

    assert (await listening.measure(file)).silent


async def test_silence_between_two_sounds_is_no_end(listening: Audio, tmp_path: Path) -> None:
    blocks = tone(5, 0.1), tone(20, 0), tone(5, 0.1)

    assert (await listening.measure(write(tmp_path / "pause", *blocks))).sound_end_seconds is None


# Not playable


def riff(
    rate: int = RATE, tag: int = 1, bits: int = 16, channels: int = 2, data: bytes = b""
) -> bytes:
    """A WAV as its header describes it, sensible or not."""
    align = channels * bits // 8
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
    chunks = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + len(data)) + b"WAVE" + chunks + data


NOISE = np.random.default_rng(7).bytes(400_000)
LOUD = np.full(RATE * 10, 1e4, "<f4").tobytes()

JUNK = {
    "nothing": b"",
    "three-bytes": b"ID3",
    "five-bytes": b"\xff\xfb\x90\x00\x00",
    "page": PAGE,
    "id3-and-a-page": b"ID3\x04\0\0\0\0\0\0" + PAGE,
    "id3-and-nothing": b"ID3" + bytes(5000),
    "sync-and-a-script": b"\xff\xfb" + SCRIPT,
    "riff-and-noise": b"RIFF" + NOISE,
    "wave-and-noise": b"RIFF\x24\0\0\0WAVEfmt " + NOISE,
    "noise": NOISE,
    "sync-and-noise": b"\xff\xfb\x90\x00" + NOISE,
    "id3-and-noise": b"ID3\x04\0\0\0\0\0\0" + NOISE,
    "one-hertz": riff(rate=1, data=NOISE[:4000]),
    "no-hertz": riff(rate=0, data=NOISE),
    "no-channels": riff(channels=0, data=NOISE),
    "many-channels": riff(channels=200, data=NOISE),
    "no-bits": riff(bits=0, data=NOISE),
    "float-out-of-range": riff(tag=3, bits=32, data=LOUD),
    "unknown-codec": riff(tag=0x7777, data=NOISE),
    "half-a-second": riff(data=NOISE[:80_000]),
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n",
    "concat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "m4a": b"\0\0\0\x20ftypM4A " + bytes(5000),
    "ogg": b"OggS" + bytes(5000),
    "aac": b"\xff\xf1\x50\x80\x2e\x7f\xfc" * 2000,
}


@pytest.mark.parametrize("kind", JUNK)
async def test_what_no_browser_plays_is_not_playable(
    listening: Audio, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "odd"
    file.write_bytes(JUNK[kind])

    with pytest.raises(NotPlayable):
        await listening.measure(file)


@pytest.mark.slow
@pytest.mark.parametrize("beginning", [b"", b"\xff\xfb\x90\x00", b"ID3\x04\0\0\0\0\0\0"])
def test_noise_is_never_taken_for_music(tmp_path: Path, beginning: bytes) -> None:
    # In this process: hundreds of files, the same code as in the child.
    file = tmp_path / "noise"
    for seed in range(100):
        file.write_bytes(beginning + np.random.default_rng(seed).bytes(200_000))
        with pytest.raises(audio_decoder.Unplayable):
            audio_decoder.measure(str(file), 900)


async def test_a_playlist_opens_nothing(listening: Audio, tmp_path: Path) -> None:
    music = write(tmp_path / "music.mp3", tone(5, 0.1))
    file = tmp_path / "list"
    file.write_text(f"ffconcat version 1.0\nfile '{music}'\n")

    with pytest.raises(NotPlayable):
        await listening.measure(file)


async def test_a_decoder_that_crashes_is_an_answer(
    listening: Audio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crash.py").write_text("import os; os.abort()")
    monkeypatch.setattr(sys, "executable", _python_that_runs(tmp_path / "crash.py"))

    with pytest.raises(NotPlayable, match="signal 6"):
        await listening.measure(tmp_path / "any")


async def test_a_decoder_that_cannot_work_is_no_fault_of_the_file(
    listening: Audio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(DecoderBusy):
        await listening.measure(tmp_path / "any")

    (tmp_path / "broken.py").write_text("import no_such_module")
    monkeypatch.setattr(sys, "executable", _python_that_runs(tmp_path / "broken.py"))
    with pytest.raises(RuntimeError):
        await listening.measure(tmp_path / "any")


async def test_a_decoder_that_takes_too_long_is_ended(
    listening: Audio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "begun"
    (tmp_path / "endless.py").write_text(_endless(mark))
    monkeypatch.setattr(sys, "executable", _python_that_runs(tmp_path / "endless.py"))
    monkeypatch.setattr(audio, "DECODE_S_MAX", 1)

    with pytest.raises(DecoderBusy):
        await listening.measure(tmp_path / "any")


async def test_measuring_ends_with_whoever_asked_for_it(
    listening: Audio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "begun"
    (tmp_path / "endless.py").write_text(_endless(mark))
    monkeypatch.setattr(sys, "executable", _python_that_runs(tmp_path / "endless.py"))
    asked = asyncio.create_task(listening.measure(tmp_path / "any"))
    await until(lambda: mark.exists() and mark.read_text())
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked

    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


async def test_hours_of_music_are_not_listened_to(
    listening: Audio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "LISTENED_S_MAX", 4)

    sound = await listening.measure(write(tmp_path / "long", tone(30, 0.1)))

    assert sound.seconds == pytest.approx(4, abs=0.2)


async def test_the_decoder_knows_no_secret(
    listening: Audio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUNO_API_KEY", "a-secret")
    seen = tmp_path / "seen"
    (tmp_path / "tell.py").write_text(
        f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(str(dict(os.environ)));"
        'print(\'{"unplayable": "told"}\')'
    )
    monkeypatch.setattr(sys, "executable", _python_that_runs(tmp_path / "tell.py"))
    with pytest.raises(NotPlayable, match="told"):
        await listening.measure(tmp_path / "any")

    assert "PATH" in seen.read_text() and "secret" not in seen.read_text()


def _endless(mark: Path) -> str:
    return (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\n"
        "while True: time.sleep(1)\n"
    )


def _python_that_runs(script: Path) -> str:
    """An interpreter which runs this script, whatever it is asked for."""
    starter = script.with_suffix(".sh")
    starter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}"\n')
    starter.chmod(0o755)
    return str(starter)
