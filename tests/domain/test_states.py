"""The state transitions of segments and runs."""

from parcours_xl.domain.states import RUN_TRANSITIONS, SEGMENT_TRANSITIONS, RunStatus, SegmentStatus


def test_statuses_are_the_documented_words() -> None:
    assert [*SegmentStatus] == ["queued", "generating", "first", "complete", "failed"]
    assert [*RunStatus] == ["creating", "ready", "failed"]


def test_a_segment_moves_as_decided() -> None:
    assert {status: set(moves) for status, moves in SEGMENT_TRANSITIONS.items()} == {
        "queued": {"generating", "first", "complete", "failed"},
        "generating": {"first", "complete", "failed"},
        "first": {"complete", "failed"},
        "failed": {"queued", "complete"},
        "complete": set(),
    }


def test_a_run_moves_as_decided() -> None:
    assert {status: set(moves) for status, moves in RUN_TRANSITIONS.items()} == {
        "creating": {"ready", "failed"},
        "failed": {"creating", "ready"},
        "ready": set(),
    }


def test_every_segment_can_still_end_well_unless_it_has_ended() -> None:
    for status in set(SegmentStatus) - {SegmentStatus.COMPLETE}:
        assert SegmentStatus.COMPLETE in SEGMENT_TRANSITIONS[status]
