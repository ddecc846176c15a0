"""parcours-xl-create: a signed-in user's new run (docs/specification.md#parcours-xl-create)."""

import time
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.authentication import require_user
from parcours_xl.api.schemas import (
    BadRequest,
    Fault,
    RequestModel,
    ResponseModel,
    json_response,
    read_body,
)
from parcours_xl.api.state import AppState, app_state
from parcours_xl.clients.database import Demand
from parcours_xl.domain.bilingual import Language
from parcours_xl.domain.emotion import (
    TEXT_PATTERN,
    WORD_PATTERN,
    EmotionState,
    parse_emotion_state,
)
from parcours_xl.domain.preset import Preset
from parcours_xl.domain.presets import UnknownPreset, all_presets, find_preset
from parcours_xl.domain.states import RunStatus
from parcours_xl.services.creation import create_run
from parcours_xl.services.generation import submit_first_segment

PRESET_KEYS = [key for preset in all_presets() for key in (preset.key, preset.slug)]
EMOTION_STATE = {
    "description": "What the listener feels, and how strongly (0 to 1).",
    "anyOf": [
        {"type": "string", "pattern": TEXT_PATTERN},
        {
            "type": "object",
            "properties": {
                "emotion": {"type": ["string", "null"], "pattern": WORD_PATTERN},
                "intensity": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            },
            "additionalProperties": False,
        },
        {"type": "null"},
    ],
}
KEY_CHARS_MAX = 200


class CreateRequest(RequestModel):
    """presetKey, and what the listener feels, if said."""

    preset_key: Annotated[
        str, Field(max_length=100), WithJsonSchema({"type": "string", "enum": PRESET_KEYS})
    ]
    emotion_state: Annotated[Any, WithJsonSchema(EMOTION_STATE)] = None


class CreateResponse(ResponseModel):
    """The new run, or the earlier one of a repeated Idempotency-Key."""

    run_id: UUID
    title: str | None
    brief: str | None
    segments_count: int
    status: RunStatus
    briefs: Annotated[
        dict[Language, str] | None, Field(description="The brief in each language of the page")
    ] = None


async def create(request: Request) -> Response:
    """Write a brief and store the run with its segments; the first may be submitted at once."""
    asked_at = time.monotonic()
    state = app_state(request)
    user_id = await require_user(request, state.clients.auth)
    body = await read_body(request, CreateRequest)
    preset, emotion = read_preset(body.preset_key), _read_emotion(body.emotion_state)
    demand = Demand(
        user_id,
        state.settings.quotas,
        _read_idempotency_key(request),
        {"preset": preset.key, "emotion": emotion.emotion, "intensity": emotion.intensity},
        state.settings.rollout,
    )
    run = await create_run(
        state.clients.database,
        state.brief_writer,
        demand,
        preset,
        emotion,
        asked_at,
        _first_submission(state) if state.settings.submits_first_early else None,
    )
    return json_response(
        CreateResponse(
            run_id=run.run_id,
            title=run.title,
            brief=run.brief,
            briefs=run.briefs,
            segments_count=run.segments,
            status=RunStatus(run.status),
        )
    )


def _first_submission(state: AppState) -> Callable[[UUID], None]:
    """What begins a run's first segment, beside the brief."""

    def begin(run_id: UUID) -> None:
        clients = state.clients
        state.background.start(
            submit_first_segment(
                clients.database, clients.suno, state.settings.callback_base, run_id
            )
        )

    return begin


def read_preset(key: str) -> Preset:
    try:
        return find_preset(key)
    except UnknownPreset as unknown:
        raise BadRequest(
            f"unknown preset; presetKey is one of: {', '.join(unknown.keys)}",
            [Fault(field="presetKey", message=known) for known in unknown.keys],
        ) from None


def _read_emotion(value: object) -> EmotionState:
    try:
        return parse_emotion_state(value)
    except ValueError as error:
        raise BadRequest(
            "the request is not as documented",
            [Fault(field="emotionState", message=str(error))],
        ) from None


def _read_idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _is_key(key):
        raise BadRequest(
            f"Idempotency-Key is 1 to {KEY_CHARS_MAX} printable characters without spaces"
        )
    return key


def _is_key(key: str) -> bool:
    return 0 < len(key) <= KEY_CHARS_MAX and key.isascii() and key.isprintable() and " " not in key
