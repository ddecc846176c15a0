"""The control endpoint of a simulator: look at what it saw, ask for faults."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_dev.simulators.faults import FaultBook, UnknownFaultError


def control_routes(faults: FaultBook, describe: Callable[[], dict[str, Any]]) -> list[Route]:
    """`GET /_control`, and `GET`, `POST` (one or a list) and `DELETE /_control/faults`."""

    async def state(_: Request) -> Response:
        return JSONResponse(describe() | {"faults": faults.describe()})

    async def list_faults(_: Request) -> Response:
        kinds = {
            name: {
                "strikes": kind.strikes,
                "does": kind.does,
                "options": dict(kind.options),
                "match": dict(kind.match),
            }
            for name, kind in faults.kinds.items()
        }
        return JSONResponse({"faults": faults.describe(), "kinds": kinds})

    async def add_faults(request: Request) -> Response:
        try:
            asked = await request.json()
            for raw in asked if isinstance(asked, list) else [asked]:
                faults.add(raw)
        except (UnknownFaultError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"faults": faults.describe()}, 201)

    async def clear_faults(_: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    return [
        Route("/_control", state, methods=["GET"]),
        Route("/_control/faults", list_faults, methods=["GET"]),
        Route("/_control/faults", add_faults, methods=["POST"]),
        Route("/_control/faults", clear_faults, methods=["DELETE"]),
    ]
