"""Why segments fail: one table."""

from parcours_xl.domain.failures import FAILURES, FailureReason, failure_of, failure_summary


def test_every_reason_has_its_row() -> None:
    assert list(FAILURES) == list(FailureReason)
    assert all(failure.summary and failure.advice for failure in FAILURES.values())


def test_an_unknown_reason_of_a_newer_database_is_told_by_its_own_name() -> None:
    assert failure_summary("timeout") == "Suno sent nothing in time"
    assert failure_summary("moon_phase") == "moon_phase"
    assert failure_of(None).remedy == "retry"
