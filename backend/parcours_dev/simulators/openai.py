"""OpenAI's completions, responses and models, as its SDK uses them (docs/vendors.md#openai-sdk)."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_dev.simulators.connections import hang_up
from parcours_dev.simulators.control import control_routes
from parcours_dev.simulators.fault_kinds import OPENAI_FAULTS
from parcours_dev.simulators.faults import Fault, FaultBook
from parcours_dev.simulators.language_model import write
from parcours_dev.simulators.openai_answers import (
    Written,
    reject,
    reject_key,
    reject_model,
    shape_chat,
    shape_responses,
)
from parcours_dev.simulators.openai_requests import (
    MODEL_NAMES,
    RequestModel,
    find_mistake,
    read_chat,
    read_responses,
)
from parcours_dev.simulators.requests import carries_key, read_object
from parcours_dev.simulators.settings import OpenAISettings

MODELS_LISTED = ("gpt-4o-mini", "gpt-4o", "gpt-4.1-mini", "gpt-6-luna")
REQUESTS_KEPT = 1_000
Read = Callable[[Mapping[str, Any]], RequestModel]
Shape = Callable[[RequestModel, Written], dict[str, Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


def create_openai(settings: OpenAISettings) -> Starlette:
    """The whole service; it has no lifespan to enter."""
    openai = OpenAI(settings)
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", openai.endpoint(read_chat, shape_chat), methods=["POST"]),
            Route(
                "/v1/responses", openai.endpoint(read_responses, shape_responses), methods=["POST"]
            ),
            Route("/v1/models", openai.list_models),
            Route("/v1/models/{model}", openai.show_model),
            *control_routes(openai.faults, openai.describe),
        ]
    )
    app.state.faults = openai.faults
    return app


class OpenAI:
    """The API's routes and handlers."""

    def __init__(self, settings: OpenAISettings) -> None:
        self.settings = settings
        self.faults = FaultBook(OPENAI_FAULTS)
        for fault in settings.faults:
            self.faults.add(fault)
        self._requests: deque[dict[str, Any]] = deque(maxlen=REQUESTS_KEPT)

    def endpoint(self, read: Read, shape: Shape) -> Endpoint:
        """One of the two ways to ask a model."""

        async def answer(request: Request) -> Response:
            body = await read_object(request)
            if not carries_key(request, self.settings.api_key):
                return self._note(body, reject_key())
            if body is None:
                return self._note(body, reject(400, "The body is not a JSON object."))
            return self._note(body, await self._complete(request, read(body), shape))

        return answer

    async def list_models(self, request: Request) -> Response:
        """GET /v1/models."""
        if not carries_key(request, self.settings.api_key):
            return reject_key()
        names = [name for name in MODELS_LISTED if name not in self.settings.withdrawn_models]
        return JSONResponse({"object": "list", "data": [_describe_model(name) for name in names]})

    async def show_model(self, request: Request) -> Response:
        """GET /v1/models/{model}."""
        name = request.path_params["model"]
        if not carries_key(request, self.settings.api_key):
            return reject_key()
        hit = self.faults.take("call", call="model", model=name)
        if "model_withdrawn" in hit or not self._has(name):
            return reject_model(name)
        return JSONResponse(_describe_model(name))

    def describe(self) -> dict[str, Any]:
        """What this OpenAI has seen; for the control endpoint."""
        return {"speed": self.settings.speed, "requests": list(self._requests)}

    async def _complete(self, request: Request, asked: RequestModel, shape: Shape) -> Response:
        hit = self.faults.take("call", call="completion", model=asked.model)
        delay_s = hit["slow"].number("delay_s") if "slow" in hit else 0.0
        await asyncio.sleep(delay_s + self.settings.answer_s / self.settings.speed)
        if "no_answer" in hit:
            await hang_up(request.receive, hit["no_answer"].number("delay_s"))
            return Response()
        wrong = _answer_wrongly(hit)
        if wrong is not None:
            return wrong
        if "model_withdrawn" in hit or not self._has(asked.model):
            return reject_model(asked.model)
        mistake = find_mistake(asked)
        if mistake is not None:
            return reject(400, mistake.message, code=mistake.code, parameter=mistake.parameter)
        written = write(asked, self.faults.take("completion", model=asked.model))
        return JSONResponse(shape(asked, written))

    def _has(self, model: str) -> bool:
        return bool(MODEL_NAMES.fullmatch(model)) and model not in self.settings.withdrawn_models

    def _note(self, body: Mapping[str, Any] | None, response: Response) -> Response:
        model = str((body or {}).get("model"))
        self._requests.append(
            {"at": round(time.time(), 4), "model": model, "status": response.status_code}
        )
        return response


def _answer_wrongly(hit: Mapping[str, Fault]) -> Response | None:
    """The error a fault asks for; None when none does."""
    if "bad_key" in hit:
        return reject_key()
    if "refused" in hit:
        fault = hit["refused"]
        code, parameter = fault.text("code") or None, fault.text("parameter") or None
        return reject(
            int(fault.number("status")), fault.text("message"), code=code, parameter=parameter
        )
    if "busy" in hit:
        fault = hit["busy"]
        wait_s = fault.number("retry_after_s")
        headers = {"retry-after": f"{wait_s:g}"} if wait_s else None
        message = "Rate limit reached, or no quota is left."
        return reject(429, message, kind="requests", code=fault.text("code"), headers=headers)
    if "server_error" in hit:
        message = "The server had an error while processing your request."
        return reject(int(hit["server_error"].number("status")), message, kind="server_error")
    return None


def _describe_model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "openai"}
