"""What a journey has shown to whoever lived it: times, states and tracks."""

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
    path: str | None
    url: str
    bytes: int
    seconds: float
    range_status: int

    @property
    def is_whole(self) -> bool:
        return self.status == "complete" and self.bytes > 0 and self.range_status == 206


@dataclass(frozen=True)
class JourneyReport:
    """A journey from the tap to the last signed track. Times in seconds.

    first_preview_s: from the run's creation to the first sound a listener could hear.
    """

    run_id: str
    title: str | None
    brief: str | None
    status: str
    ready_s: float
    tracks: list[TrackReport] = field(default_factory=list)

    @property
    def first_preview_s(self) -> float | None:
        return _earliest([track.preview_after_s for track in self.tracks])

    @property
    def first_complete_s(self) -> float | None:
        return _earliest([track.complete_after_s for track in self.tracks])

    @property
    def planned_s(self) -> int:
        return sum(track.planned_s for track in self.tracks)

    @property
    def expectations(self) -> dict[str, bool]:
        """What must be so of every journey, and whether it is."""
        return {
            "the run is ready": self.status == "ready",
            "every track was fetched whole, and in part (206)": bool(self.tracks)
            and all(track.is_whole for track in self.tracks),
        }

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "first_preview_s": self.first_preview_s,
            "first_complete_s": self.first_complete_s,
            "planned_s": self.planned_s,
        }


def seconds_between(start: str, end: str | None) -> float | None:
    """Seconds from one timestamp of the database to another; None when there is no end."""
    if end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _earliest(moments: list[float | None]) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)
