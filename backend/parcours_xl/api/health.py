"""/healthz and /readyz: is this process alive, and can it work?"""

import anyio
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_xl.api.operator_state import operator_state
from parcours_xl.clients.sql_functions import KeyRefused
from parcours_xl.errors import ParcoursError

READY_S_MAX = 3

log = structlog.get_logger(__name__)


async def healthz(_: Request) -> Response:
    """This process answers; nothing else is asked. For whoever restarts what is dead."""
    return JSONResponse({"ok": True})


async def readyz(request: Request) -> Response:
    """Supabase answers and both queues are there; 503 otherwise. For whoever routes requests."""
    if operator_state(request).draining.begun:
        return JSONResponse({"ok": False, "stopping": True}, 503)
    try:
        with anyio.fail_after(READY_S_MAX):
            queues = await operator_state(request).clients.queries.read_queues()
    except KeyRefused:
        return JSONResponse({"ok": False, "supabase": "the service key is refused"}, 503)
    except (ParcoursError, TimeoutError):
        return JSONResponse({"ok": False, "supabase": "away"}, 503)
    except Exception:
        log.exception("readiness.failed")
        return JSONResponse({"ok": False, "supabase": "not as it should be"}, 503)
    return JSONResponse({"ok": True, "supabase": "ok", "queues": [q.queue for q in queues]})
