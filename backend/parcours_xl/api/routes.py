"""The map: every function by its public name, with what it takes and what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.callback import CallbackResponse, callback
from parcours_xl.api.cancel import CancelRequest, CancelResponse, cancel
from parcours_xl.api.create import CreateRequest, CreateResponse, create
from parcours_xl.api.generate import GenerateRequest, GenerateResponse, generate
from parcours_xl.api.reserve import ReserveRequest, ReserveResponse, reserve
from parcours_xl.api.runner import RunnerRequest, RunnerResponse, runner
from parcours_xl.api.schemas import RequestModel, ResponseModel
from parcours_xl.api.sign_track import SignTrackRequest, SignTrackResponse, sign_track

Caller = Literal["user", "anyone", "suno"]


@dataclass(frozen=True, slots=True)
class FunctionRoute:
    """One function. errors: the statuses of its own, beside those that every function may give."""

    name: str
    handler: Callable[[Request], Awaitable[Response]]
    caller: Caller
    request_model: type[RequestModel] | None
    response_model: type[ResponseModel]
    errors: tuple[int, ...]
    success: int = 200


FUNCTION_ROUTES = (
    FunctionRoute(
        "parcours-xl-create", create, "user", CreateRequest, CreateResponse, (401, 403, 422, 429)
    ),
    FunctionRoute(
        "parcours-xl-runner",
        runner,
        "anyone",
        RunnerRequest,
        RunnerResponse,
        (401, 403, 404, 409, 429),
        202,
    ),
    FunctionRoute(
        "parcours-xl-generate",
        generate,
        "anyone",
        GenerateRequest,
        GenerateResponse,
        (401, 404, 429, 502),
    ),
    FunctionRoute("parcours-xl-callback", callback, "suno", None, CallbackResponse, (401,)),
    FunctionRoute(
        "sign-track",
        sign_track,
        "user",
        SignTrackRequest,
        SignTrackResponse,
        (401, 403, 404, 409),
    ),
    FunctionRoute(
        "parcours-xl-cancel", cancel, "user", CancelRequest, CancelResponse, (401, 403, 404)
    ),
    FunctionRoute(
        "parcours-xl-reserve", reserve, "user", ReserveRequest, ReserveResponse, (401, 403)
    ),
)
