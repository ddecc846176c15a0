"""Each request has an id: in the log, in the answer, and in what a caller may report."""

import time
from contextlib import AbstractContextManager, nullcontext
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parcours_xl import tracing
from parcours_xl.api.schemas import ErrorResponse, json_response

PROBE_PATHS = ("/healthz", "/readyz", "/metrics")
"""Asked every few seconds by machines: not worth a line each."""

FUNCTIONS = "/functions/v1/"

log = structlog.get_logger(__name__)


def _traced(scope: Scope) -> AbstractContextManager[None]:
    """A function's span, below the caller's own where a traceparent names it."""
    if not tracing.is_on() or not scope["path"].startswith(FUNCTIONS):
        return nullcontext()
    attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
    return tracing.span(
        f"{scope['method']} {scope['path']}",
        parent=Headers(scope=scope).get("traceparent"),
        server=True,
        **attributes,
    )


class RequestId:
    """Names each request, logs it without its query, and answers for what nobody expected."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        status: int | None = None

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        started_at = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                with _traced(scope):
                    await self._app(scope, receive, send_named)
                    tracing.note(**{"http.response.status_code": status or 0})
            except ClientDisconnect:
                log.info("request.disconnected", method=scope["method"], path=scope["path"])
                return
            except Exception:
                log.exception("request.failed", method=scope["method"], path=scope["path"])
                if status is not None:
                    raise
                body = ErrorResponse(
                    error="something went wrong on our side", request_id=request_id
                )
                await json_response(body, 500)(scope, receive, send_named)
            # The query of a callback carries its token: only the path is ever written.
            write = log.debug if scope["path"] in PROBE_PATHS else log.info
            write(
                "request.answered",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - started_at) * 1000, 1),
            )
