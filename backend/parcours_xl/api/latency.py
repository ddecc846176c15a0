"""How long requests take, by function: what this process has seen, for Prometheus."""

import time
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30)
FUNCTIONS = "/functions/v1/"


class Latencies:
    """A histogram a function. Whatever is none of ours is 'other': nobody can invent labels."""

    def __init__(self, functions: Collection[str]):
        self.registry = CollectorRegistry()
        self._functions = frozenset(functions)
        self._seconds = Histogram(
            "parcours_request_seconds",
            "How long requests take, from the first byte to the last, in seconds",
            ("function", "status"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )

    def note(self, path: str, status: int, seconds: float) -> None:
        name = path.removeprefix(FUNCTIONS).removesuffix("/")
        function = name if name in self._functions else "other"
        self._seconds.labels(function, f"{status // 100}xx").observe(seconds)


class MeasureLatency:
    """Notes how long each request took."""

    def __init__(self, app: ASGIApp, latencies: Latencies):
        self._app = app
        self._latencies = latencies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started_at = time.perf_counter()
        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._latencies.note(scope["path"], status, time.perf_counter() - started_at)
