"""sign-track: the owner's one-hour URL of a stored track (docs/specification.md#sign-track)."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.functions.house import house_of
from parcours_xl.http.asking import require_user
from parcours_xl.http.bodies import read_body
from parcours_xl.http.shapes import Answered, Asked, answer


class SignTrackRequest(Asked):
    """The segment whose track is to be played."""

    segment_id: UUID


class SignTrackAnswer(Answered):
    """url: plays the track, in parts as well (Range), for one hour."""

    url: str


async def sign_track(request: Request) -> Response:
    """Sign a track for the owner of its run."""
    outside = house_of(request).outside
    user_id = await require_user(request, outside.auth)
    body = await read_body(request, SignTrackRequest)
    path = await outside.database.find_track(body.segment_id, user_id)
    return answer(SignTrackAnswer(url=await outside.tracks.sign(path)))
