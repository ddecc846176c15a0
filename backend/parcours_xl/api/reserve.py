"""parcours-xl-reserve: ready pieces, until one's own are there (docs/specification.md#reserve)."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.authentication import require_user
from parcours_xl.api.create import PRESET_KEYS, read_preset
from parcours_xl.api.schemas import RequestModel, ResponseModel, json_response, read_body
from parcours_xl.api.state import app_state
from parcours_xl.clients.storage import TrackGone
from parcours_xl.domain.durations import JOURNEY_S_MAX


class ReserveRequest(RequestModel):
    """For which preset."""

    preset_key: Annotated[
        str, Field(max_length=100), WithJsonSchema({"type": "string", "enum": PRESET_KEYS})
    ]


class ReservePieceResponse(ResponseModel):
    """One piece. url: plays it, in parts as well (Range), for one hour. seconds: of sound."""

    id: UUID
    url: str
    seconds: float
    loudness_lufs: float | None


class ReserveResponse(ResponseModel):
    """pieces: those that the caller was given least recently first; empty when there are none."""

    pieces: list[ReservePieceResponse]


async def reserve(request: Request) -> Response:
    """Give a listener enough ready pieces of a preset for a whole journey."""
    clients = app_state(request).clients
    user_id = await require_user(request, clients.auth)
    preset = read_preset((await read_body(request, ReserveRequest)).preset_key)
    pieces = []
    for given in await clients.reserve.give(user_id, preset.key, JOURNEY_S_MAX):
        try:
            url = await clients.storage.sign(given.path)
        except TrackGone:
            # The doctor tells of it (reserve).
            continue
        pieces.append(
            ReservePieceResponse(
                id=given.id,
                url=url,
                seconds=round(given.seconds, 1),
                loudness_lufs=given.loudness_lufs,
            )
        )
    return json_response(ReserveResponse(pieces=pieces))
