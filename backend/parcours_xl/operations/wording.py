"""Figures, statuses and causes in the words that operators read."""

from datetime import timedelta

NO_BREAK = "\u00a0"

STATUSES = {
    "queued": "waiting",
    "generating": "being composed",
    "first": "preview plays",
    "complete": "complete",
    "creating": "under way",
    "ready": "ready",
    "failed": "failed",
}

BRIEF_REASONS = {
    "no_key": "OPENAI_API_KEY is not set",
    "bad_key": "OpenAI refuses the key",
    "no_credits": "OpenAI has no credits left for this key",
    "rate_limit": "OpenAI's rate limit",
    "timeout": "OpenAI was too slow",
    "connection": "OpenAI could not be reached",
    "model_withdrawn": "OpenAI refuses the model",
    "cut_off": "the answer was cut off",
    "content_filter": "OpenAI's content filter",
    "refusal": "the model declined",
    "empty": "the answer was empty",
    "bad_output": "the answer was no brief",
    "unfit": "the brief said what a brief must not say",
    "being_written": "it was still being written",
    "cancelled": "the run was cancelled meanwhile",
    "late": "later pieces were under way, or had failed, before it was written",
}


def brief_reason(reason: str) -> str:
    """Why OpenAI wrote no brief, in words; the reason itself when it is a new one."""
    return BRIEF_REASONS.get(reason, reason)


PUT_OFF_REASONS = {
    "credits_daily_max": "SUNO_CREDITS_DAILY_MAX is reached",
    "suno_busy": "Suno is busy or out of service",
}


def put_off_reason(reason: str) -> str:
    """Why a run waits, in words; the reason itself when it is a new one."""
    return PUT_OFF_REASONS.get(reason, reason)


def amount(value: float | None) -> str:
    """A quantity: 48, 1,250, 12.5."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.1f}"


def seconds(value: float | None) -> str:
    """A time: 0.3 s, 41 s, 2 min 05, 24 min, 1 h 10."""
    if value is None:
        return "–"
    if 0 < value < 10:
        words = f"{value:.1f} s".replace(".0 ", " ")
    elif round(value) < 60:
        words = f"{value:.0f} s"
    else:
        minutes, rest = divmod(round(value), 60)
        words = f"{minutes // 60} h {minutes % 60:02}" if minutes >= 60 else f"{minutes} min"
        if minutes < 60 and rest:
            words += f" {rest:02}"
    return words.replace(" ", NO_BREAK)


def share(value: float | None) -> str:
    """A share as a percentage; never rounded up to all nor down to nothing."""
    if value is None:
        return "–"
    percent = value * 100
    if 0 < percent < 1 or 99 < percent < 100:
        return f"{min(99.9, max(0.1, percent)):.1f}{NO_BREAK}%"
    return f"{percent:.0f}{NO_BREAK}%"


def period(length: timedelta) -> str:
    """A length of time, after "the last": 7 days, 24 hours, hour, 15 minutes."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = length.total_seconds() / size
        if count >= 2 or (count >= 1 and unit != "day"):
            return f"{count:.0f} {unit}s" if round(count) != 1 else unit
    return f"{length.total_seconds():.0f} seconds"
