"""What a track's URL answers when a fault hits it, instead of the recording or with it."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from itertools import chain

import numpy as np
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parcours_dev.simulators.connections import hang_up
from parcours_dev.simulators.faults import Fault
from parcours_dev.simulators.instruments import RATE
from parcours_dev.simulators.mp3 import encode
from parcours_dev.simulators.recordings import MEDIA_TYPE, Recording
from parcours_dev.simulators.signals import produce

LOOPBACK_URL = "http://127.0.0.1:9/track.mp3"
CIRCLE_PATH = "/circles/1"
FAULTLESS = "faultless"
"""Query word of a redirect's good target: no fault hits it."""
PAGE = "<!doctype html><title>Just a moment</title><p>Checking your browser.</p>"
PIECE_BYTES = 16 * 1024


def answer_wrongly(scope: Scope, hit: Mapping[str, Fault]) -> Response | None:
    """The answers that need no recording; None when no such fault hits."""
    if "redirect" in hit:
        fault = hit["redirect"]
        targets = {
            "good": f"{scope['path']}?{FAULTLESS}",
            "loopback": LOOPBACK_URL,
            "loop": CIRCLE_PATH,
        }
        target = fault.text("url") or targets.get(fault.text("to"), LOOPBACK_URL)
        return RedirectResponse(target, int(fault.number("status")))
    if "missing" in hit:
        return PlainTextResponse("Gone", int(hit["missing"].number("status")))
    if "html" in hit:
        return HTMLResponse(PAGE, headers={"content-type": hit["html"].text("content_type")})
    if "junk" in hit:
        noise = os.urandom(int(hit["junk"].number("noise")))
        return Response(bytes.fromhex(hit["junk"].text("hex")) + noise, media_type=MEDIA_TYPE)
    if "silent" in hit:
        return Response(_partly_silent(0, hit["silent"].number("seconds")), media_type=MEDIA_TYPE)
    if "silent_tail" in hit:
        tail = hit["silent_tail"]
        sound = _partly_silent(tail.number("sound_s"), tail.number("seconds"))
        return Response(sound, media_type=MEDIA_TYPE)
    return None


def _partly_silent(sound_s: float, seconds: float) -> bytes:
    """An MP3 of a tone, then of digital silence."""
    tone = produce("tones", words="", seconds=sound_s, seed="", order=0)
    second = np.zeros((2, RATE), dtype=np.float32)
    silence = (second for _ in range(round(seconds - sound_s)))
    return b"".join(encode(chain(tone, silence)))


def distort(recording: Recording, hit: Mapping[str, Fault]) -> ASGIApp | None:
    """A whole recording sent too long or too short; None when no such fault hits."""
    if "oversized" in hit:
        return _oversized(recording, hit["oversized"])
    if "truncated" in hit:
        return _truncated(recording, hit["truncated"])
    return None


def trickling(send: Send, bytes_a_second: float) -> Send:
    """Send bodies piece by piece, no quicker than told."""

    async def trickle(message: Message) -> None:
        body = message.get("body", b"")
        if not body:
            await send(message)
        for start in range(0, len(body), PIECE_BYTES):
            piece = body[start : start + PIECE_BYTES]
            more = message.get("more_body", False) or start + PIECE_BYTES < len(body)
            await send({**message, "body": piece, "more_body": more})
            await asyncio.sleep(len(piece) / bytes_a_second)

    return trickle


def _oversized(recording: Recording, fault: Fault) -> Response:
    """The same music over and over, until it is as large as asked."""
    size = int(fault.number("bytes"))

    async def repeat() -> AsyncIterator[bytes]:
        left = size
        while left > 0:
            async for piece in recording.read():
                yield piece[:left]
                left -= min(left, len(piece))
                if not left:
                    break

    headers = {"content-length": str(size)} if fault.options["announce"] else {}
    return StreamingResponse(repeat(), media_type=MEDIA_TYPE, headers=headers)


def _truncated(recording: Recording, fault: Fault) -> ASGIApp:
    """Part of the file; with `announce` the connection breaks before what was promised."""
    keep = int(recording.size * fault.number("share"))
    promised = recording.size if fault.options["announce"] else keep

    async def send_part(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % promised)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        left = 0 if scope["method"] == "HEAD" else keep
        async for piece in recording.read():
            if not left:
                break
            await send({"type": "http.response.body", "body": piece[:left], "more_body": True})
            left -= min(left, len(piece))
        if promised > keep and scope["method"] != "HEAD":
            await hang_up(receive)
        else:
            await send({"type": "http.response.body", "body": b""})

    return send_part
