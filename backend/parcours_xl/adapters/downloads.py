"""A guarded, streaming download of a track (architecture: "Storing a track")."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import anyio
import httpcore

from parcours_xl.adapters.guarded_network import GuardedNetwork, PrivateAddress
from parcours_xl.adapters.hosts import TrackHosts, Verdict, host_of
from parcours_xl.adapters.tracks import TRACK_BYTES_MAX
from parcours_xl.trouble import Postponed, Refused

REDIRECTS_MAX = 5
CONNECT_S_MAX, READ_S_MAX, DOWNLOAD_S_MAX = 10, 20, 120
HEAD_BYTES = 16
RECEIVED_BYTES_MAX = 256 * 1024
"""What may wait in a socket: uvloop takes all of it into memory at once."""
USER_AGENT = "parcours-xl/0.1 (+track storage)"  # one vendor host turns default agents away

assert CONNECT_S_MAX + READ_S_MAX < DOWNLOAD_S_MAX, "a whole download outlasts its first byte"


_NO_ANSWER = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    TimeoutError,
)


class UrlRefused(Refused):
    """The address may not be fetched. host: whose it is."""

    def __init__(self, host: str):
        super().__init__(f"tracks are not fetched from {host}")
        self.host = host


class TrackUnavailable(Refused):
    """There is no such track any more, or what came is not a whole track."""


class TrackTooLarge(Refused):
    """The track is larger than the bucket takes."""

    def __init__(self) -> None:
        super().__init__(f"the track is over {TRACK_BYTES_MAX} bytes")


class TrackAway(Postponed):
    """The track's host does not answer as it should right now."""


@dataclass(frozen=True, slots=True)
class Download:
    """A track that was fetched whole. size: in bytes."""

    content_type: str
    size: int


class Downloads:
    """Fetches tracks from wherever Suno keeps them, and from nowhere else."""

    def __init__(self, hosts: TrackHosts, tls: ssl.SSLContext):
        self._hosts = hosts
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,  # httpcore would read the authorities for every connection
            network_backend=GuardedNetwork(hosts.exact),
            keepalive_expiry=5,
            socket_options=((socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_BYTES_MAX),),
        )

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def fetch(self, url: str, file: Path) -> Download:
        """Stream a track into a file.

        Raises UrlRefused, TrackUnavailable, TrackTooLarge or TrackAway.
        """
        try:
            with anyio.fail_after(DOWNLOAD_S_MAX):
                async with self._open(url) as response:
                    return await _save(response, file)
        except PrivateAddress as error:
            raise UrlRefused(str(error)) from error
        except _NO_ANSWER as error:
            raise TrackAway("the track's host does not answer") from error

    async def lives(self, url: str) -> bool:
        """Whether an address still gives a track; so long as its host is away, it may."""
        try:
            with anyio.fail_after(READ_S_MAX):
                async with self._open(url) as response:
                    return response.status == 200 or _is_passing(response.status)
        except (UrlRefused, TrackUnavailable, PrivateAddress):
            return False
        except _NO_ANSWER:
            return True

    @asynccontextmanager
    async def _open(self, url: str) -> AsyncIterator[httpcore.Response]:
        """The answer at the end of the redirects, each one judged before it is followed."""
        for _ in range(REDIRECTS_MAX + 1):
            if self._hosts.judge(url) is Verdict.REFUSED:
                raise UrlRefused(host_of(url))
            async with self._pool.stream(
                "GET",
                url,
                headers={"User-Agent": USER_AGENT, "Accept": "*/*"},
                extensions={
                    "timeout": {"connect": CONNECT_S_MAX, "read": READ_S_MAX, "pool": READ_S_MAX}
                },
            ) as response:
                location = _header(response, b"location")
                if response.status not in (301, 302, 303, 307, 308) or not location:
                    yield response
                    return
                url = urljoin(url, location)
        raise TrackUnavailable("the track is redirected without end")


def _is_passing(status: int) -> bool:
    return status in (408, 425, 429) or status >= 500


async def _save(response: httpcore.Response, file: Path) -> Download:
    if _is_passing(response.status):
        raise TrackAway(f"the track's host answers {response.status}")
    if response.status != 200:
        raise TrackUnavailable(f"the track's host answers {response.status}")
    declared = _header(response, b"content-length")
    if declared and declared.isdigit() and int(declared) > TRACK_BYTES_MAX:
        raise TrackTooLarge
    try:
        size, head = await _write(response, file)
    except httpcore.RemoteProtocolError as error:
        raise TrackUnavailable("the track was cut off") from error
    content_type = _recognise(head)
    if content_type is None:
        raise TrackUnavailable("what came is not audio")
    return Download(content_type, size)


async def _write(response: httpcore.Response, file: Path) -> tuple[int, bytes]:
    """How many bytes came, and the first of them."""
    size, head = 0, b""
    async with await anyio.open_file(file, "wb") as target:
        async for chunk in response.aiter_stream():
            size += len(chunk)
            if size > TRACK_BYTES_MAX:
                raise TrackTooLarge
            if len(head) < HEAD_BYTES:
                head += chunk[:HEAD_BYTES]
            await target.write(chunk)
    return size, head


def _recognise(head: bytes) -> str | None:
    """The kind of audio by its first bytes; what the host declares proves nothing."""
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "audio/mpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    return None


def _header(response: httpcore.Response, name: bytes) -> str | None:
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None
