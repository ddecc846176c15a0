"""The OpenAPI 3.1 description of the functions, made from the models that the doors use."""

import inspect
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from parcours_xl.functions.doors import DOORS, Door
from parcours_xl.http.shapes import Answered, Asked, ErrorAnswer

REF = "#/components/schemas/{model}"
EVERY_DOORS_REFUSALS = (400, 408, 413, 429, 431, 500, 503)
WAITING = (429, 502, 503)
MEANINGS = {
    200: "Done.",
    202: "In hand: the work goes on in the background.",
    400: "The request is not as documented.",
    401: "The caller is not who this needs.",
    403: "This belongs to somebody else.",
    404: "There is no such thing.",
    408: "The head did not come within 10 s, or the body not within 30 s.",
    409: "It is not ready.",
    413: "The body is over 64 KiB.",
    422: "The Idempotency-Key was used with another request.",
    429: "A quota is full, every attempt is used up, or one address has too many connections.",
    431: "The request line is over 16 KiB, or the headers are over 64 KiB.",
    500: "Something went wrong on our side.",
    502: "Suno refuses, is busy, or does not answer.",
    503: "Supabase cannot be reached, or the service is stopping or full.",
}
SUNO_REPORT = {
    "description": "The documented shape, or sunoapi.org's own.",
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "stage": {"type": "string", "maxLength": 40},
                "streamUrl": {"type": ["string", "null"]},
                "downloadUrl": {"type": ["string", "null"]},
                "duration": {"type": ["number", "null"]},
                "error": {},
            },
            "required": ["stage"],
        },
        {
            "type": "object",
            "properties": {
                "code": {"type": ["integer", "null"]},
                "msg": {"type": ["string", "null"]},
                "data": {"type": ["object", "null"]},
                "stage": False,
            },
            "required": ["code"],
        },
    ],
}
CALLBACK_PARAMETERS = [
    {
        "name": name,
        "in": "query",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
    for name in ("segment", "token")
]
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "minimum": 1},
    }
}


@cache
def describe_functions() -> dict[str, Any]:
    """The whole description, as served at /openapi.json."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parcours XL", "version": "1"},
        "servers": [{"url": "/functions/v1"}],
        "paths": {f"/{door.name}": {"post": _describe(door)} for door in DOORS},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"user": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe(door: Door) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = []
    if door.caller == "suno":
        parameters = CALLBACK_PARAMETERS
    elif door.name == "parcours-xl-create":
        parameters = [IDEMPOTENCY_KEY]
    body = SUNO_REPORT if door.asked is None else _ref(door.asked)
    refusals = sorted({*EVERY_DOORS_REFUSALS, *door.refusals})
    return {
        "operationId": door.name,
        "summary": (inspect.getdoc(door.handler) or "").partition("\n")[0],
        "parameters": parameters,
        "security": [{"user": []}] if door.caller == "user" else [],
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {str(door.success): _response(door.success, door.answered)}
        | {str(status): _response(status, ErrorAnswer) for status in refusals},
    }


def _response(status: int, model: type[Answered]) -> dict[str, Any]:
    described = {"description": MEANINGS[status], "content": _json(_ref(model))}
    return described | ({"headers": RETRY_AFTER} if status in WAITING else {})


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(model: type[Asked | Answered]) -> dict[str, Any]:
    return {"$ref": REF.format(model=model.__name__)}


def _schemas() -> dict[str, Any]:
    asked = [(door.asked, "validation") for door in DOORS if door.asked]
    answered = [(door.answered, "serialization") for door in DOORS]
    models = [*asked, *answered, (ErrorAnswer, "serialization")]
    _, definitions = models_json_schema(models, ref_template=REF)  # type: ignore[arg-type]
    return dict(definitions["$defs"])
