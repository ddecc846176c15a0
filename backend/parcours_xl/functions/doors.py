"""The map: every function by its public name, with what it takes and what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.functions.callback import CallbackAnswer, callback
from parcours_xl.functions.cancel import CancelAnswer, CancelRequest, cancel
from parcours_xl.functions.create import CreateAnswer, CreateRequest, create
from parcours_xl.functions.generate import GenerateAnswer, GenerateRequest, generate
from parcours_xl.functions.runner import RunnerAnswer, RunnerRequest, runner
from parcours_xl.functions.sign_track import SignTrackAnswer, SignTrackRequest, sign_track
from parcours_xl.http.shapes import Answered, Asked

Caller = Literal["user", "anyone", "suno"]


@dataclass(frozen=True, slots=True)
class Door:
    """One function. refusals: the statuses of its own, beside those that every door may give."""

    name: str
    handler: Callable[[Request], Awaitable[Response]]
    caller: Caller
    asked: type[Asked] | None
    answered: type[Answered]
    refusals: tuple[int, ...]
    success: int = 200


DOORS = (
    Door("parcours-xl-create", create, "user", CreateRequest, CreateAnswer, (401, 403, 422, 429)),
    Door(
        "parcours-xl-runner",
        runner,
        "anyone",
        RunnerRequest,
        RunnerAnswer,
        (401, 403, 404, 409, 429),
        202,
    ),
    Door(
        "parcours-xl-generate",
        generate,
        "anyone",
        GenerateRequest,
        GenerateAnswer,
        (401, 404, 429, 502),
    ),
    Door("parcours-xl-callback", callback, "suno", None, CallbackAnswer, (401,)),
    Door(
        "sign-track",
        sign_track,
        "user",
        SignTrackRequest,
        SignTrackAnswer,
        (401, 403, 404, 409),
    ),
    Door("parcours-xl-cancel", cancel, "user", CancelRequest, CancelAnswer, (401, 403, 404)),
)
