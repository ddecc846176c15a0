"""The state transitions of a segment and of a run, as tables.

Source: docs/specification.md#states. PostgreSQL enforces the same tables, and a test compares the
two.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class SegmentStatus(StrEnum):
    """Where one piece of music is on its way (docs/specification.md#segment-states)."""

    QUEUED = "queued"
    GENERATING = "generating"
    FIRST = "first"
    COMPLETE = "complete"
    FAILED = "failed"


class RunStatus(StrEnum):
    """Where a whole journey is on its way (docs/specification.md#run-states)."""

    CREATING = "creating"
    READY = "ready"
    FAILED = "failed"


SEGMENT_TRANSITIONS: Mapping[SegmentStatus, frozenset[SegmentStatus]] = MappingProxyType(
    {
        # Steps may be skipped: a callback can be quicker than we are, and `first` may never come.
        SegmentStatus.QUEUED: frozenset(
            {
                SegmentStatus.GENERATING,
                SegmentStatus.FIRST,
                SegmentStatus.COMPLETE,
                SegmentStatus.FAILED,
            }
        ),
        SegmentStatus.GENERATING: frozenset(
            {SegmentStatus.FIRST, SegmentStatus.COMPLETE, SegmentStatus.FAILED}
        ),
        SegmentStatus.FIRST: frozenset({SegmentStatus.COMPLETE, SegmentStatus.FAILED}),
        # Back to the queue only with a new callback token; complete only for music that came late.
        SegmentStatus.FAILED: frozenset({SegmentStatus.QUEUED, SegmentStatus.COMPLETE}),
        SegmentStatus.COMPLETE: frozenset(),
    }
)

RUN_TRANSITIONS: Mapping[RunStatus, frozenset[RunStatus]] = MappingProxyType(
    {
        RunStatus.CREATING: frozenset({RunStatus.READY, RunStatus.FAILED}),
        RunStatus.FAILED: frozenset({RunStatus.CREATING, RunStatus.READY}),
        RunStatus.READY: frozenset(),
    }
)

assert set(SEGMENT_TRANSITIONS) == set(SegmentStatus), "every segment status says where it may go"
assert set(RUN_TRANSITIONS) == set(RunStatus), "every run status says where it may go"
assert all(status not in SEGMENT_TRANSITIONS[status] for status in SegmentStatus), (
    "a move is a change"
)
assert all(status not in RUN_TRANSITIONS[status] for status in RunStatus), "a move is a change"
