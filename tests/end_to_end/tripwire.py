"""A proxy that kills a worker with SIGKILL at one exact moment of its work."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fixtures.servers import running

When = Literal["before", "after"]
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
EMPTY_ANSWER = b"[]"


class Tripwire:
    """Passes requests on to `upstream` until the armed one: then its victim is killed.

    before: the request never arrives. after: it arrives, and the victim dies before the answer.
    An empty list is no answer: a worker that finds nothing to do is left alone.
    """

    def __init__(self, upstream: str):
        self.upstream = upstream
        self.sprung = threading.Event()
        self._client = httpx.AsyncClient(trust_env=False, timeout=30)
        self._armed: tuple[str, str, When] | None = None
        self._victim: subprocess.Popen[bytes] | None = None
        self.url = ""

    def arm(self, method: str, path: str, when: When, victim: subprocess.Popen[bytes]) -> None:
        """Kill the victim at the next such request."""
        self._victim = victim
        self._armed = (method, path, when)

    async def pass_on(self, request: Request) -> Response:
        if self.sprung.is_set():
            return Response(status_code=503)
        armed = self._armed
        hit = armed and request.method == armed[0] and armed[1] in request.url.path
        if hit and armed and armed[2] == "before" and self._spring():
            return Response(status_code=503)
        answer = await self._client.request(
            request.method,
            self.upstream + request.url.path,
            params=request.query_params,
            content=await request.body(),
            headers=request.headers.raw,
        )
        if hit and armed and armed[2] == "after" and answer.content != EMPTY_ANSWER:
            self._spring()
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
        headers.pop("content-encoding", None)
        return Response(answer.content, answer.status_code, headers)

    def _spring(self) -> bool:
        if self._victim is None or self.sprung.is_set():
            return False
        self._victim.kill()
        self._victim.wait()
        self.sprung.set()
        return True


@contextmanager
def running_tripwire(upstream: str, port: int) -> Iterator[Tripwire]:
    """A tripwire that listens in a thread."""
    tripwire = Tripwire(upstream)
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", tripwire.pass_on, methods=methods)])
    with running(app, port) as tripwire.url:
        yield tripwire
