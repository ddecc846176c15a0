"""What the browser meets first: the deployment, with the recorder's code under the same origin.

Chromium loads the code of an audio worklet past whatever Playwright intercepts, and the page's
policy, which stays on, takes code from its own origin only. No engine but those of Playwright can
run code before the page's own or answer in the deployment's place: both is done here for it.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from parcours_dev.supabase.proxy import Proxy, create_client

HERE = Path(__file__).parent
RECORDER, EAR = HERE / "recorder.js", HERE / "ear.js"
OF_PLAYWRIGHT = ("Chrome/", "Firefox/")
EAR_FIRST = b'<script src="/__ear.js"></script>'


class PageProxy:
    """Passes everything on to the deployment, but for what a test has answered in its place."""

    def __init__(self, url: str) -> None:
        client = create_client()
        self._url = url
        self._client = client
        self._proxy = Proxy(client, url)
        self._answers: dict[str, int] = {}

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with client:
                yield

        self.app = Starlette(
            routes=[
                Route("/__recorder.js", recorder),
                Route("/__ear.js", ear),
                Route("/", self._page),
                Mount("", self._pass_on),
            ],
            lifespan=lifespan,
        )

    @contextmanager
    def refusing(self, part: str, status: int = 500) -> Iterator[None]:
        """Every request with this in its path is refused."""
        self._answers[part] = status
        try:
            yield
        finally:
            self.recover()

    def recover(self) -> None:
        self._answers.clear()

    async def _page(self, request: Request) -> Response:
        """The page, with the ear before everything else where Playwright cannot put it there."""
        answer = await self._client.get(
            f"{self._url}/", headers={"accept": "text/html", "accept-encoding": "identity"}
        )
        sent = [pair for pair in answer.headers.items() if pair[0] != "content-length"]
        browser = request.headers.get("user-agent", "")
        alone = any(name in browser for name in OF_PLAYWRIGHT)
        page = answer.content
        if not alone:
            page = page.replace(b"<head>", b"<head>" + EAR_FIRST, 1)
        return Response(page, answer.status_code, dict(sent))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        for part, status in self._answers.items():
            if scope["type"] == "http" and part in scope["path"]:
                refused = JSONResponse({"error": "away"}, status)
                await refused(scope, receive, send)
                return
        await self._proxy(scope, receive, send)


async def recorder(_: Request) -> Response:
    """The recorder's code, for the audio worklet."""
    return _code(RECORDER)


async def ear(_: Request) -> Response:
    """What listens to the page, and must run before its own code."""
    return _code(EAR)


def _code(file: Path) -> Response:
    fresh = {"cache-control": "no-store"}
    return FileResponse(file, media_type="text/javascript", headers=fresh)
