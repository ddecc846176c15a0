"""A guarded, streaming download of a track (docs/specification.md#storing-a-track)."""

import socket
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import anyio
import httpcore

from parcours_xl.clients.hosts import GuardedNetwork, PrivateAddress, TrackHosts, Verdict, host_of
from parcours_xl.clients.storage import TRACK_BYTES_MAX
from parcours_xl.errors import PermanentError, RetryableError

REDIRECTS_MAX = 5
CONNECT_S_MAX, READ_S_MAX, OPEN_S_MAX, DOWNLOAD_S_MAX = 10, 20, 30, 120
WINDOW_S, WINDOW_BYTES_MIN = 10, 160_000
"""A floor of speed: so much in every window. At less, no track comes within DOWNLOAD_S_MAX."""
PREFIX_BYTES = 2_000_000
"""So much of a track that is too large is kept, for whoever wants to know whether it is one."""
HEAD_BYTES = 16
RECEIVED_BYTES_MAX = 256 * 1024
"""What may wait in a socket: uvloop takes all of it into memory at once."""
USER_AGENT = "parcours-xl/0.1 (+track storage)"  # one vendor host refuses default agents

assert OPEN_S_MAX + WINDOW_S < DOWNLOAD_S_MAX, "a whole download outlasts its first bytes"
assert PREFIX_BYTES < TRACK_BYTES_MAX, "what is too large has a prefix"


_NO_ANSWER = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    TimeoutError,
)


class UrlRefused(PermanentError):
    """The address may not be fetched. host: whose it is."""

    def __init__(self, host: str):
        super().__init__(f"tracks are not fetched from {host}")
        self.host = host


class UrlUnconfirmed(UrlRefused):
    """The address is on a host that is not trusted, and Suno has not named it."""

    def __init__(self, url: str):
        super().__init__(host_of(url))
        self.url = url


class TrackUnusable(PermanentError):
    """There is no such track, or what came is not a whole track.

    not_yet: it may be there shortly after Suno says that it is complete (HTTP 403, 404).
    """

    def __init__(self, message: str, *, not_yet: bool = False):
        super().__init__(message)
        self.not_yet = not_yet


class TrackTooLarge(PermanentError):
    """The track is larger than the bucket takes; its beginning is in the file."""

    def __init__(self) -> None:
        super().__init__(f"the track is over {TRACK_BYTES_MAX} bytes")


class TrackHostUnavailable(RetryableError):
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

    async def fetch(self, url: str, file: Path, named: Collection[str] = ()) -> Download:
        """Stream a track into a file. named: the addresses that Suno's own record names.

        Raises UrlRefused, UrlUnconfirmed, TrackUnusable, TrackTooLarge or TrackHostUnavailable.
        """
        try:
            with anyio.fail_after(DOWNLOAD_S_MAX):
                async with self._open(url, named) as response:
                    return await _save(response, file)
        except PrivateAddress as error:
            raise UrlRefused(str(error)) from error
        except _NO_ANSWER as error:
            raise TrackHostUnavailable("the track's host does not answer") from error

    async def is_available(self, url: str) -> bool:
        """Whether an address still gives a track; while its host is unavailable, it may."""
        try:
            with anyio.fail_after(READ_S_MAX):
                async with self._open(url, (url,)) as response:
                    return response.status == 200 or _is_passing(response.status)
        except (UrlRefused, TrackUnusable, PrivateAddress):
            return False
        except _NO_ANSWER:
            return True

    @asynccontextmanager
    async def _open(self, url: str, named: Collection[str]) -> AsyncIterator[httpcore.Response]:
        """The answer at the end of the redirects, each one judged before it is followed."""
        for _ in range(REDIRECTS_MAX + 1):
            verdict = self._hosts.judge(url)
            if verdict is Verdict.REFUSED:
                raise UrlRefused(host_of(url))
            if verdict is Verdict.CONFIRM and url not in named:
                raise UrlUnconfirmed(url)
            async with AsyncExitStack() as stack:
                with anyio.fail_after(OPEN_S_MAX):  # the head as a whole, not each of its bytes
                    response = await stack.enter_async_context(self._get(url))
                location = _header(response, b"location")
                if response.status not in (301, 302, 303, 307, 308) or not location:
                    yield response
                    return
                url = _join(url, location)
        raise TrackUnusable("the track is redirected without end")

    def _get(self, url: str) -> AbstractAsyncContextManager[httpcore.Response]:
        timeouts = {"connect": CONNECT_S_MAX, "read": READ_S_MAX, "pool": READ_S_MAX}
        return self._pool.stream(
            "GET",
            url,
            headers={"User-Agent": USER_AGENT, "Accept": "*/*"},
            extensions={"timeout": timeouts},
        )


def _join(url: str, location: str) -> str:
    """Where a redirect leads. UrlRefused when that is no address."""
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise UrlRefused(host_of(location)) from error


def _is_passing(status: int) -> bool:
    return status in (408, 425, 429) or status >= 500


async def _save(response: httpcore.Response, file: Path) -> Download:
    if _is_passing(response.status):
        raise TrackHostUnavailable(f"the track's host answers {response.status}")
    if response.status != 200:
        raise TrackUnusable(
            f"the track's host answers {response.status}", not_yet=response.status in (403, 404)
        )
    declared = _header(response, b"content-length") or ""
    is_too_large = declared.isdecimal() and int(declared[:20]) > TRACK_BYTES_MAX
    bytes_max = PREFIX_BYTES if is_too_large else TRACK_BYTES_MAX
    try:
        size, head = await _write(response, file, bytes_max)
    except httpcore.RemoteProtocolError as error:
        raise TrackUnusable("the track was cut off") from error
    content_type = _recognise(head)
    if content_type is None:
        raise TrackUnusable("what came is not audio")
    return Download(content_type, size)


async def _write(response: httpcore.Response, file: Path, bytes_max: int) -> tuple[int, bytes]:
    """How many bytes came, and the first of them. TrackTooLarge when there are more."""
    size, head, in_window = 0, b"", 0
    async with await anyio.open_file(file, "wb") as target:
        with anyio.fail_after(WINDOW_S) as window:
            async for chunk in response.aiter_stream():
                size += len(chunk)
                in_window += len(chunk)
                if size > bytes_max:
                    raise TrackTooLarge
                if in_window >= WINDOW_BYTES_MIN:
                    in_window, window.deadline = 0, anyio.current_time() + WINDOW_S
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
