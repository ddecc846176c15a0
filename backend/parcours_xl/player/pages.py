"""The player's addresses: the page at `/`, and the two descriptions that it reads."""

import gzip
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from parcours_xl.api.page_errors import PageErrors
from parcours_xl.player.descriptions import describe_presets, describe_service
from parcours_xl.player.encoding import choose_encoding
from parcours_xl.player.policy import WithHeaders, page_headers
from parcours_xl.player.site import ASK_FIRST, Site
from parcours_xl.settings import Settings

NOT_BUILT = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parcours XL</title>
<h1>The player has not been built</h1>
<p>The service itself answers at <code>/functions/v1/</code>. To build the page, run
<code>make demo</code>, <code>make test</code> or <code>parcours dev</code> from the repository, or
install a released wheel, which holds it.</p>
<p lang="fr">La page n'a pas encore été construite. En cas d'urgence, appelez le 112 ou le numéro
d'urgence de votre pays.</p>
</html>
"""


def create_player(
    settings: Settings, site: Site | None = None, page_errors: PageErrors | None = None
) -> ASGIApp:
    """Everything outside `/functions/v1/`: GET and HEAD only, but for `/page-errors`."""
    site = site or Site()
    page_errors = page_errors or PageErrors()
    described = describe_presets()

    def describe() -> dict[str, Any]:
        return describe_service(settings, site.bed_url, site.bed_start_url)

    async def show_page(request: Request) -> Response:
        if not site.is_built:
            headers = {"cache-control": "no-store", "retry-after": "60"}
            return HTMLResponse(NOT_BUILT, 503, headers)
        return await site.get_response("index.html", request.scope)

    routes = [
        Route("/", show_page),
        Route("/config.json", _saying(describe)),
        Route("/presets.json", _saying(lambda: described)),
        Route("/page-errors", page_errors.receive, methods=["POST"]),
        Mount("/", site),
    ]
    handlers = {HTTPException: _answer_plainly}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return WithHeaders(app, page_headers(settings))


def _saying(describe: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
    """What a GET of JSON answers: kept by browsers, and asked about each time."""

    async def say(request: Request) -> Response:
        forms = _forms(json.dumps(describe(), ensure_ascii=False, separators=(",", ":")))
        encoding = choose_encoding(request.headers, forms.compressed)
        body = forms.compressed.get(encoding or "", forms.plain)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"etag": etag, "cache-control": ASK_FIRST, "vary": "accept-encoding"}
        asked = request.headers.get("if-none-match", "")
        if etag in [tag.strip().removeprefix("W/") for tag in asked.split(",")]:
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["content-encoding"] = encoding
        return Response(body, media_type="application/json", headers=headers)

    return say


class _Forms(NamedTuple):
    plain: bytes
    compressed: Mapping[str, bytes]


@lru_cache(maxsize=8)
def _forms(text: str) -> _Forms:
    """One text as it may be sent; there are few, and they hardly ever change."""
    plain = text.encode()
    return _Forms(plain, {"gzip": gzip.compress(plain, mtime=0)})


async def _answer_plainly(_: Request, error: HTTPException) -> Response:
    return Response(error.detail, error.status_code, error.headers, "text/plain")
