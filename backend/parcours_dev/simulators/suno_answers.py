"""How Suno's API answers: HTTP 200 with a code in the body (docs/vendors.md#suno-codes)."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from parcours_dev.simulators.connections import hang_up
from parcours_dev.simulators.fault_kinds import SUNO_FAULTS
from parcours_dev.simulators.faults import Fault

PAGE = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


def succeed(data: object) -> Response:
    """An answer with data."""
    return JSONResponse({"code": 200, "msg": "success", "data": data})


def reject(code: int, message: str, status: int = 200) -> Response:
    """An answer which refuses; data is null then."""
    return JSONResponse({"code": code, "msg": message, "data": None}, status)


def answer_wrongly(hit: Mapping[str, Fault]) -> Response | None:
    """The refusal a fault asks for; None when none does."""
    if "not_json" in hit:
        return HTMLResponse(PAGE, int(hit["not_json"].number("status")))
    for name, fault in hit.items():
        if "code" in fault.options:
            status, code = int(fault.number("status")), int(fault.number("code"))
            message = fault.text("message") or SUNO_FAULTS[name].does
            both = bool(fault.options["both"])
            return reject(code if both else status or code, message, status or 200)
    return None


async def drop(request: Request, fault: Fault) -> Response:
    """Cut the connection; the response returned goes nowhere."""
    await hang_up(request.receive, fault.number("delay_s"))
    return Response()


def name_status(fault: Fault) -> dict[str, Any]:
    """The fields of a record which claims another status than the true one."""
    status, message = fault.text("status"), fault.text("message")
    failed = status.endswith(("FAILED", "ERROR", "EXCEPTION"))
    empty = {"response": None} if status == "PENDING" or not fault.options["tracks"] else {}
    code = fault.options["code"] or None
    return empty | {
        "status": status,
        "errorCode": code if failed else None,
        "errorMessage": (message or "Generation failed.") if failed else None,
    }
