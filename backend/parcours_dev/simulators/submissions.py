"""What Suno accepts: a payload must pass the old rules and the new ones.

See docs/vendors.md#suno-generate.

The older documentation and the newest contradict each other and nobody knows which the live
service follows, so what either would refuse is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

MODELS = ("V4", "V4_5", "V4_5ALL", "V4_5PLUS", "V5", "V5_5", "V6", "V6_MINI", "V6_WILD")
DURATION_MODELS = ("V5_5", "V6", "V6_MINI", "V6_WILD")
DURATION_S_MIN, DURATION_S_MAX = 10, 360
UNASKED_SECONDS = {"V4": 230, "V6": 20, "V6_MINI": 20, "V6_WILD": 20}
"""How long a track gets without `duration`; V6 takes its documented default."""
UNASKED_SECONDS_OTHERS = 300

LENGTHS_MAX = {"title": 80, "negativeTags": 1_000, "lyrics": 5_000}
STYLE_MAX, STYLE_MAX_V4 = 1_000, 200
PROMPT_MAX, PROMPT_MAX_V4, PROMPT_MAX_SIMPLE = 5_000, 3_000, 500
WEIGHTS = ("styleWeight", "weirdnessConstraint", "audioWeight")
CUSTOM_ONLY = ("title", "negativeTags", "duration", "vocalGender", *WEIGHTS, "variety")

Refusal = tuple[int, str]
"""Body code and message."""


def find_refusal(payload: Mapping[str, Any]) -> Refusal | None:
    """The first rule a submission breaks: 400 for wrong parameters, 413 for too long ones."""
    return next(_broken_rules(payload), None)


def asked_seconds(payload: Mapping[str, Any]) -> float:
    """The length a valid submission asks for, or the model's own."""
    duration = payload.get("duration")
    if duration is not None:
        return float(duration)
    return float(UNASKED_SECONDS.get(payload["model"], UNASKED_SECONDS_OTHERS))


def _broken_rules(payload: Mapping[str, Any]) -> Iterator[Refusal]:
    yield from _required(payload)
    yield from _types(payload)
    yield from _lengths(payload)
    yield from _ranges(payload)
    yield from _custom(payload) if payload["customMode"] else _simple(payload)


def _required(payload: Mapping[str, Any]) -> Iterator[Refusal]:
    for name in ("customMode", "instrumental"):
        if not isinstance(payload.get(name), bool):
            yield 400, f"{name} must be true or false"
    if payload.get("model") not in MODELS:
        yield 400, f"model must be one of {', '.join(MODELS)}"
    url = payload.get("callBackUrl")
    if not isinstance(url, str) or not _is_web_address(url):
        yield 400, "callBackUrl must be a valid URL"


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _types(payload: Mapping[str, Any]) -> Iterator[Refusal]:
    for name in ("prompt", "style", "title", "negativeTags", "lyrics", "personaId"):
        if not isinstance(payload.get(name, ""), str):
            yield 400, f"{name} must be a text"
    if payload.get("vocalGender", "m") not in ("m", "f"):
        yield 400, "vocalGender must be m or f"


def _lengths(payload: Mapping[str, Any]) -> Iterator[Refusal]:
    v4, custom = payload["model"] == "V4", payload["customMode"]
    prompt_max = PROMPT_MAX_SIMPLE if not custom else PROMPT_MAX_V4 if v4 else PROMPT_MAX
    limits = LENGTHS_MAX | {"style": STYLE_MAX_V4 if v4 else STYLE_MAX, "prompt": prompt_max}
    for name, limit in limits.items():
        if len(payload.get(name, "")) > limit:
            yield 413, f"{name} must not exceed {limit} characters"


def _ranges(payload: Mapping[str, Any]) -> Iterator[Refusal]:
    for name in WEIGHTS:
        if name in payload and not _between(payload[name], 0, 1):
            yield 400, f"{name} must be between 0 and 1"
    if "variety" in payload and payload["variety"] not in (0, 1, 2, 3, 4):
        yield 400, "variety must be 0, 1, 2, 3 or 4"
    if "duration" not in payload:
        return
    if payload["model"] not in DURATION_MODELS:
        yield 400, f"duration is only supported by {', '.join(DURATION_MODELS)}"
    if not _between(payload["duration"], DURATION_S_MIN, DURATION_S_MAX):
        yield 400, f"duration must be between {DURATION_S_MIN} and {DURATION_S_MAX}"


def _between(value: object, lowest: float, highest: float) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and lowest <= value <= highest
    )


def _custom(payload: Mapping[str, Any]) -> Iterator[Refusal]:
    needed = ("style", "title") if payload["instrumental"] else ("style", "prompt", "title")
    for name in needed:
        if not payload.get(name):
            yield 400, f"{name} is required in custom mode"
    if payload["instrumental"] and "audioWeight" in payload:
        yield 400, "audioWeight is not supported without vocals"


def _simple(payload: Mapping[str, Any]) -> Iterator[Refusal]:
    if not payload.get("prompt"):
        yield 400, "prompt is required"
    for name in ("style", "lyrics", *CUSTOM_ONLY):
        if payload.get(name):
            yield 400, f"{name} must be empty outside custom mode"
    yield 400, "one of style, lyrics, imageUrls, videoUrls or audioUrls is required"
