"""Suno's streams and files over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from parcours_dev.simulators.broken_media import FAULTLESS, answer_wrongly, distort, trickling
from parcours_dev.simulators.faults import Fault, FaultBook
from parcours_dev.simulators.mp3 import BYTES_A_SECOND
from parcours_dev.simulators.recordings import MEDIA_TYPE, Recording, Recordings
from parcours_dev.simulators.settings import SunoSettings
from parcours_dev.simulators.signals import Kind
from parcours_dev.simulators.tasks import Task, Tasks, Track

HEAD_START_S = 20.0
"""Music a stream holds when it opens; the rest follows until complete, as on the real service."""
EXPOSED_HEADERS = ("Accept-Ranges", "Content-Length", "Content-Range", "ETag")


@dataclass(frozen=True)
class Media:
    """What the tracks' URLs need to be answered."""

    settings: SunoSettings
    tasks: Tasks
    recordings: Recordings
    faults: FaultBook


def media_routes(media: Media, *, open_cors: bool) -> list[Route]:
    """Where the URLs in callbacks point; without open_cors, a plain host no page may read from."""
    methods = ["GET", "HEAD", "OPTIONS"]
    return [
        Route("/files/{track}.mp3", TrackEndpoint(media, "file", open_cors), methods=methods),
        Route("/streams/{track}", TrackEndpoint(media, "stream", open_cors), methods=methods),
        Route("/circles/{turn:int}", _turn_in_circles),
        Route("/images/{track}.svg", _draw_cover),
    ]


@dataclass(frozen=True)
class TrackEndpoint:
    """Answers requests for tracks, as an ASGI application."""

    media: Media
    kind: Kind
    open_cors: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await self._answer(Response(status_code=204), {}, scope, receive, send)
            return
        found = self.media.tasks.find_track(scope["path_params"]["track"])
        hit = self._take_faults(scope, found)
        if "slow_download" in hit:
            await asyncio.sleep(hit["slow_download"].number("delay_s"))
            send = trickling(send, hit["slow_download"].number("bytes_a_second"))
        wrong = answer_wrongly(scope, hit)
        if wrong is not None:
            await self._answer(wrong, hit, scope, receive, send)
        elif found is None or not found[0].is_ready(found[1], file=self.kind == "file"):
            await self._answer(PlainTextResponse("Not found", 404), hit, scope, receive, send)
        else:
            async with self.media.recordings.hold(*found, self.kind) as recording:
                sound = await self._sound(*found, recording, hit, scope)
                await self._answer(sound, hit, scope, receive, send)

    def _take_faults(self, scope: Scope, found: tuple[Task, Track] | None) -> dict[str, Fault]:
        if scope["query_string"] == FAULTLESS.encode():
            return {}
        track = scope["path_params"]["track"]
        facts = found[0].facts if found else {}
        return self.media.faults.take("download", media=self.kind, track=track, **facts)

    async def _answer(
        self,
        answer: ASGIApp,
        hit: Mapping[str, Fault],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        if self.open_cors and "no_cors" not in hit:
            answer = CORSMiddleware(
                answer,
                allow_origins=["*"],
                allow_methods=["GET", "HEAD"],
                allow_headers=["*"],
                expose_headers=EXPOSED_HEADERS,
            )
        await answer(scope, receive, send)

    async def _sound(
        self,
        task: Task,
        track: Track,
        recording: Recording,
        hit: Mapping[str, Fault],
        scope: Scope,
    ) -> ASGIApp:
        if self.kind == "stream" and not {"oversized", "truncated"} & hit.keys():
            if scope["method"] == "HEAD":
                return Response(media_type=MEDIA_TYPE)
            return StreamingResponse(self._live(task, track, recording), media_type=MEDIA_TYPE)
        await recording.wait_whole()
        return distort(recording, hit) or FileResponse(
            recording.path, media_type=MEDIA_TYPE, headers={"etag": f'"{track.id}"'}
        )

    async def _live(self, task: Task, track: Track, recording: Recording) -> AsyncIterator[bytes]:
        """No quicker than Suno composes: all of it is there when the task is complete."""
        _, first_s, complete_s = task.stages_s
        first_at, complete_at = task.accepted_at + first_s, task.accepted_at + complete_s
        pace = max(1.0, track.seconds / max(0.001, complete_at - first_at))
        sent = 0
        async for piece in recording.read():
            due = first_at + (sent / BYTES_A_SECOND - HEAD_START_S) / pace
            await asyncio.sleep(max(0.0, min(due, complete_at) - time.monotonic()))
            yield piece
            sent += len(piece)


async def _turn_in_circles(request: Request) -> Response:
    return RedirectResponse(f"/circles/{request.path_params['turn'] + 1}", 302)


async def _draw_cover(request: Request) -> Response:
    """A square whose colours follow from the track's id."""
    hue = sum(request.path_params["track"].encode()) * 7 % 360
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><linearGradient id="a">'
        f'<stop stop-color="hsl({hue} 45% 35%)"/>'
        f'<stop offset="1" stop-color="hsl({(hue + 60) % 360} 45% 60%)"/>'
        '</linearGradient><path fill="url(#a)" d="M0 0h1v1H0z"/></svg>'
    )
    return Response(drawing, media_type="image/svg+xml")
