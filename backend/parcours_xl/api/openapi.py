"""The OpenAPI 3.1 description of the functions, made from the models that the routes use."""

import inspect
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from parcours_xl.api.routes import FUNCTION_ROUTES, FunctionRoute
from parcours_xl.api.schemas import ErrorResponse, RequestModel, ResponseModel

REF = "#/components/schemas/{model}"
COMMON_ERRORS = (400, 408, 413, 429, 431, 500, 503)
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
        "paths": {f"/{route.name}": {"post": _describe(route)} for route in FUNCTION_ROUTES},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"user": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe(route: FunctionRoute) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = []
    if route.caller == "suno":
        parameters = CALLBACK_PARAMETERS
    elif route.name == "parcours-xl-create":
        parameters = [IDEMPOTENCY_KEY]
    body = SUNO_REPORT if route.request_model is None else _ref(route.request_model)
    errors = sorted({*COMMON_ERRORS, *route.errors})
    return {
        "operationId": route.name,
        "summary": (inspect.getdoc(route.handler) or "").partition("\n")[0],
        "parameters": parameters,
        "security": [{"user": []}] if route.caller == "user" else [],
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {str(route.success): _response(route.success, route.response_model)}
        | {str(status): _response(status, ErrorResponse) for status in errors},
    }


def _response(status: int, model: type[ResponseModel]) -> dict[str, Any]:
    described = {"description": MEANINGS[status], "content": _json(_ref(model))}
    return described | ({"headers": RETRY_AFTER} if status in WAITING else {})


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(model: type[RequestModel | ResponseModel]) -> dict[str, Any]:
    return {"$ref": REF.format(model=model.__name__)}


def _schemas() -> dict[str, Any]:
    request_model = [
        (route.request_model, "validation") for route in FUNCTION_ROUTES if route.request_model
    ]
    response_model = [(route.response_model, "serialization") for route in FUNCTION_ROUTES]
    models = [*request_model, *response_model, (ErrorResponse, "serialization")]
    _, definitions = models_json_schema(models, ref_template=REF)  # type: ignore[arg-type]
    return dict(definitions["$defs"])
