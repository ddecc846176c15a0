"""One event of a run as one line of text."""

from datetime import UTC
from typing import Any

from parcours_xl.clients.operations_queries import LoggedEvent

WHAT_CHARS = 18


def write_line(event: LoggedEvent) -> str:
    """When, which run and segment (from 1), what, and its details."""
    at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    place = "  " if event.segment_index is None else f"#{event.segment_index + 1}"
    details = " ".join(f"{name}={_plain(value)}" for name, value in event.detail.items())
    return f"{at}Z  {event.run_id}  {place}  {event.what:<{WHAT_CHARS}} {details}".rstrip()


def _plain(value: Any) -> str:
    text = str(value)
    # A line is a line, whatever a vendor's message holds.
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return f'"{text}"' if " " in text or not text else text
