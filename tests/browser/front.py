"""What the browser meets first: the deployment, with the recorder's code under the same origin.

Chromium loads the code of an audio worklet past whatever Playwright intercepts, and the page's
policy, which stays on, takes code from its own origin only.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route

from parcours_xl.local.proxy import Proxy, create_client

RECORDER = Path(__file__).with_name("recorder.js")


async def recorder(_: Request) -> Response:
    """The recorder's code, for the audio worklet."""
    return FileResponse(RECORDER, media_type="text/javascript")


def create_front(url: str) -> Starlette:
    """Passes everything on to the deployment, but for `/__recorder.js`."""
    client = create_client()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(
        routes=[Route("/__recorder.js", recorder), Mount("", Proxy(client, url))],
        lifespan=lifespan,
    )
