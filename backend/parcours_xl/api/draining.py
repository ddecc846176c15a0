"""Draining: a process told to stop answers what it has begun, and refuses the rest as JSON."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parcours_xl.api.request_id import PROBE_PATHS
from parcours_xl.api.schemas import ErrorResponse, json_response

NOTICE_S_MIN = 1.0
"""So long at least the listener stays open after /readyz has turned 503."""
REFUSAL_S_MAX = 1.0
"""How long it may take until every request that was cut off has had its 503."""
RETRY_AFTER_S = 5

log = structlog.get_logger(__name__)

STOPPING = "the service is stopping; please try again"


class Draining:
    """What one process knows of its own stopping. begun: no further request is taken."""

    def __init__(self) -> None:
        self.begun = False
        self._under_way: set[asyncio.Timeout] = set()
        self._none_under_way = asyncio.Event()
        self._none_under_way.set()
        self._hurried = asyncio.Event()
        self._when_begun: list[Callable[[], None]] = []

    @property
    def under_way(self) -> int:
        """How many requests are being answered."""
        return len(self._under_way)

    def when_begun(self, *calls: Callable[[], None]) -> None:
        """Call these as soon as draining begins."""
        self._when_begun += calls

    def begin(self) -> None:
        """Take no further request."""
        self.begun = True
        for call in self._when_begun:
            call()

    def hurry(self) -> None:
        """Wait for nothing that is still under way."""
        self._hurried.set()
        self._none_under_way.set()

    async def finish(self, seconds: float) -> None:
        """Return when every request has been answered; after so many seconds, with a 503."""
        await _wait(self._hurried, NOTICE_S_MIN)
        await _wait(self._none_under_way, seconds - NOTICE_S_MIN)
        for limit in self._under_way:
            limit.reschedule(0)
        if self._under_way:
            self._none_under_way.clear()
            await _wait(self._none_under_way, REFUSAL_S_MAX)

    def enter(self, limit: asyncio.Timeout) -> None:
        """A request is being answered. limit: expires when draining ends before it is."""
        self._under_way.add(limit)
        self._none_under_way.clear()

    def leave(self, limit: asyncio.Timeout) -> None:
        self._under_way.discard(limit)
        if not self._under_way:
            self._none_under_way.set()


class BackgroundWork:
    """Work that a request begins and does not wait for.

    Draining waits for it as for a request, and cuts it off as one.
    """

    def __init__(self, draining: Draining) -> None:
        self._draining = draining
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Do this beside whatever the caller goes on with."""
        task = asyncio.create_task(self._do(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what draining has left; what is about to end may."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=REFUSAL_S_MAX)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _do(self, work: Coroutine[Any, Any, object]) -> None:
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._draining.enter(limit)
                await work
        except TimeoutError:
            if not limit.expired():
                raise
        except Exception:
            # Nobody awaits it: what is not said here is never said.
            log.exception("background.failed")
        finally:
            self._draining.leave(limit)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), max(0, seconds))


class RejectWhileDraining:
    """Answers 503 to what comes too late, and to what was not answered in time.

    Whoever watches the process is answered to the end.
    """

    def __init__(self, app: ASGIApp, draining: Draining):
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBE_PATHS:
            await self._app(scope, receive, send)
            return
        if self._draining.begun:
            await _reject(scope, receive, send)
            return
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if self._draining.begun:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._draining.enter(limit)
                await self._app(scope, receive, send_noted)
        except TimeoutError:
            if not limit.expired():
                raise
            # What has begun to be sent cannot be taken back: its connection is cut.
            if not started:
                await _reject(scope, receive, send)
        finally:
            self._draining.leave(limit)


async def _reject(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Retry-After": str(RETRY_AFTER_S), "Connection": "close"}
    await json_response(ErrorResponse(error=STOPPING), 503, headers)(scope, receive, send)
