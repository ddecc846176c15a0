"""Suno as sunoapi.org sells it: submit, record-info, credit, callbacks, streams and files.

Most errors arrive as HTTP 200 with a body code, as on the real service
(docs/vendors.md#suno-codes).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_dev.simulators.callback_sender import CallbackSender
from parcours_dev.simulators.control import control_routes
from parcours_dev.simulators.fault_kinds import CREDIT, RECORD_INFO, SUBMIT, SUNO_FAULTS
from parcours_dev.simulators.faults import FaultBook
from parcours_dev.simulators.media import Media, media_routes
from parcours_dev.simulators.rate_window import RateWindow
from parcours_dev.simulators.recordings import Recordings
from parcours_dev.simulators.requests import carries_key, read_object
from parcours_dev.simulators.settings import SunoSettings
from parcours_dev.simulators.submissions import find_refusal
from parcours_dev.simulators.suno_answers import answer_wrongly, drop, name_status, reject, succeed
from parcours_dev.simulators.tasks import Tasks, name_segment, to_camel_case
from parcours_dev.simulators.urls import with_url_faults

CREDITS_A_REQUEST = 12
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
RATE_MESSAGES = {405: "Request rate limit exceeded.", 430: SUNO_FAULTS["busy"].does}
Work = Callable[[Request], Awaitable[Response]]


def create_suno(settings: SunoSettings, client: httpx.AsyncClient | None = None) -> Starlette:
    """The whole service; enter its lifespan. Callbacks go out through the client when one is given.

    `app.state.plain` is a second application for the same streams, which opens no CORS.
    """
    suno = Suno(settings, client)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await suno.close()

    app = Starlette(
        routes=[
            Route("/api/v1/generate", suno.endpoint(SUBMIT, suno.submit), methods=["POST"]),
            Route("/api/v1/generate/record-info", suno.endpoint(RECORD_INFO, suno.record_info)),
            Route("/api/v1/generate/credit", suno.endpoint(CREDIT, suno.credit)),
            Route("/api/{path:path}", suno.endpoint("unknown", suno.no_such_path), methods=METHODS),
            Route("/_control/credits", suno.set_credits, methods=["PUT"]),
            Route("/_control/settings", suno.turn, methods=["PUT"]),
            *control_routes(suno.faults, suno.describe),
            *media_routes(suno.media, open_cors=True),
        ],
        lifespan=lifespan,
    )
    app.state.faults = suno.faults
    app.state.plain = Starlette(routes=media_routes(suno.media, open_cors=False))
    return app


class Suno:
    """The API's routes and handlers."""

    def __init__(self, settings: SunoSettings, client: httpx.AsyncClient | None) -> None:
        self.settings = settings
        self.faults = FaultBook(SUNO_FAULTS)
        for fault in settings.faults:
            self.faults.add(fault)
        self.window = RateWindow(settings.rate_limit, settings.rate_window_s)
        self.tasks = Tasks(settings)
        self.recordings = Recordings(settings.cache_bytes_max)
        self.callback_sender = CallbackSender(settings, self.faults, client)
        self.media = Media(settings, self.tasks, self.recordings, self.faults)
        self.credits = settings.credits

    def endpoint(self, call: str, work: Work) -> Work:
        """One call of the API: rate limit first, then faults, then the key, then the work."""

        async def answer(request: Request) -> Response:
            if not self.window.admit(call):
                code = self.settings.rate_code
                return reject(code, RATE_MESSAGES.get(code, "Too many requests."))
            hit = self.faults.take("call", call=call, **await self._facts(request))
            wrong = answer_wrongly(hit)
            if wrong is not None:
                return wrong
            if "no_answer" in hit and hit["no_answer"].text("when") == "before":
                return await drop(request, hit["no_answer"])
            response = (
                await work(request)
                if carries_key(request, self.settings.api_key)
                else reject(401, SUNO_FAULTS["bad_key"].does)
            )
            if "no_answer" in hit:
                return await drop(request, hit["no_answer"])
            if "created" in hit:
                response.status_code = int(hit["created"].number("status"))
            if "slow_answer" in hit:
                await asyncio.sleep(hit["slow_answer"].number("delay_s"))
            return response

        return answer

    async def submit(self, request: Request) -> Response:
        """POST /api/v1/generate (docs/vendors.md#suno-generate)."""
        payload = await read_object(request)
        if payload is None:
            return reject(400, "The request body is not a JSON object.")
        refusal = find_refusal(payload)
        if refusal is not None:
            return reject(*refusal)
        if self.credits < CREDITS_A_REQUEST:
            return reject(429, SUNO_FAULTS["no_credits"].does)
        self.credits -= CREDITS_A_REQUEST
        origin = self.settings.public_url or str(request.base_url).rstrip("/")
        task = self.tasks.accept(payload, origin, self.settings.plain_url or origin)
        task.requests[SUBMIT] += 1
        self.callback_sender.start(task)
        return succeed({"taskId": task.id})

    async def record_info(self, request: Request) -> Response:
        """GET /api/v1/generate/record-info?taskId= (docs/vendors.md#suno-record-info)."""
        task_id = request.query_params.get("taskId")
        if not task_id:
            return reject(400, "taskId is required")
        task = self.tasks.find(task_id)
        if task is None:
            return reject(404, "The task does not exist.")
        task.requests[RECORD_INFO] += 1
        hit = self.faults.take("message", message="record-info", **task.facts)
        hit |= self.faults.take("record", **task.facts)
        items = [] if task.failure else with_url_faults(task.items(task.stage), hit)
        snake_case = "record_snake_case" in hit
        camel_case = [to_camel_case(item) for item in items]
        record = task.record(task.status, items if snake_case else camel_case)
        if snake_case and record["response"]:
            record["response"] = {"taskId": task.id, "data": items}
        if "record_status" in hit:
            record |= name_status(hit["record_status"])
        return succeed(record)

    async def credit(self, _: Request) -> Response:
        """GET /api/v1/generate/credit (docs/vendors.md#suno-credits)."""
        # Whoever has no credits left to compose with has none here either.
        return succeed(0 if self.faults.is_in_force("no_credits") else self.credits)

    async def no_such_path(self, _: Request) -> Response:
        """Anything else below /api."""
        return reject(404, "Not found", 404)

    async def set_credits(self, request: Request) -> Response:
        """PUT /_control/credits {"credits": n}."""
        payload = await read_object(request)
        balance = (payload or {}).get("credits")
        if not isinstance(balance, int):
            return JSONResponse({"error": "credits must be a whole number"}, 400)
        self.credits = balance
        return JSONResponse({"credits": self.credits})

    async def turn(self, request: Request) -> Response:
        """PUT /_control/settings {"speed": 40, "signal": "tones", …}: some of TURNABLE."""
        try:
            self.settings.turn(await read_object(request) or {})
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(self.settings.turned())

    def describe(self) -> dict[str, Any]:
        """What this Suno has seen and sent; for the control endpoint."""
        return {
            "credits": self.credits,
            **self.settings.turned(),
            "window": self.window.describe(),
            "tasks": self.tasks.describe(),
            "recordings": {"bytes": self.recordings.bytes_kept},
        }

    async def close(self) -> None:
        """Stop callbacks and composing, forget the recordings."""
        await self.callback_sender.close()
        self.recordings.close()

    async def _facts(self, request: Request) -> dict[str, str]:
        """What faults can match a call on: the segment of its callback URL, or its task's."""
        if request.method == "POST":
            payload = await read_object(request) or {}
            return {"segment": name_segment(str(payload.get("callBackUrl", "")))}
        task = self.tasks.find(request.query_params.get("taskId", ""))
        return task.facts if task else {}
