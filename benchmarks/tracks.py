"""A host of tracks of any size: `python -m benchmarks.tracks PORT`, then /<bytes>.mp3 or .wav."""

import struct
import sys
from collections.abc import AsyncIterator
from functools import cache

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from parcours_dev.simulators.mp3 import encode
from parcours_dev.simulators.signals import produce

PIECE_BYTES = 64 * 1024
SAMPLE_S = 10
WAV_RATE, WAV_FRAME_BYTES = 44_100, 4


@cache
def sample() -> bytes:
    """Some music as MP3: its frames stand for themselves, so a longer track repeats them."""
    blocks = produce("tones", words="", seconds=SAMPLE_S, seed="", order=0)
    return b"".join(encode(blocks))


def wav_head(size: int) -> bytes:
    """The first 44 bytes of a file of so many: CD quality, 40 MB last 3 minutes 47."""
    rate = WAV_RATE * WAV_FRAME_BYTES
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, WAV_RATE, rate, WAV_FRAME_BYTES, 16)
    return b"RIFF%bWAVE%bdata%b" % (struct.pack("<I", size - 8), form, struct.pack("<I", size - 44))


async def send(request: Request) -> Response:
    """A track of exactly so many bytes."""
    size, kind = request.path_params["size"], request.path_params["kind"]
    head = wav_head(size) if kind == "wav" else b""
    return StreamingResponse(_pieces(head, sample(), size), headers={"content-length": str(size)})


async def _pieces(head: bytes, sound: bytes, size: int) -> AsyncIterator[bytes]:
    piece = sound * (PIECE_BYTES // len(sound) + 1)
    yield head
    left = size - len(head)
    while left > 0:
        yield piece[:left]
        left -= min(left, len(piece))


app = Starlette(routes=[Route("/{size:int}.{kind}", send)])

if __name__ == "__main__":
    sample()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False)
