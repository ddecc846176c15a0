"""httpx over aiohttp: the same answers, and errors that say whether anything was sent."""

from collections.abc import AsyncIterator, Iterator

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from parcours_xl.clients.transport import AiohttpTransport, choose_transport
from tests.fixtures.servers import UnresponsiveServer, running, saying

TLS = httpx.create_ssl_context()

pytestmark = pytest.mark.anyio


async def tell(request: Request) -> Response:
    """What arrived."""
    body = await request.body()
    answer = JSONResponse(
        {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": dict(request.headers),
            "bytes": len(body),
        }
    )
    answer.set_cookie("session", "somebody")
    return answer


async def stream(_: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 10_000

    return StreamingResponse(pieces(), headers={"content-encoding": "identity"})


async def redirect(_: Request) -> Response:
    return RedirectResponse("/elsewhere")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    methods = ["GET", "POST", "PUT", "DELETE"]
    routes = [
        Route("/stream", stream),
        Route("/redirect", redirect),
        Route("/{path:path}", tell, methods=methods),
    ]
    with running(Starlette(routes=routes)) as url:
        yield url


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=AiohttpTransport(TLS), timeout=2) as client:
        yield client


async def test_a_request_arrives_as_it_was_written(client: httpx.AsyncClient, server: str) -> None:
    answer = await client.post(
        f"{server}/a%2Fb/c?q=x%20y&token=%2B", json={"n": 1}, headers={"apikey": "key"}
    )
    told = answer.json()
    assert (told["method"], told["path"], told["query"]) == (
        "POST",
        "/a%2Fb/c",
        "q=x%20y&token=%2B",
    )
    assert told["headers"]["apikey"] == "key"
    assert told["headers"]["content-type"] == "application/json"
    assert told["headers"]["user-agent"].startswith("python-httpx/")
    assert told["bytes"] == 7


async def test_nobodys_cookies_reach_the_next_request(
    client: httpx.AsyncClient, server: str
) -> None:
    transport = AiohttpTransport(TLS)
    async with httpx.AsyncClient(transport=transport) as first:
        await first.get(f"{server}/one")
        request = httpx.Request("GET", f"{server}/two")
        answer = await transport.handle_async_request(request)
        await answer.aread()
        told = answer.json()
    assert "cookie" not in told["headers"]


async def test_a_body_in_pieces_keeps_its_length(client: httpx.AsyncClient, server: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"y" * 1000

    url = f"{server}/upload"
    measured = await client.put(url, content=pieces(), headers={"Content-Length": "5000"})
    unmeasured = await client.put(url, content=pieces())
    assert measured.json()["headers"]["content-length"] == "5000"
    assert measured.json()["bytes"] == unmeasured.json()["bytes"] == 5000


async def test_an_answer_is_read_as_it_comes(client: httpx.AsyncClient, server: str) -> None:
    async with client.stream("GET", f"{server}/stream") as answer:
        assert answer.status_code == 200
        assert sum([len(piece) async for piece in answer.aiter_raw()]) == 100_000


async def test_redirects_are_told_and_not_followed(client: httpx.AsyncClient, server: str) -> None:
    answer = await client.get(f"{server}/redirect")
    assert (answer.status_code, answer.headers["location"]) == (307, "/elsewhere")


async def test_nothing_was_sent_where_nobody_listens(
    client: httpx.AsyncClient, dead_port: int
) -> None:
    with pytest.raises(httpx.ConnectError):
        await client.post(f"http://127.0.0.1:{dead_port}/")


async def test_a_server_that_never_answers_is_a_read_timeout(
    client: httpx.AsyncClient, loopback: UnresponsiveServer
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await client.post(f"http://127.0.0.1:{loopback.port}/", timeout=0.2)


@pytest.mark.parametrize(
    "words",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"220 mail.example.com ESMTP\r\n"],
    ids=["nothing", "half-an-answer", "not-http"],
)
async def test_a_server_that_hangs_up_may_have_heard(
    client: httpx.AsyncClient, words: bytes
) -> None:
    async with saying(words) as netloc:
        with pytest.raises(httpx.TransportError) as error:
            await client.post(f"http://{netloc}/")
    assert not isinstance(error.value, httpx.ConnectError | httpx.ConnectTimeout)


async def test_an_answer_that_is_cut_off_is_no_answer(client: httpx.AsyncClient) -> None:
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") as netloc:
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://{netloc}/")


async def test_a_pool_that_is_used_up_is_a_connect_timeout(
    server: str, loopback: UnresponsiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parcours_xl.clients.transport.CONNECTIONS_MAX", 1)
    async with (
        httpx.AsyncClient(transport=AiohttpTransport(TLS)) as client,
        anyio.create_task_group() as waiting,
    ):
        waiting.start_soon(client.get, f"http://127.0.0.1:{loopback.port}/")
        await anyio.sleep(0.05)
        with pytest.raises(httpx.ConnectTimeout):
            await client.get(f"{server}/next", timeout=httpx.Timeout(1, pool=0.1))
        waiting.cancel_scope.cancel()


async def test_an_address_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        await client.get("ftp://127.0.0.1/")


async def test_a_proxy_of_the_environment_is_left_to_httpx(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    assert choose_transport(TLS) is None
    monkeypatch.delenv("https_proxy")
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "localhost")
    transport = choose_transport(TLS)
    assert isinstance(transport, AiohttpTransport)
    await transport.aclose()
