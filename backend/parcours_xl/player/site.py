"""The files of the built page, how they are sent, and how long a browser may keep them."""

import os
from os import PathLike, stat_result
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from parcours_xl.player.encoding import choose_encoding

SITE = Path(__file__).with_name("site")
"""Where `web/` is built to; part of the wheel, not of the repository."""

FOR_EVER = "public, max-age=31536000, immutable"
ENDINGS = {"br": ".br", "gzip": ".gz"}
ASK_FIRST = "no-cache"
"""Kept, but asked about each time: the answer is usually 304."""


class Site(StaticFiles):
    """The page itself. Names below `assets/` tell what is in them, so they never change."""

    def __init__(self, folder: Path = SITE):
        super().__init__(directory=folder, html=True, check_dir=False)
        self._folder = folder

    @property
    def is_built(self) -> bool:
        return (self._folder / "index.html").is_file()

    @property
    def bed_url(self) -> str:
        """The music for waiting, relative to the page."""
        return self._asset("bed-????????.mp3") or "bed.mp3"

    @property
    def bed_start_url(self) -> str | None:
        """A few seconds of it, heard until the whole has arrived."""
        return self._asset("bed-start-????????.mp3")

    def _asset(self, pattern: str) -> str | None:
        found = sorted((self._folder / "assets").glob(pattern))
        return f"assets/{found[-1].name}" if found else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._folder.is_dir():
            raise HTTPException(404)  # nothing has been built yet
        await super().__call__(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.endswith(tuple(ENDINGS.values())):
            # Without its Content-Encoding such a file would be taken for what it is not.
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        if isinstance(response, RedirectResponse):
            # It would name whatever host the request named, and repeat its query.
            raise HTTPException(404)
        return response

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        forms = _compressed_forms(full_path)
        encoding = choose_encoding(Headers(scope=scope), forms)
        if encoding:
            # Its ETag is its own; its type is that of the text in it (mimetypes knows .br and .gz).
            full_path, stat_result = forms[encoding], os.stat(forms[encoding])
        response = super().file_response(full_path, stat_result, scope, status_code)
        if encoding and response.status_code != 304:
            response.headers["content-encoding"] = encoding
        if forms:
            response.headers.add_vary_header("accept-encoding")
        is_asset = Path(full_path).parent == self._folder / "assets"
        response.headers["cache-control"] = FOR_EVER if is_asset else ASK_FIRST
        return response


def _compressed_forms(full_path: str | PathLike[str]) -> dict[str, str]:
    """Those that were made when the page was built (web/compressed.ts), by Content-Encoding."""
    files = {name: f"{os.fspath(full_path)}{ending}" for name, ending in ENDINGS.items()}
    return {name: file for name, file in files.items() if os.path.isfile(file)}
