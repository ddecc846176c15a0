"""A guarded, streaming download of a track."""

import socket
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from parcours_xl.clients import downloads
from parcours_xl.clients.downloads import (
    Download,
    Downloads,
    TrackHostUnavailable,
    TrackTooLarge,
    TrackUnusable,
    UrlRefused,
    UrlUnconfirmed,
)
from parcours_xl.clients.hosts import TrackHosts
from parcours_xl.clients.storage import TRACK_BYTES_MAX
from tests.fixtures.servers import UnresponsiveServer, running, saying
from tests.fixtures.vendors import Vendor

pytestmark = pytest.mark.anyio

TLS = httpx.create_ssl_context()

MP3_HEAD = b"\xff\xfb\x90\x00"
WAV_HEAD = b"RIFF\x24\x00\x00\x00WAVEfmt "
CHUNKED = "Transfer-Encoding: chunked"
PIECE = bytes(64 * 1024)

BEGINNINGS = {
    "id3": b"ID3\x04\x00rest of the file",
    "mpeg-1": MP3_HEAD + bytes(100),
    "mpeg-2": b"\xff\xf3\x40\x00" + bytes(100),
    "mpeg-2.5": b"\xff\xe3\x40\x00" + bytes(100),
    "wav": WAV_HEAD + bytes(100),
    "html": b"<!doctype html><title>Just a moment</title>",
    "json": b'{"error": "gone"}',
    "m4a": b"\x00\x00\x00\x20ftypM4A ",
    "aac": b"\xff\xf1\x50\x80" + bytes(100),
    "avi": b"RIFF\x24\x00\x00\x00AVI LIST",
    "nothing": b"",
    "one-byte": b"\xff",
}


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


async def _large(size: int) -> AsyncIterator[bytes]:
    yield MP3_HEAD
    left = size - len(MP3_HEAD)
    while left > 0:
        yield PIECE[:left]
        left -= min(left, len(PIECE))


class Cdn:
    """A host of tracks with whims; it remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.app = Starlette(
            routes=[
                Route("/bytes/{name}", self.send),
                Route("/large/{size:int}", self.send_large),
                Route("/status/{status:int}", self.refuse),
                Route("/hops/{left:int}", self.redirect),
                Route("/to", self.redirect_to),
                Route("/stuck", self.get_stuck),
                Route("/drip", self.drip),
            ]
        )

    async def send(self, request: Request) -> Response:
        self.asked.append(dict(request.headers))
        # What a host declares proves nothing.
        return Response(BEGINNINGS[request.path_params["name"]], media_type="text/html")

    async def send_large(self, request: Request) -> Response:
        size = request.path_params["size"]
        declared = "declared" in request.query_params
        headers = {"content-length": str(size)} if declared else {}
        return StreamingResponse(_large(size), headers=headers)

    async def refuse(self, request: Request) -> Response:
        return Response(BEGINNINGS["id3"], request.path_params["status"])

    async def redirect(self, request: Request) -> Response:
        left = request.path_params["left"]
        return RedirectResponse(f"/hops/{left - 1}" if left > 1 else "/bytes/id3", 302)

    async def redirect_to(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["url"], int(request.query_params["status"]))

    async def drip(self, _: Request) -> Response:
        """A byte now and then, for as long as somebody listens."""

        async def drops() -> AsyncIterator[bytes]:
            yield MP3_HEAD
            while True:
                await anyio.sleep(0.02)
                yield b"\0"

        return StreamingResponse(drops())

    async def get_stuck(self, _: Request) -> Response:
        async def trickle() -> AsyncIterator[bytes]:
            yield MP3_HEAD
            await anyio.sleep(5)

        return StreamingResponse(trickle())


@pytest.fixture(scope="module")
def cdn() -> Cdn:
    return Cdn()


@pytest.fixture(scope="module")
def cdn_url(cdn: Cdn) -> Iterator[str]:
    with running(cdn.app) as url:
        yield url


@pytest.fixture
async def fetcher(
    cdn_url: str, running_suno: Vendor, dead_port: int, loopback: UnresponsiveServer
) -> AsyncIterator[Downloads]:
    exact = (
        cdn_url.removeprefix("http://"),
        running_suno.netloc,
        f"127.0.0.1:{dead_port}",
    )
    downloads = Downloads(TrackHosts(("suno.ai",), exact), TLS)
    yield downloads
    await downloads.aclose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "track"


@pytest.fixture(scope="module")
def track(running_suno: Vendor) -> dict[str, Any]:
    """A finished track of the simulated Suno."""
    running_suno.recover()
    return running_suno.compose()[1][0]


async def test_a_track_is_fetched_whole(
    fetcher: Downloads, track: dict[str, Any], suno: Vendor, file: Path
) -> None:
    fetched = await fetcher.fetch(track["audioUrl"], file)
    assert fetched == Download("audio/mpeg", size_of(file))
    assert fetched.size > 50_000


@pytest.mark.parametrize(
    ("beginning", "content_type"),
    [
        ("id3", "audio/mpeg"),
        ("mpeg-1", "audio/mpeg"),
        ("mpeg-2", "audio/mpeg"),
        ("mpeg-2.5", "audio/mpeg"),
        ("wav", "audio/wav"),
    ],
)
async def test_audio_is_recognised_by_its_first_bytes(
    fetcher: Downloads, cdn_url: str, file: Path, beginning: str, content_type: str
) -> None:
    fetched = await fetcher.fetch(f"{cdn_url}/bytes/{beginning}", file)
    assert fetched.content_type == content_type
    assert fetched.size == size_of(file) == len(BEGINNINGS[beginning])


@pytest.mark.parametrize("beginning", ["html", "json", "m4a", "aac", "avi", "nothing", "one-byte"])
async def test_what_is_not_audio_of_an_allowed_kind_is_no_track(
    fetcher: Downloads, cdn_url: str, file: Path, beginning: str
) -> None:
    with pytest.raises(TrackUnusable, match="not audio"):
        await fetcher.fetch(f"{cdn_url}/bytes/{beginning}", file)


async def test_the_service_says_who_it_is(
    fetcher: Downloads, cdn: Cdn, cdn_url: str, file: Path
) -> None:
    await fetcher.fetch(f"{cdn_url}/bytes/id3", file)
    assert cdn.asked[-1]["user-agent"].startswith("parcours-xl/")
    assert "authorization" not in cdn.asked[-1]


@pytest.mark.parametrize("hops", [1, 5])
async def test_redirects_are_followed(
    fetcher: Downloads, cdn_url: str, file: Path, hops: int
) -> None:
    assert (await fetcher.fetch(f"{cdn_url}/hops/{hops}", file)).content_type == "audio/mpeg"


async def test_redirects_have_an_end(
    fetcher: Downloads, cdn_url: str, track: dict[str, Any], suno: Vendor, file: Path
) -> None:
    with pytest.raises(TrackUnusable, match="redirected"):
        await fetcher.fetch(f"{cdn_url}/hops/6", file)
    suno.fail("redirect", to="loop")
    with pytest.raises(TrackUnusable, match="redirected"):
        await fetcher.fetch(track["audioUrl"], file)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_this_machine_is_refused_before_anybody_connects(
    fetcher: Downloads, cdn_url: str, file: Path, loopback: UnresponsiveServer, status: int
) -> None:
    targets = (
        f"http://127.0.0.1:{loopback.port}/a.mp3",
        f"https://127.0.0.1:{loopback.port}/a.mp3",
        f"http://localhost:{loopback.port}/a.mp3",
        f"http://[::1]:{loopback.port}/a.mp3",
        f"http://2130706433:{loopback.port}/a.mp3",
        f"//127.0.0.1:{loopback.port}/a.mp3",
        "file:///etc/passwd",
    )
    for target in targets:
        with pytest.raises(UrlRefused):
            await fetcher.fetch(f"{cdn_url}/to?status={status}&url={target}", file)
    assert loopback.knocks() == 0


@pytest.mark.parametrize("location", ["http://[::1", "https://[", "//[x]/a", "http://a:b/"])
async def test_a_redirect_that_is_no_address_is_refused(
    fetcher: Downloads, cdn: Cdn, cdn_url: str, file: Path, location: str
) -> None:
    with pytest.raises(UrlRefused):
        await fetcher.fetch(f"{cdn_url}/to?status=302&url={location}", file)


async def test_a_trusted_hosts_redirect_to_another_needs_sunos_word(
    fetcher: Downloads, cdn_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    elsewhere = "https://cdn.example.com/a.mp3"
    redirect = f"{cdn_url}/to?status=302&url={elsewhere}"
    with pytest.raises(UrlUnconfirmed) as unconfirmed:
        await fetcher.fetch(redirect, file)
    assert (unconfirmed.value.url, unconfirmed.value.host) == (elsewhere, "cdn.example.com")
    with pytest.raises(UrlUnconfirmed):
        await fetcher.fetch(redirect, file, named={"https://cdn.example.com/b.mp3"})
    assert asked == []

    with pytest.raises(TrackHostUnavailable):
        await fetcher.fetch(redirect, file, named={elsewhere})
    assert asked == ["cdn.example.com"]


async def test_a_refused_address_is_never_connected_to(
    fetcher: Downloads, file: Path, loopback: UnresponsiveServer
) -> None:
    with pytest.raises(UrlRefused) as refused:
        await fetcher.fetch(f"https://127.0.0.1:{loopback.port}/a.mp3?secret=1", file)
    assert refused.value.host == "127.0.0.1"
    assert "secret" not in refused.value.message
    assert loopback.knocks() == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%2"],
        ["::ffff:192.168.0.1"],
        ["93.184.215.14", "192.168.0.1"],
        [],
    ],
)
async def test_a_name_that_leads_into_a_private_network_is_refused(
    fetcher: Downloads, file: Path, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    asked = []

    async def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    with pytest.raises(UrlRefused) as refused:
        await fetcher.fetch("https://cdn1.suno.ai/a.mp3", file)
    assert asked == ["cdn1.suno.ai"]
    assert refused.value.host == "cdn1.suno.ai"


async def test_a_name_that_nobody_knows_may_be_known_later(
    fetcher: Downloads, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    with pytest.raises(TrackHostUnavailable):
        await fetcher.fetch("https://cdn1.suno.ai/a.mp3", file)


@pytest.mark.parametrize("status", [404, 410, 401, 403, 451, 204, 206])
async def test_a_track_that_is_not_there_is_unavailable(
    fetcher: Downloads, cdn_url: str, file: Path, status: int
) -> None:
    with pytest.raises(TrackUnusable) as unavailable:
        await fetcher.fetch(f"{cdn_url}/status/{status}", file)
    assert unavailable.value.not_yet is (status in (403, 404))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520])
async def test_a_host_out_of_service_may_be_back_later(
    fetcher: Downloads, cdn_url: str, file: Path, status: int
) -> None:
    with pytest.raises(TrackHostUnavailable):
        await fetcher.fetch(f"{cdn_url}/status/{status}", file)


async def test_a_host_that_cannot_be_reached_may_be_back_later(
    fetcher: Downloads, dead_port: int, file: Path
) -> None:
    with pytest.raises(TrackHostUnavailable):
        await fetcher.fetch(f"http://127.0.0.1:{dead_port}/a.mp3", file)


async def test_a_web_page_with_status_200_is_no_track(
    fetcher: Downloads, track: dict[str, Any], suno: Vendor, file: Path
) -> None:
    suno.fail("html", content_type="audio/mpeg")
    with pytest.raises(TrackUnusable):
        await fetcher.fetch(track["audioUrl"], file)


async def test_a_track_that_was_cut_off_is_no_track(
    fetcher: Downloads, track: dict[str, Any], suno: Vendor, file: Path
) -> None:
    suno.fail("truncated")
    with pytest.raises(TrackUnusable, match="cut off"):
        await fetcher.fetch(track["audioUrl"], file)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (b"", TrackHostUnavailable),
        (b"HTTP/1.1 200 OK\r\nContent-Le", TrackHostUnavailable),
        (b"220 mail.example.com ESMTP\r\n", TrackHostUnavailable),
        (f"HTTP/1.1 200 OK\r\n{CHUNKED}\r\n\r\n4\r\nID3\x04\r\n".encode(), TrackUnusable),
    ],
    ids=["nothing", "half-an-answer", "not-http", "a-chunk-too-few"],
)
async def test_a_host_that_hangs_up_is_unavailable_unless_it_had_begun_to_send_the_track(
    file: Path, words: bytes, error: type[Exception]
) -> None:
    async with saying(words) as netloc:
        fetcher = Downloads(TrackHosts((), (netloc,)), TLS)
        with pytest.raises(error):
            await fetcher.fetch(f"http://{netloc}/a.mp3", file)
        await fetcher.aclose()


@pytest.mark.parametrize("how", ["?declared", ""])
async def test_one_byte_more_than_the_bucket_takes_is_too_large(
    fetcher: Downloads, cdn_url: str, file: Path, how: str
) -> None:
    with pytest.raises(TrackTooLarge):
        await fetcher.fetch(f"{cdn_url}/large/{TRACK_BYTES_MAX + 1}{how}", file)
    if how:
        assert size_of(file) <= downloads.PREFIX_BYTES, "a declared length is believed at once"


async def test_a_declared_length_that_lies_changes_nothing(
    fetcher: Downloads, track: dict[str, Any], suno: Vendor, file: Path
) -> None:
    suno.fail("oversized", announce=False)
    with pytest.raises(TrackTooLarge):
        await fetcher.fetch(track["audioUrl"], file)


async def test_the_largest_track_passes_and_is_never_held_in_memory(
    fetcher: Downloads, cdn_url: str, file: Path
) -> None:
    tracemalloc.start()
    try:
        fetched = await fetcher.fetch(f"{cdn_url}/large/{TRACK_BYTES_MAX}", file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fetched.size == size_of(file) == TRACK_BYTES_MAX
    assert peak < 8_000_000


async def test_a_host_that_stops_sending_is_not_waited_for(
    fetcher: Downloads, cdn_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "READ_S_MAX", 0.2)
    with pytest.raises(TrackHostUnavailable):
        await fetcher.fetch(f"{cdn_url}/stuck", file)


async def test_a_host_that_drips_does_not_hold_a_slot(
    fetcher: Downloads, cdn_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No read ever waits long, and the whole may take DOWNLOAD_S_MAX: only the floor ends it.
    monkeypatch.setattr(downloads, "WINDOW_S", 0.5)
    with pytest.raises(TrackHostUnavailable):
        await fetcher.fetch(f"{cdn_url}/drip", file)
    assert size_of(file) < 10_000


async def test_a_host_that_is_slow_and_steady_is_heard_to_its_end(
    fetcher: Downloads,
    track: dict[str, Any],
    suno: Vendor,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "WINDOW_S", 2)
    monkeypatch.setattr(downloads, "WINDOW_BYTES_MIN", 10_000)
    suno.fail("slow_download", bytes_a_second=25_000)
    assert (await fetcher.fetch(track["audioUrl"], file)).size > 50_000


async def test_a_host_that_trickles_is_cut_short(
    fetcher: Downloads,
    track: dict[str, Any],
    suno: Vendor,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "DOWNLOAD_S_MAX", 0.5)
    suno.fail("slow_download", bytes_a_second=50_000)
    with pytest.raises(TrackHostUnavailable):
        await fetcher.fetch(track["audioUrl"], file)
