"""Passing requests on to another server, streaming both ways."""

from collections.abc import AsyncIterator

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

# Of one connection only, so never passed on (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
# Every server names itself and the time; the one that clients reach is this one.
OUR_OWN = (b"date", b"server")
CONNECT_S_MAX = 5
ANSWER_S_MAX = 120
CONNECTIONS_MAX = 200
KEPT_S = 4
"""Idle connections are let go before uvicorn, at the other end, closes them after 5 s."""


def create_client() -> httpx.AsyncClient:
    """The one client of a gateway; no proxy of the machine's settings comes between."""
    return httpx.AsyncClient(
        trust_env=False,
        timeout=httpx.Timeout(ANSWER_S_MAX, connect=CONNECT_S_MAX),
        limits=httpx.Limits(
            max_connections=CONNECTIONS_MAX, max_keepalive_connections=20, keepalive_expiry=KEPT_S
        ),
    )


class Proxy:
    """An application that asks `upstream`, having taken `prefix` off the path."""

    def __init__(self, client: httpx.AsyncClient, upstream: str, prefix: str = "") -> None:
        self._client = client
        self._upstream = upstream
        self._prefix = prefix.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011, "reason": "Not served here"})
            return
        request = Request(scope, receive)
        try:
            answer = await self._client.send(self._pass_on(request), stream=True)
        except ClientDisconnect:
            return
        except httpx.TimeoutException:
            response: Response = _error(504, "The upstream server did not answer in time")
        except httpx.TransportError:
            response = _error(503, "The upstream server is unavailable")
        else:
            response = StreamingResponse(_stream(answer), answer.status_code)
            response.raw_headers = [
                pair for pair in _end_to_end(answer.headers.raw) if pair[0] not in OUR_OWN
            ]
        await response(scope, receive, send)

    def _pass_on(self, request: Request) -> httpx.Request:
        path: bytes = request.scope["raw_path"].removeprefix(self._prefix) or b"/"
        query: bytes = request.scope["query_string"]
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        headers = [pair for pair in _end_to_end(request.headers.raw) if pair[0] != b"host"]
        return self._client.build_request(
            request.method,
            self._upstream,
            headers=[*headers, (b"x-forwarded-host", request.headers.get("host", "").encode())],
            content=request.stream() if has_body else None,
            # The path exactly as it came: httpx would decode and encode it anew.
            extensions={"target": path + b"?" + query if query else path},
        )


async def _stream(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def _end_to_end(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    named = {
        name.strip().lower()
        for key, value in headers
        if key.lower() == b"connection"
        for name in value.split(b",")
    }
    return [(key.lower(), value) for key, value in headers if key.lower() not in HOP_BY_HOP | named]


def _error(status: int, message: str) -> JSONResponse:
    # Pages of other origins may read it, or their browsers would call it a CORS failure.
    headers = {"access-control-allow-origin": "*"}
    return JSONResponse({"error": message, "message": message}, status, headers)
