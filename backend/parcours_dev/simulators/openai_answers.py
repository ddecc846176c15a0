"""What a model wrote, worded as OpenAI's two endpoints answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from starlette.responses import JSONResponse, Response

from parcours_dev.simulators.openai_requests import RequestModel

CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True)
class Written:
    """What the model made of a request."""

    text: str
    tokens: int
    reasoning_tokens: int
    finish: Literal["stop", "length", "content_filter"] = "stop"
    refusal: str | None = None


def shape_chat(asked: RequestModel, written: Written) -> dict[str, Any]:
    """The body of a chat completion."""
    spent, given = _spent(written), _given(asked)
    return {
        "id": f"chatcmpl-{_name(asked)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked.model,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None if written.refusal else written.text,
                    "refusal": written.refusal,
                },
                "logprobs": None,
                "finish_reason": written.finish,
            }
        ],
        "usage": {
            "prompt_tokens": given,
            "completion_tokens": spent,
            "total_tokens": given + spent,
            "completion_tokens_details": {"reasoning_tokens": written.reasoning_tokens},
        },
    }


def shape_responses(asked: RequestModel, written: Written) -> dict[str, Any]:
    """The body of a response; one that is cut off is incomplete."""
    spent, given = _spent(written), _given(asked)
    whole = written.finish == "stop"
    reason = "max_output_tokens" if written.finish == "length" else written.finish
    status = "completed" if whole else "incomplete"
    part = (
        {"type": "refusal", "refusal": written.refusal}
        if written.refusal
        else {"type": "output_text", "text": written.text, "annotations": []}
    )
    message = {"type": "message", "id": f"msg_{_name(asked)}", "role": "assistant"}
    return {
        "id": f"resp_{_name(asked)}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": None if whole else {"reason": reason},
        "model": asked.model,
        "output": [message | {"status": status, "content": [part]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": spent,
            "output_tokens_details": {"reasoning_tokens": written.reasoning_tokens},
            "total_tokens": given + spent,
        },
    }


def reject(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    parameter: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error in OpenAI's words."""
    error = {"message": message, "type": kind, "param": parameter, "code": code}
    return JSONResponse({"error": error}, status, headers)


def reject_model(model: str) -> Response:
    """The model was never there, or is no longer."""
    message = f"The model '{model}' does not exist or you do not have access to it."
    return reject(404, message, code="model_not_found")


def reject_key() -> Response:
    """No key, or a wrong one."""
    return reject(401, "Incorrect API key provided.", code="invalid_api_key")


def _given(asked: RequestModel) -> int:
    return len(asked.words) // CHARACTERS_A_TOKEN


def _spent(written: Written) -> int:
    return written.tokens + written.reasoning_tokens


def _name(asked: RequestModel) -> str:
    return sha256(f"{asked.model}\n{asked.words}".encode()).hexdigest()[:24]
