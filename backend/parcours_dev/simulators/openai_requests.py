"""What is asked of a model, read from OpenAI's two endpoints."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from parcours_dev.simulators.strict_schemas import Schema, find_fault

REASONING_MODELS = re.compile(r"gpt-[5-9]|o\d")
ALL_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
MODEL_NAMES = re.compile(r"(gpt-\d|o\d|chatgpt-)[\w.-]*")


@dataclass(frozen=True)
class RequestModel:
    """One request to a model, whichever endpoint it came through."""

    model: str
    words: str
    """What the user says; the rules of the system are not part of it."""
    schema_name: str
    schema: Schema | None
    strict: bool
    tokens_max: int | None
    effort: str | None
    given: frozenset[str]
    """The names of all parameters in the request."""

    @property
    def reasons(self) -> bool:
        """Whether reasoning tokens are billed; they are unless switched off.

        See docs/vendors.md#openai-models.
        """
        return bool(REASONING_MODELS.match(self.model)) and self.effort != "none"


def read_chat(body: Mapping[str, Any]) -> RequestModel:
    """A request of /v1/chat/completions."""
    wanted = _mapping(_mapping(body.get("response_format")).get("json_schema"))
    tokens_max = body.get("max_completion_tokens", body.get("max_tokens"))
    return _read(body, body.get("messages"), wanted, tokens_max, body.get("reasoning_effort"))


def read_responses(body: Mapping[str, Any]) -> RequestModel:
    """A request of /v1/responses."""
    wanted = _mapping(_mapping(body.get("text")).get("format"))
    effort = _mapping(body.get("reasoning")).get("effort")
    return _read(body, body.get("input"), wanted, body.get("max_output_tokens"), effort)


class Mistake(NamedTuple):
    """What the real service refuses in a request: its message, the parameter, its error code."""

    message: str
    parameter: str
    code: str | None = None


def efforts_of(model: str) -> tuple[str, ...]:
    """The reasoning efforts that a reasoning model takes: the first generation knows no "none"."""
    if model.startswith("o"):
        return ("low", "medium", "high")
    if re.fullmatch(r"gpt-5(-.*)?", model):
        return ("minimal", "low", "medium", "high")
    return ALL_EFFORTS


def find_mistake(asked: RequestModel) -> Mistake | None:
    """What the real service refuses in such a request; None for a good one."""
    reasoning_model = REASONING_MODELS.match(asked.model)
    if not asked.words.strip():
        return Mistake("Nobody asks anything: there is no message of a user.", "messages")
    if "stream" in asked.given:
        return Mistake("Streaming is not simulated.", "stream")
    if reasoning_model and "max_tokens" in asked.given:
        message = "Unsupported parameter: use 'max_completion_tokens' instead."
        return Mistake(message, "max_tokens", "unsupported_parameter")
    if not reasoning_model and asked.effort is not None:
        message = "Unrecognized request argument supplied: reasoning_effort"
        return Mistake(message, "reasoning_effort")
    if reasoning_model and asked.effort not in (None, *efforts_of(asked.model)):
        named = ", ".join(f"'{effort}'" for effort in efforts_of(asked.model))
        message = (
            f"Unsupported value: 'reasoning_effort' does not support '{asked.effort}' with this"
            f" model. Supported values are: {named}."
        )
        return Mistake(message, "reasoning_effort", "unsupported_value")
    if asked.reasons and "temperature" in asked.given:
        message = "Unsupported parameter: 'temperature' with this model."
        return Mistake(message, "temperature", "unsupported_parameter")
    if asked.strict and asked.schema is not None and (fault := find_fault(asked.schema)):
        message = f"Invalid schema for response_format '{asked.schema_name}': {fault}"
        return Mistake(message, "response_format")
    return None


def _read(
    body: Mapping[str, Any],
    messages: object,
    wanted: Mapping[str, Any],
    tokens_max: object,
    effort: object,
) -> RequestModel:
    schema = wanted.get("schema")
    return RequestModel(
        model=str(body.get("model") or ""),
        words=_read_words(messages),
        schema_name=str(wanted.get("name") or ""),
        schema=schema if isinstance(schema, Mapping) else None,
        strict=wanted.get("strict") is True,
        tokens_max=tokens_max if isinstance(tokens_max, int) else None,
        effort=effort if isinstance(effort, str) else None,
        given=frozenset(name for name, value in body.items() if value not in (None, False)),
    )


def _read_words(messages: object) -> str:
    if isinstance(messages, str):
        return messages
    said = messages if isinstance(messages, list) else []
    return "\n".join(
        _read_content(message.get("content"))
        for message in said
        if isinstance(message, Mapping) and message.get("role") == "user"
    )


def _read_content(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
