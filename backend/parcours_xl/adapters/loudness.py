"""How long and how loud a track really is, by decoding it once (EBU R 128, ITU-R BS.1770)."""

import array
import asyncio
import math
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import miniaudio

try:
    import pyebur128
except ImportError:  # it has no wheel for the newest Python: tracks then stay unmeasured
    pyebur128 = None

RATE, CHANNELS = 44_100, 2
BLOCK_FRAMES = 4096
"""So few that the thread lets go of the interpreter every millisecond or two."""
LISTENED_S_MAX = 900
"""Over twice a long song; a file within the bucket's limit could hold hours."""

Block = array.array  # of float, left and right in turn

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Sound:
    """What a track holds. seconds: at most LISTENED_S_MAX; None where nothing could be told."""

    seconds: float
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None


async def listen(file: Path) -> Sound | None:
    """Decode a track as a player would: in stereo, mono on both sides. None where it cannot be.

    One track at a time, in a thread, about a second for each minute and a half of music; memory
    stays at one block, whatever the file holds. A cancelled caller ends the thread.
    """
    given_up = threading.Event()
    try:
        return await asyncio.to_thread(_listen, file, given_up)
    finally:
        given_up.set()


def read_seconds(file: Path) -> float:
    """How long an MP3 lasts by its own frames, without listening to it; 0 where it is none."""
    try:
        return float(miniaudio.mp3_get_file_info(str(file)).duration)
    except miniaudio.MiniaudioError:
        return 0.0


def _listen(file: Path, given_up: threading.Event) -> Sound | None:
    try:
        with _one_at_a_time:
            return _measure(_until(given_up, _decode(file)))
    except (miniaudio.MiniaudioError, ValueError, OSError):
        return None


def _decode(file: Path) -> Iterable["Block[float]"]:
    # libsndfile would be the usual choice, and stops early in files of variable bit rate that do
    # not announce their length.
    blocks: Iterable[Block[float]] = miniaudio.stream_file(
        str(file),
        output_format=miniaudio.SampleFormat.FLOAT32,
        nchannels=CHANNELS,
        sample_rate=RATE,
        frames_to_read=BLOCK_FRAMES,
    )
    return blocks


def _until(given_up: threading.Event, blocks: Iterable["Block[float]"]) -> Iterator["Block[float]"]:
    for number, block in enumerate(blocks):
        if given_up.is_set() or number * BLOCK_FRAMES > LISTENED_S_MAX * RATE:
            return
        yield block


def _measure(blocks: Iterable["Block[float]"]) -> Sound:
    meter = _open_meter()
    frames = 0
    for block in blocks:
        count = len(block) // CHANNELS
        frames += count
        if meter is not None and count:
            meter.add_frames(block, count)
    if meter is None:
        return Sound(frames / RATE)
    peak = max(pyebur128.get_true_peak(meter, side) for side in range(CHANNELS))
    return Sound(
        frames / RATE,
        _finite(pyebur128.get_loudness_global(meter)),
        _finite(20 * math.log10(peak)) if peak > 0 else None,
    )


def _open_meter() -> Any:
    if pyebur128 is None:
        return None
    mode = pyebur128.MeasurementMode.MODE_I | pyebur128.MeasurementMode.MODE_TRUE_PEAK
    return pyebur128.R128State(CHANNELS, RATE, mode)


def _finite(value: float) -> float | None:
    """Silence has no loudness."""
    return round(value, 2) if math.isfinite(value) else None
