"""Decodes one audio file and measures it, in a process of its own: `python -m … FILE SECONDS`.

A file from outside is parsed here and nowhere else: without secrets in the environment, without
network, with bounded memory and CPU time. What is printed is described at `clients.audio.Sound`,
or `{"unplayable": why}`. Measured by FFmpeg's `ebur128` filter (EBU R 128, ITU-R BS.1770).
"""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.filter import Graph

MEMORY_BYTES_MAX, CPU_S_MAX = 1 << 30, 60
SECONDS_MIN = 1.0
"""Less than this is what a decoder makes of bytes that are no audio."""
RATE_MIN, RATE_MAX, CHANNELS_MAX = 8_000, 192_000, 8
LOUDNESS_LUFS_MAX = 10
"""Where the scale of `ebur128` ends. A full-scale square wave measures some 7 LUFS: what reaches
this is no music."""
SILENCE_LUFS = -60
BROKEN_SHARE_MAX = 0.5
SILENT_TAIL_S_MIN = 3.0
"""A shorter silence at the end is the end of a fade, or an encoder's padding."""
HOP_S = 0.1
WINDOW_HOPS = 4
"""`ebur128` reports every 100 ms how loud the last 400 ms were (BS.1770: momentary)."""

FORMATS = {"mp3": "audio/mpeg", "wav": "audio/wav"}
CODECS = ("mp3", "mp3float", "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le")
"""What browsers play. A WAV can carry any codec, an .mp3 can be MPEG layer I or II."""
OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
METER = "peak=true:metadata=1:framelog=quiet:dualmono=1"
"""dualmono: a mono file plays on both sides."""

_MOMENTARY, _INTEGRATED = "lavfi.r128.M", "lavfi.r128.I"
_TRUE_PEAK = "lavfi.r128.true_peaks_ch"


class Unplayable(Exception):
    """The file is no music that a browser could play."""


@dataclass
class _Meter:
    """What the filter has said so far. hops: how many reports; loud_hop: the last above silence."""

    hops: int = 0
    loud_hop: int | None = None
    integrated: float = -math.inf
    peak: float = 0.0
    graph: Graph | None = field(default=None, repr=False)
    source: Any = None

    def push(self, frame: AudioFrame) -> None:
        if self.graph is None:
            self._open(frame)
        frame.pts = None  # timestamps of a damaged file may run backwards
        self.source.push(frame)
        self._pull()

    def finish(self) -> None:
        if self.graph is not None:
            self.source.push(None)
            self._pull()

    def _open(self, frame: AudioFrame) -> None:
        graph = Graph()
        self.source = graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name
        )
        stereo = graph.add("aformat", "channel_layouts=stereo|mono")
        graph.link_nodes(
            self.source, stereo, graph.add("ebur128", METER), graph.add("abuffersink")
        ).configure()
        self.graph = graph

    def _pull(self) -> None:
        assert self.graph is not None, "it was opened by the first frame"
        while True:
            try:
                report = self.graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self._read(report.metadata)

    def _read(self, facts: dict[str, str]) -> None:
        if _MOMENTARY not in facts:
            return
        if float(facts[_MOMENTARY]) > SILENCE_LUFS:
            self.loud_hop = self.hops
        self.hops += 1
        self.integrated = float(facts[_INTEGRATED])
        peaks = (float(value) for name, value in facts.items() if name.startswith(_TRUE_PEAK))
        self.peak = max(self.peak, *peaks)


def measure(path: str, seconds_max: float) -> dict[str, Any]:
    """How long and how loud a file is, by decoding so much of it. Raises Unplayable."""
    try:
        with av.open(f"file:{path}", options=OPTIONS) as container:
            return _measure(container, seconds_max)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise Unplayable(f"it cannot be decoded ({type(error).__name__})") from error


def _measure(container: Any, seconds_max: float) -> dict[str, Any]:
    if not container.streams.audio:
        raise Unplayable("it holds no audio")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise Unplayable("its codec is not known")
    if stream.codec_context.name not in CODECS:
        raise Unplayable(f"its codec is {stream.codec_context.name}")
    _check_shape(stream.codec_context.sample_rate, stream.codec_context.channels)
    stream.thread_count = 1
    meter, seconds = _Meter(), 0.0
    for frame in _decode(container, stream):
        meter.push(frame)
        seconds += frame.samples / frame.sample_rate
        if seconds > seconds_max:
            break
    meter.finish()
    if seconds < SECONDS_MIN:
        raise Unplayable(f"it holds {seconds:.2f} s of audio")
    return {"content_type": FORMATS[container.format.name]} | _describe(meter, seconds)


def _decode(container: Any, stream: Any) -> Iterator[AudioFrame]:
    """The frames that are like the first; damaged ones are passed over, within a share."""
    first: tuple[int, str, str] | None = None
    packets = broken = 0
    for packet in container.demux(stream):
        packets += 1
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            broken += 1
            continue
        for frame in frames:
            format_ = (frame.sample_rate, frame.format.name, frame.layout.name)
            if first is None:
                _check_shape(frame.sample_rate, frame.layout.nb_channels)
                first = format_
            if format_ == first:
                yield frame
            else:
                broken += 1
    if broken > BROKEN_SHARE_MAX * packets:
        raise Unplayable("most of it cannot be decoded")


def _check_shape(sample_rate: int, channels: int) -> None:
    if not RATE_MIN <= sample_rate <= RATE_MAX or not 1 <= channels <= CHANNELS_MAX:
        raise Unplayable(f"it has {channels} channels at {sample_rate} Hz")


def _describe(meter: _Meter, seconds: float) -> dict[str, Any]:
    silent = meter.loud_hop is None
    if not silent and not meter.integrated < LOUDNESS_LUFS_MAX:  # NaN as well
        raise Unplayable(f"it measures {meter.integrated:.0f} LUFS")
    return {
        "seconds": round(seconds, 3),
        "silent": silent,
        "loudness_lufs": None if silent else round(meter.integrated, 2),
        "true_peak_dbtp": round(20 * math.log10(meter.peak), 2) if meter.peak > 0 else None,
        "sound_end_seconds": _sound_end(meter, seconds),
    }


def _sound_end(meter: _Meter, seconds: float) -> float | None:
    """Where the last sound ends, when silence follows."""
    if meter.loud_hop is None:
        return None
    # The window was loud enough although its last three hops may hold silence already.
    end = (meter.loud_hop + 2 - WINDOW_HOPS) * HOP_S
    return round(end, 1) if seconds - end >= SILENT_TAIL_S_MIN and end > 0 else None


def _limit_resources() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    _limit_resources()
    try:
        found = measure(sys.argv[1], float(sys.argv[2]))
    except Unplayable as why:
        found = {"unplayable": str(why)}
    print(json.dumps(found, allow_nan=False))


if __name__ == "__main__":
    main()
