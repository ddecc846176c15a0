"""/healthz and /readyz: is this process alive, and can it work?"""

import anyio
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_xl.adapters.sql_functions import KeyRefused
from parcours_xl.operations.office import office_of
from parcours_xl.trouble import Trouble

READY_S_MAX = 3

log = structlog.get_logger(__name__)


async def healthz(_: Request) -> Response:
    """This process answers; nothing else is asked. For whoever restarts what is dead."""
    return JSONResponse({"ok": True})


async def readyz(request: Request) -> Response:
    """Supabase answers and both queues are there; 503 otherwise. For whoever routes requests."""
    if office_of(request).draining.begun:
        return JSONResponse({"ok": False, "stopping": True}, 503)
    try:
        with anyio.fail_after(READY_S_MAX):
            queues = await office_of(request).outside.oversight.read_queues()
    except KeyRefused:
        return JSONResponse({"ok": False, "supabase": "the service key is refused"}, 503)
    except (Trouble, TimeoutError):
        return JSONResponse({"ok": False, "supabase": "away"}, 503)
    except Exception:
        log.exception("ready.broke")
        return JSONResponse({"ok": False, "supabase": "not as it should be"}, 503)
    return JSONResponse({"ok": True, "supabase": "ok", "queues": [q.queue for q in queues]})
