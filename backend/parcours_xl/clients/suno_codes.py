"""What a "no" of Suno's means: the vendor's code and its text, judged together.

The same rule wherever it stands: the answer to a submission, an error callback, record-info.
Codes of both vendors: docs/vendors.md#suno-codes.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import structlog

Vendor = Literal["sunoapi", "kie"]
RefusalKind = Literal["later", "content", "for_good", "account"]
"""later: the same again may fare better. content: these words are refused, others may not be.
for_good: the request is wrong. account: no credits, or a bad key."""

UNKNOWN_MAX = 200
"""So many unknown codes and statuses are said once each; further ones are not said."""

_CODES: Mapping[int, RefusalKind] = {
    400: "content",  # bad parameters, or (more often) words that are not allowed
    401: "account",
    402: "account",
    404: "for_good",  # wrong method or path; record-info: no such task
    405: "later",  # rate limit (sunoapi)
    408: "later",
    409: "later",
    413: "content",  # too long (sunoapi), matches an existing work (kie)
    422: "for_good",
    425: "later",
    429: "later",
    430: "later",
    433: "later",
    451: "later",  # a file could not be downloaded
    455: "later",  # maintenance
    501: "later",  # generation failed
    531: "later",  # generation failed, credits refunded
}
_OF_VENDOR: Mapping[tuple[Vendor, int], RefusalKind] = {
    ("sunoapi", 429): "account",  # in a body; as an HTTP status it is a rate limit
}
_SHORTAGE = ("insufficient", "not enough", "top up", "run out", "ran out", "exhausted", "no credit")
_RATE = ("frequen", "rate limit", "too many request", "too fast")
_REQUEST = ("parameter", "callback", "must be", "is required", "model")
_CONTENT = (
    "artist",
    "sensitive",
    "copyright",
    "existing work",
    "inappropriate",
    "moderation",
    "prohibited",
    "offensive",
    "profan",
    "song name",
    "song title",
    "band name",
)
_NOT_ABOUT_CONTENT = frozenset({401, 402, 404, 429, 430, 433})

assert set(_CODES.values()) == set(get_args(RefusalKind)), "every kind has a code"

log = structlog.get_logger(__name__)
_reported: set[str] = set()


def judge(
    code: int | None, message: str, vendor: Vendor = "sunoapi", *, in_body: bool = True
) -> RefusalKind:
    """What a refusal means. in_body: the code is the body's, not only the HTTP status."""
    words = message.lower()
    if "credit" in words and any(word in words for word in _SHORTAGE):
        return "account"
    if code not in _NOT_ABOUT_CONTENT and any(word in words for word in _CONTENT):
        return "content"
    if code is None:
        return "later"
    if code in (400, 429) and any(word in words for word in _RATE):
        return "later"
    if code == 400 and any(word in words for word in _REQUEST):
        return "for_good"
    if in_body and (vendor, code) in _OF_VENDOR:
        return _OF_VENDOR[vendor, code]
    if code in _CODES:
        return _CODES[code]
    if not 500 <= code <= 599:
        report_unknown("code", str(code), vendor)
    return "later"


def report_unknown(what: str, value: str, vendor: Vendor) -> None:
    """Say, once in a process, that the vendor has a code or status that is not known here."""
    name = f"{what} {value}"
    if name not in _reported and len(_reported) < UNKNOWN_MAX:
        _reported.add(name)
        log.warning("suno.unknown", what=what, value=value, vendor=vendor)
