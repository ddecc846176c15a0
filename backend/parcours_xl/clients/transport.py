"""httpx over aiohttp's connections: calls of Supabase take half the time of httpx's own transport.

Every error is one of httpx's, and says whether anything was sent: a read is repeated where the
connection broke, not where it was refused. `httpx-aiohttp` calls both a ConnectTimeout
(docs/architecture.md#libraries-considered).
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.request import getproxies

import aiohttp
import httpx
import yarl

CONNECTIONS_MAX = 100
KEPT_S = 4.0
"""So long is an idle connection kept: less than the 5 s after which many servers close theirs."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """One pool of kept-alive connections, opened at the first request. It keeps no cookies."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises httpx.TransportError."""
        body = _body(request)
        with _httpx_errors():
            answer = await self._open_session().request(
                request.method,
                yarl.URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=body,
                allow_redirects=False,
                timeout=_timeout(request),
            )
        return httpx.Response(
            answer.status,
            headers=answer.raw_headers,
            stream=_Body(answer),
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        # aiohttp wants a running loop; a transport may be made before there is one.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS_MAX, keepalive_timeout=KEPT_S, ssl=self._tls
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def choose_transport(tls: ssl.SSLContext) -> AiohttpTransport | None:
    """None where the environment names a proxy: httpx's own transport asks it."""
    return None if getproxies().keys() - {"no"} else AiohttpTransport(tls)


class _Body(httpx.AsyncByteStream):
    """An answer's body as it comes in."""

    def __init__(self, answer: aiohttp.ClientResponse):
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors():
            async for chunk in self._answer.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        self._answer.close()


def _body(request: httpx.Request) -> bytes | httpx.AsyncByteStream | None:
    """What is already in memory, or what is still to be read, piece by piece."""
    try:
        return request.content or None
    except httpx.RequestNotRead:
        assert isinstance(request.stream, httpx.AsyncByteStream), "the client is asynchronous"
        # aiohttp frames a body without a length by itself.
        request.headers.pop("transfer-encoding", None)
        return request.stream


def _timeout(request: httpx.Request) -> aiohttp.ClientTimeout:
    asked = request.extensions.get("timeout", {})
    return aiohttp.ClientTimeout(
        connect=asked.get("pool"), sock_connect=asked.get("connect"), sock_read=asked.get("read")
    )


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """aiohttp's errors as httpx's: what never left is a ConnectError or a ConnectTimeout."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error)) from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise httpx.UnsupportedProtocol(str(error)) from error
    except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx.ReadError(str(error)) from error
