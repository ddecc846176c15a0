"""Errors of the page itself: counted by kind for Prometheus, and nothing else is kept of them."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.schemas import read_bounded_object
from parcours_xl.errors import PermanentError

KINDS = ("engine", "sound", "work", "uncaught", "unhandled")
"""As web/app/network/page-errors.ts names them; whatever else is said is not counted."""

BODY_BYTES_MAX = 256
BODY_S_MAX = 5
COUNTED_MAX, WINDOW_S = 300, 60
"""All pages together: anybody may send these, and a flood of them says no more than a few."""


class PageErrors:
    """A counter a kind, and the route that adds to it."""

    def __init__(self, now: Callable[[], float] = time.monotonic):
        self.registry = CollectorRegistry()
        self._now = now
        self._window, self._counted = 0.0, 0
        self._errors = Counter(
            "parcours_page_errors",
            "Errors of the page itself, as pages tell of them",
            ("kind",),
            registry=self.registry,
        )
        for kind in KINDS:
            self._errors.labels(kind)

    def note(self, kind: object) -> None:
        """Count one, if it is a known kind and there were not too many just now."""
        if kind not in KINDS:
            return
        now = self._now()
        if now - self._window >= WINDOW_S:
            self._window, self._counted = now, 0
        if self._counted < COUNTED_MAX:
            self._counted += 1
            self._errors.labels(kind).inc()

    async def receive(self, request: Request) -> Response:
        """POST `{"kind": …}`. Answers 204 whatever was sent: there is nobody to read an answer."""
        # Another site's page has nothing to tell. Browsers set this header, pages cannot.
        if request.headers.get("sec-fetch-site", "same-origin") == "same-origin":
            self.note(await _read_kind(request))
        return Response(status_code=204)


async def _read_kind(request: Request) -> object:
    try:
        return (await read_bounded_object(request, BODY_BYTES_MAX, BODY_S_MAX)).get("kind")
    except PermanentError:
        return None
