"""Moments as Supabase's servers write them into JSON."""

from datetime import UTC, datetime


def rfc3339(moment: datetime | None) -> str | None:
    """A moment as `2026-11-01T08:30:00.000000Z`; supabase-py refuses PostgreSQL's own `+00`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
