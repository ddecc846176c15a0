"""What a journey has shown: times, states, tracks and closed doors."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class TrackReport:
    """One segment's track, as its owner fetched it. Times in seconds; url without its token."""

    index: int
    title: str
    status: str
    planned_s: int
    preview_after_s: float | None
    complete_after_s: float | None
    path: str
    url: str
    bytes: int
    seconds: float
    range_status: int

    @property
    def is_whole(self) -> bool:
        return self.status == "complete" and self.bytes > 0 and self.range_status == 206


@dataclass(frozen=True)
class JourneyReport:
    """A journey from the tap to the last signed track.

    first_preview_s: from the run's creation to the first sound a listener could hear. stranger and
    anonymous: the status that sign-track gave to another user, and to nobody.
    """

    run_id: str
    title: str
    brief: str
    status: str
    speed: float
    first_preview_s: float | None
    first_complete_s: float | None
    ready_s: float
    stranger: int
    anonymous: int
    tracks: list[TrackReport] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """What is not as it must be; empty when all is well."""
        expected = {
            "the run is ready": self.status == "ready",
            "every track was fetched whole, and in part (206)": bool(self.tracks)
            and all(track.is_whole for track in self.tracks),
            "the journey lasts 18 to 24 minutes": 1080 <= self.planned_s <= 1440,
            "another user is refused (403)": self.stranger == 403,
            "an anonymous caller is refused (401)": self.anonymous == 401,
        }
        return [what for what, so in expected.items() if not so]

    @property
    def planned_s(self) -> int:
        return sum(track.planned_s for track in self.tracks)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"planned_s": self.planned_s, "faults": self.faults}


def seconds_between(start: str, end: str | None) -> float | None:
    """Seconds from one timestamp of the database to another; None when there is no end."""
    if end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
