"""Periods as operators write them: 90s, 15m, 48h, 7d, or since a moment (RFC 3339)."""

import re
from datetime import datetime, timedelta

PERIOD_MAX = timedelta(days=366)
MOMENT_CHARS_MAX = 64

_PERIOD = re.compile(r"(\d{1,9})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_period(text: str) -> timedelta:
    """A length of time of at most a year. Raises ValueError."""
    found = _PERIOD.fullmatch(text.strip()) if len(text) <= MOMENT_CHARS_MAX else None
    if found is None:
        raise ValueError("a period is a number and a unit: 90s, 15m, 48h, 7d")
    period = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta(0) < period <= PERIOD_MAX:
        raise ValueError(f"a period is over 0 and at most {PERIOD_MAX.days}d")
    return period


def read_moment(text: str, now: datetime) -> datetime:
    """A moment, or so long before now. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text[: MOMENT_CHARS_MAX + 1])
    except ValueError:
        return now - read_period(text)
    if moment.tzinfo is None:
        raise ValueError("a moment names its time zone: 2026-11-22T18:00:00Z")
    return moment
