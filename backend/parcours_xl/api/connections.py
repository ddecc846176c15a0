"""Connections: how large and how slow a request may be, and how many connections there may be.

uvicorn's own protocol over httptools bounds neither: a header without end is kept in memory, and a
connection that says nothing stays open. The one over h11 bounds the head but answers it with 400,
knows no deadline either, and takes more of the processor (docs/performance.md).
"""

import ipaddress
import resource
from asyncio import AbstractEventLoop, BaseTransport, TimerHandle
from collections import Counter, OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httptools
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Metric
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from parcours_xl.api.schemas import BODY_BYTES_MAX, BODY_S_MAX, ErrorResponse

REQUEST_LINE_BYTES_MAX = 16_384
HEADER_BYTES_MAX = 65_536
FRAMING_BYTES_MAX = HEADER_BYTES_MAX + 8 * BODY_BYTES_MAX
"""Of a message that is neither head nor body: the frames of chunks (of one byte each), trailers."""

HEAD_S_MAX = 10
"""From the connection, or the first byte of a further request, to the end of its head."""
WHOLE_BODY_S_MAX = BODY_S_MAX + 2
"""From the end of the head to the end of the body: longer than the route waits, which says more."""
LINGER_S_MAX = 2
LINGER_BYTES_MAX = 1_048_576
"""So long, and so much, what still comes in behind an answer is read and thrown away: closed at
once, the connection would be reset, and the answer lost."""
UNREAD_S_MAX = 60
"""How long an answer may wait for its reader without any progress."""

FILES_RESERVED = 224
"""File descriptors for everything but callers: Supabase (100), OpenAI, tracks under way, files."""
CONNECTIONS_MAX_UNBOUNDED = 8192
RETRY_AFTER_S = 5

assert HEAD_S_MAX < WHOLE_BODY_S_MAX, "a head is shorter than a body"

log = structlog.get_logger(__name__)


class Connections:
    """All connections of one process.

    in_all: how many there may be; a new one then takes the place of the one that has kept us
    waiting longest. for_each: how many one client address may have, where it is known: behind a
    trusted proxy, how many requests it may have under way.
    """

    def __init__(self, for_each: int, in_all: int | None = None):
        self._for_each = for_each
        self._in_all = min(in_all or CONNECTIONS_MAX_UNBOUNDED, _files_free())
        self._open: set[LimitedProtocol] = set()
        # Those whose request is not complete, the longest first.
        self._waiting: OrderedDict[LimitedProtocol, None] = OrderedDict()
        self._of_client = Counter[str]()
        self.registry = CollectorRegistry()
        self._closed = Metric(
            "parcours_connections_closed",
            "Connections that were closed for what they did, by why",
            ("why",),
            registry=self.registry,
        )

    def count(self, why: str) -> None:
        """Note that a connection was closed for a reason."""
        self._closed.labels(why).inc()

    def open(self, connection: "LimitedProtocol") -> bool:
        """Whether there is room for one more connection, made if need be."""
        if len(self._open) >= self._in_all and not self._make_room():
            return False
        self._open.add(connection)
        self._waiting[connection] = None
        return True

    def close(self, connection: "LimitedProtocol") -> None:
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def wait_for(self, connection: "LimitedProtocol") -> None:
        """A request of this connection is to come, or has begun to."""
        if connection in self._open:
            self._waiting[connection] = None
            self._waiting.move_to_end(connection)

    def work_for(self, connection: "LimitedProtocol") -> None:
        """A whole request is here."""
        self._waiting.pop(connection, None)

    def take(self, client: str) -> bool:
        """Whether this client may have one more; `give_back` it afterwards."""
        if self._of_client[client] >= self._for_each:
            return False
        self._of_client[client] += 1
        return True

    def give_back(self, client: str) -> None:
        self._of_client[client] -= 1
        if not self._of_client[client]:
            del self._of_client[client]

    def _make_room(self) -> bool:
        if not self._waiting:
            return False
        longest, _ = self._waiting.popitem(last=False)
        self._open.discard(longest)
        self.count("full")
        longest.cut()
        return True


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits of size and time. What breaks them is answered and closed."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all: Connections = app_state["connections"]
        # uvicorn's own answer beyond it is no JSON.
        self._at_once_max, self.limit_concurrency = self.limit_concurrency, None
        # The proxies that uvicorn believes; None when it believes none.
        self._proxies = getattr(self.app, "trusted_hosts", None)
        self._client: str | None = None
        self._forwarded: str | None = None
        self._timer: TimerHandle | None = None
        self._unread_timer: TimerHandle | None = None
        self._receiving = self._in_head = self._ended = False
        self._line_bytes = self._header_bytes = self._body_bytes = 0
        self._message_bytes = self._new_bytes = self._thrown_away = 0

    # The connection

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        if not self._all.open(self):
            self._reject(503, "the service is full; please try again", "full")
        elif (client := self._peer()) is not None and not self._all.take(client):
            self._reject(429, "too many connections from this address", "client")
        else:
            self._client = client
            self._arm(HEAD_S_MAX, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._all.close(self)
        if self._client is not None:
            self._all.give_back(self._client)
            self._client = None
        self._answered()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
        super().connection_lost(exc)

    def cut(self) -> None:
        """End the connection now, whatever was under way."""
        self.transport.abort()

    def shutdown(self) -> None:
        if self._receiving and (self.cycle is None or self.cycle.response_complete):
            # Half a request: nobody will answer it any more.
            self.cut()
        else:
            super().shutdown()

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self._ended:
            self._thrown_away += len(data)
            if self._thrown_away > LINGER_BYTES_MAX:
                self.cut()
            return
        if self._receiving:
            self._message_bytes += len(data)
        self._new_bytes = 0 if self._receiving else len(data)
        try:
            self._feed(data)
            self._judge_size()
        except _TooLarge as too_large:
            self._reject(431, too_large.error, "too_large")

    def _feed(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # what we do not speak is answered as if nobody had asked for it
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _TooLarge):
                raise error.__context__ from None
            self._reject(400, "this is not HTTP", "malformed")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._receiving = self._in_head = True
        self._line_bytes = self._header_bytes = self._body_bytes = 0
        # A second message in the same piece: how much of it is its own is not known yet.
        self._message_bytes, self._new_bytes = self._new_bytes, 0
        self._all.wait_for(self)
        self._arm(HEAD_S_MAX, self._too_late)

    def on_url(self, url: bytes) -> None:
        if not self._line_bytes:
            self._line_bytes = len(self.parser.get_method()) + len("  HTTP/1.1\r\n")
        self._line_bytes += len(url)
        if self._line_bytes > REQUEST_LINE_BYTES_MAX:
            raise _TooLarge(f"the request line is over {REQUEST_LINE_BYTES_MAX} bytes")
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + len(": \r\n")
        if self._header_bytes > HEADER_BYTES_MAX:
            raise _TooLarge(f"the headers are over {HEADER_BYTES_MAX} bytes")
        if self._in_head:  # trailers say nothing that anybody asks for
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._arm(WHOLE_BODY_S_MAX, self._too_late)
        app, self.app = self.app, self._choose_app()
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def _choose_app(self) -> Any:
        """The application, or what answers in its place."""
        busy = max(len(self.connections), len(self.tasks))
        if self._at_once_max is not None and busy >= self._at_once_max:
            self._all.count("busy")
            return _BUSY
        client = self._forwarded_client()
        if client is not None and not self._all.take(client):
            self._all.count("client")
            return _TOO_MANY
        self._forwarded = client or self._forwarded
        return self.app

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._receiving = False
        super().on_message_complete()
        if self.cycle.response_complete:
            self._all.wait_for(self)
            self._arm(self.timeout_keep_alive, self._close)
        else:
            self._all.work_for(self)
            self._disarm()

    def _judge_size(self) -> None:
        """What the parser has not handed out yet is kept in its memory: it counts as well."""
        rest = self._message_bytes - self._line_bytes - self._body_bytes
        if self._in_head and rest > HEADER_BYTES_MAX:
            raise _TooLarge(f"the headers are over {HEADER_BYTES_MAX} bytes")
        if self._receiving and rest > FRAMING_BYTES_MAX + HEADER_BYTES_MAX:
            raise _TooLarge(f"there are over {FRAMING_BYTES_MAX} bytes beside the body")

    # What goes out

    def on_response_complete(self) -> None:
        self._answered()
        super().on_response_complete()
        if self.transport.is_closing():
            self._arm(UNREAD_S_MAX, self.cut)
        elif self._receiving:
            self._arm(LINGER_S_MAX, self.cut)
        elif self.cycle.response_complete:
            self._all.wait_for(self)
            self._arm(self.timeout_keep_alive, self._close)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_timer = self.loop.call_later(UNREAD_S_MAX, self._unread)

    def resume_writing(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self._reject(400, msg, "malformed")

    def _reject(self, status: int, error: str, why: str) -> None:
        """Answer what is no request, and close."""
        if self._ended or self.transport.is_closing():
            return
        self._all.count(why)
        if (
            self.cycle is not None
            and self.cycle.response_started
            and not self.cycle.response_complete
        ):
            self.cut()  # in the middle of another answer
            return
        body, headers = _answer(status, error)
        headers = [*self.server_state.default_headers, *headers]
        lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode())]
        lines += [name + b": " + value for name, value in headers]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self._end()

    def _end(self) -> None:
        """Close once the answer has been read; what still comes is thrown away meanwhile."""
        self._ended = True
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._arm(LINGER_S_MAX, self.cut)

    # Deadlines

    def _arm(self, seconds: float, what: Callable[[], None]) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, what)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        if not self._receiving:
            self._all.count("idle")
            self._close()
        elif self._in_head:
            self._reject(408, f"the request did not come within {HEAD_S_MAX} s", "slow_head")
        elif self.flow.read_paused:  # it is we who do not read
            self._arm(WHOLE_BODY_S_MAX, self._too_late)
        else:
            self._reject(408, f"the body did not come within {WHOLE_BODY_S_MAX} s", "slow_body")

    def _close(self) -> None:
        self.transport.close()
        self._arm(UNREAD_S_MAX, self.cut)

    def _unread(self) -> None:
        self._all.count("unread")
        self.cut()

    # Who it is

    def _peer(self) -> str | None:
        """The client whose connection this is; None for a trusted proxy, or a Unix socket."""
        if self.client is None or (self._proxies is not None and self.client[0] in self._proxies):
            return None
        return _client_of(self.client[0])

    def _forwarded_client(self) -> str | None:
        """The client that a trusted proxy names."""
        if self._forwarded or self._client or self._proxies is None or self.client is None:
            return None
        named = [value for name, value in self.headers if name == b"x-forwarded-for"]
        if not named:
            return None
        host, _ = self._proxies.get_trusted_client_address(b", ".join(named).decode("latin-1"))
        return _client_of(host) if host else None

    def _answered(self) -> None:
        if self._forwarded is not None:
            self._all.give_back(self._forwarded)
            self._forwarded = None


class _TooLarge(Exception):
    """A part of a request is over its limit."""

    def __init__(self, error: str):
        super().__init__(error)
        self.error = error


def _answer(status: int, error: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Body and headers of an answer that ends its connection."""
    body = ErrorResponse(error=error).model_dump_json(by_alias=True, exclude_defaults=True).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    if status in (429, 503):
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    return body, headers


def _refusing(status: int, error: str) -> Any:
    """An ASGI application that answers so, whatever is asked."""
    body, headers = _answer(status, error)

    async def refuse(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return refuse


_BUSY = _refusing(503, "the service is full; please try again")
_TOO_MANY = _refusing(429, "too many requests from this address at once")


def _client_of(host: str) -> str:
    """Who is meant by an address: of IPv6 a whole network is one client's."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(address), 64), strict=False))
        address = address.ipv4_mapped
    return str(address)


def _files_free() -> int:
    """How many connections the process's file descriptors are enough for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX_UNBOUNDED
    return max(soft - FILES_RESERVED, soft // 2)
