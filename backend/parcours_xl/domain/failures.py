"""Why a segment failed: one table that the doctor, the report and docs/runbook.md read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class FailureReason(StrEnum):
    """`metadata.failure.reason` of a segment, as the SQL functions write it."""

    TIMEOUT = "timeout"
    NO_ANSWER = "no_answer"
    SUNO_ERROR = "suno_error"
    SUNO_BUSY = "suno_busy"
    SUNO_REFUSED = "suno_refused"
    SUNO_CONTENT = "suno_content"
    PROMPTS_USED_UP = "prompts_used_up"
    SUNO_ACCOUNT = "suno_account"
    TRACK_UNAVAILABLE = "track_unavailable"
    TRACK_AWAY = "track_away"
    URL_REFUSED = "url_refused"
    STORING_BROKE = "storing_broke"
    ATTEMPTS_USED_UP = "attempts_used_up"


Remedy = Literal["retry", "retry_when_suno_accepts", "force"]
"""What `doctor --fix` may do: compose the segment again; the same, once Suno takes the key and has
credits; or only with `--force`, since the same request would be refused again."""


@dataclass(frozen=True)
class Failure:
    """summary: for reports. retried: the worker tries again by itself. advice: for the operator."""

    summary: str
    retried: bool
    remedy: Remedy
    advice: str


FAILURES: dict[FailureReason, Failure] = {
    FailureReason.TIMEOUT: Failure(
        "Suno sent nothing in time",
        False,
        "retry",
        "check whether callbacks arrive and whether Suno is slow; then --fix composes it again",
    ),
    FailureReason.NO_ANSWER: Failure(
        "Suno never answered the submission",
        True,
        "retry",
        "check the network between the workers and Suno; then --fix composes it again",
    ),
    FailureReason.SUNO_ERROR: Failure(
        "Suno reported an error",
        True,
        "retry",
        "--fix composes it again; if it fails with the same message, ask Suno's support",
    ),
    FailureReason.SUNO_BUSY: Failure(
        "Suno was busy or out of service on every try",
        True,
        "retry",
        "wait until the finding suno_unavailable is gone; then --fix composes it again",
    ),
    FailureReason.SUNO_REFUSED: Failure(
        "Suno refused the request",
        False,
        "force",
        "read Suno's code and message and correct the setting that they name (SUNO_MODEL?); "
        "then --fix --force composes it again",
    ),
    FailureReason.SUNO_CONTENT: Failure(
        "Suno refused the words of the prompt",
        True,
        "retry",
        "--fix composes it again with the preset's own prompt, then with musical facts only",
    ),
    FailureReason.PROMPTS_USED_UP: Failure(
        "Suno refused every prompt for the segment",
        False,
        "force",
        "change the preset's prompt for this segment, or SUNO_MODEL; then --fix --force",
    ),
    FailureReason.SUNO_ACCOUNT: Failure(
        "no Suno credits, or Suno refused the key",
        False,
        "retry_when_suno_accepts",
        "buy credits or correct SUNO_API_KEY (Suno's code says which); then --fix",
    ),
    FailureReason.TRACK_UNAVAILABLE: Failure(
        "the track could not be downloaded or does not play",
        True,
        "retry",
        "--fix composes it again",
    ),
    FailureReason.TRACK_AWAY: Failure(
        "the track's host did not answer",
        True,
        "retry",
        "--fix composes it again once the host answers",
    ),
    FailureReason.URL_REFUSED: Failure(
        "the track's address is not allowed",
        False,
        "force",
        "if the host is Suno's, add it to TRACK_HOST_SUFFIXES, then --fix --force; "
        "if it is not, somebody forges callbacks",
    ),
    FailureReason.STORING_BROKE: Failure(
        "storing the track failed with an internal error on every try",
        False,
        "retry",
        "read the workers' logs (track.error); correct the cause, then --fix composes it again",
    ),
    FailureReason.ATTEMPTS_USED_UP: Failure(
        "every attempt was used up",
        False,
        "retry",
        "tell the listener; ATTEMPTS_MAX allows more",
    ),
}

NOT_KEPT = (
    FailureReason.TRACK_AWAY,
    FailureReason.TRACK_UNAVAILABLE,
    FailureReason.STORING_BROKE,
)
"""Suno delivered a track, and it could not be downloaded or stored."""


def failure_of(reason: str | None) -> Failure:
    """The table's entry; for a reason that a newer database may write, the reason itself."""
    known = FAILURES.get(reason) if reason else None  # type: ignore[call-overload]
    return known or Failure(reason or "unknown", False, "retry", "--fix composes it again")


def failure_summary(reason: str | None) -> str:
    """Why a segment failed, in words."""
    return failure_of(reason).summary
