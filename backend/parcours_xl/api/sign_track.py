"""sign-track: the owner's one-hour URL of a stored track (docs/specification.md#sign-track)."""

from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.authentication import require_user
from parcours_xl.api.schemas import Id, RequestModel, ResponseModel, json_response, read_body
from parcours_xl.api.state import app_state


class SignTrackRequest(RequestModel):
    """The segment whose track is to be played."""

    segment_id: Id


class SignTrackResponse(ResponseModel):
    """url: plays the track, in parts as well (Range), for one hour."""

    url: str


async def sign_track(request: Request) -> Response:
    """Sign a track for the owner of its run."""
    clients = app_state(request).clients
    user_id = await require_user(request, clients.auth)
    body = await read_body(request, SignTrackRequest)
    path = await clients.database.find_track(body.segment_id, user_id)
    return json_response(SignTrackResponse(url=await clients.storage.sign(path)))
