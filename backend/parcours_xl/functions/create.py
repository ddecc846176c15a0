"""parcours-xl-create: a signed-in user's new run (runbook: Edge Functions, 1)."""

import re
from typing import Any

import pydantic
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_xl.adapters.database import Demand
from parcours_xl.functions.house import house_of
from parcours_xl.http.asking import require_user
from parcours_xl.http.bodies import BadRequest, read_body
from parcours_xl.journeys.emotion import EmotionState, parse_emotion_state
from parcours_xl.journeys.preset import Preset
from parcours_xl.journeys.presets import UnknownPreset, find_preset
from parcours_xl.services.creation import create_run

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class CreateRequest(pydantic.BaseModel):
    """presetKey, and what the listener feels, if said."""

    presetKey: str = pydantic.Field(max_length=100)  # noqa: N815
    emotionState: Any = None  # noqa: N815


async def create(request: Request) -> Response:
    """Write a brief and store the run with its segments."""
    house = house_of(request)
    user_id = await require_user(request, house.outside.auth)
    body = await read_body(request, CreateRequest)
    preset, emotion = _find_preset(body.presetKey), _read_emotion(body.emotionState)
    demand = Demand(
        user_id,
        house.settings.daily_run_quota,
        _read_idempotency_key(request),
        {"preset": preset.key, "emotion": emotion.emotion, "intensity": emotion.intensity},
        house.settings.rollout,
    )
    run = await create_run(
        house.outside.database, house.outside.brief_writer, demand, preset, emotion
    )
    return JSONResponse(
        {
            "runId": str(run.run_id),
            "title": run.title,
            "brief": run.brief,
            "segmentsCount": run.segments,
            "status": run.status,
        }
    )


def _find_preset(key: str) -> Preset:
    try:
        return find_preset(key)
    except UnknownPreset as unknown:
        raise BadRequest(
            f"unknown preset; presetKey is one of: {', '.join(unknown.keys)}",
            [{"field": "presetKey", "message": known} for known in unknown.keys],
        ) from None


def _read_emotion(value: object) -> EmotionState:
    try:
        return parse_emotion_state(value)
    except ValueError as error:
        raise BadRequest(
            "the request is not as documented",
            [{"field": "emotionState", "message": str(error)}],
        ) from None


def _read_idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key is 1 to 200 printable characters without spaces")
    return key
