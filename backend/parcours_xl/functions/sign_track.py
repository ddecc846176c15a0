"""sign-track: the owner's one-hour URL of a stored track (runbook: Edge Functions, 4)."""

from uuid import UUID

import pydantic
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_xl.functions.house import house_of
from parcours_xl.http.asking import require_user
from parcours_xl.http.bodies import read_body


class SignTrackRequest(pydantic.BaseModel):
    """The segment whose track is to be played."""

    segmentId: UUID  # noqa: N815


async def sign_track(request: Request) -> Response:
    """Sign a track for the owner of its run."""
    outside = house_of(request).outside
    user_id = await require_user(request, outside.auth)
    body = await read_body(request, SignTrackRequest)
    path = await outside.database.find_track(body.segmentId, user_id)
    return JSONResponse({"url": await outside.tracks.sign(path)})
