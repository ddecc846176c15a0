"""A stranger on call with docs/runbook.md alone (tests/end_to_end/on_call.py holds them to it).

Each fault is seen in the report, alerted, found by the doctor or in the logs, and every run is
brought to `ready`.
"""

import re
from typing import Any

import pytest

from tests.end_to_end.deployment import Deployment, end_now, running_workers, start_worker
from tests.end_to_end.on_call import OnCall
from tests.end_to_end.runbook import stands_in_the_page
from tests.fixtures.waiting import wait_until

FOR_GOOD = 0
"""A fault that lasts until it is cleared."""

ATTEMPTS = 3
RETRIES_LATER = 3
"""How often a segment is composed, and how often it is tried again later."""


@pytest.fixture
def deployment(on_call: OnCall) -> Deployment:
    return on_call.deployment


def assert_most_failed_by(cause: str, report: dict[str, Any], at_most: int) -> None:
    """Assert that `cause` ended most attempts of three failed runs, and `at_most` in all.

    Not all of them: Suno's quota may refuse one, which is then tried again later.
    """
    causes = report["errors"]["by_cause"]
    assert max(causes, key=lambda each: causes[each]) == cause, causes
    assert 3 <= causes[cause] <= at_most, causes


def test_lost_callbacks(on_call: OnCall, deployment: Deployment) -> None:
    deployment.ask_fault(fault="lost_callback", times=FOR_GOOD, match={"callback": "*"})
    with on_call.working():
        runs = on_call.begin_runs()
        on_call.wait_for_all(runs, "ready")
        report = on_call.report()
        assert set(report["told_by"]) == {"record_info"}
        assert report["latencies"]["TTFP"]["suno"]["within_target"] == 0
        assert "callbacks" in on_call.firing()
        assert "came without a callback" in on_call.found()["callbacks_lost"]
        assert "source=record_info" in on_call.logs(runs[0])

        deployment.clear_faults()
        later = on_call.begin_runs(4)
        on_call.wait_for_all(later, "ready")
        assert "callbacks" not in on_call.firing()
        assert "callbacks_lost" not in on_call.found()
    assert report["runs"] == {"ready": 3}, "nothing was lost but time"


def test_a_suno_that_answers_429_for_ten_minutes(on_call: OnCall, deployment: Deployment) -> None:
    deployment.ask_fault(fault="rate_limited", status=429, times=FOR_GOOD, match={"call": "*"})
    with on_call.working():
        runs = on_call.begin_runs()
        on_call.wait_for_all(runs, "failed")
        report = on_call.report()
        assert report["refusals_by_code"]["429"] >= 3
        assert report["retries"] >= 3
        assert_most_failed_by("suno_busy", report, at_most=3 * (1 + RETRIES_LATER))
        assert "errors" in on_call.firing()
        found = on_call.wait_until_found("suno_unavailable")
        assert found["failed"].startswith("3 segments failed within a day: Suno was busy")
        assert "code=429" in on_call.logs(runs[0])

        deployment.clear_faults()
        on_call.found("--fix")
        on_call.wait_for_all(runs, "ready")
        on_call.wait_until_well()


def test_a_suno_account_without_credits(on_call: OnCall, deployment: Deployment) -> None:
    deployment.ask_fault(fault="no_credits", times=FOR_GOOD)
    with on_call.working():
        runs = on_call.begin_runs()
        on_call.wait_for_all(runs, "failed")
        report = on_call.report()
        assert set(report["errors"]["by_cause"]) == {"suno_account"}
        assert set(report["refusals_by_code"]) == {"429 (credits)"}
        assert report["cost"]["suno_credits"]["total"] == 0, "what is refused costs nothing"
        ttfp = report["latencies"]["TTFP"]["listener"]
        assert (ttfp["measured"], ttfp["within_target"]) == (3, 0), "unheard is missed"
        assert "credits" in on_call.firing()
        found = on_call.wait_until_found("credits")
        assert found["credits"].startswith("0 credits are left")

        deployment.clear_faults()
        on_call.wait_until_found("failed")
        on_call.found("--fix")
        on_call.wait_for_all(runs, "ready")
        on_call.wait_until_well()


def test_error_callbacks(on_call: OnCall, deployment: Deployment) -> None:
    deployment.ask_fault(fault="error_callback", times=FOR_GOOD)
    with on_call.working():
        runs = on_call.begin_runs()
        on_call.wait_for_all(runs, "failed")
        report = on_call.report()
        assert_most_failed_by("suno_error", report, at_most=3 * ATTEMPTS)
        assert report["runs"] == {"failed": 3}
        assert "errors" in on_call.firing()
        assert "3 segments failed within a day: Suno reported" in on_call.found()["failed"]
        assert "reason=suno_error" in on_call.logs(runs[0])

        deployment.clear_faults()
        assert on_call.named_runs() == set(map(str, runs))
        for run_id in on_call.named_runs():
            assert on_call.type("retry", run_id).status == 0
        on_call.wait_for_all(runs, "ready")
        on_call.wait_until_well()


def test_dead_downloads(on_call: OnCall, deployment: Deployment) -> None:
    # Gone, and not "not yet" as 404 is right after the music was announced.
    deployment.ask_fault(fault="missing", status=410, times=FOR_GOOD, match={"media": "file"})
    with on_call.working():
        runs = on_call.begin_runs()
        on_call.wait_for_all(runs, "failed")
        report = on_call.report()
        assert_most_failed_by("track_unavailable", report, at_most=3 * ATTEMPTS)
        assert {"errors", "job_given_up"} <= on_call.firing()
        assert "3 segments failed within a day: the track could" in on_call.found()["failed"]
        assert "reason=track_unavailable" in on_call.logs(runs[0])

        deployment.clear_faults()
        on_call.found("--fix")
        on_call.wait_for_all(runs, "ready")
        on_call.wait_until_well()
    assert all(
        segment["storage_path"] for run_id in runs for segment in deployment.segments(run_id)
    )


def test_a_supabase_that_is_stopped_and_started(on_call: OnCall, deployment: Deployment) -> None:
    deployment.ask_fault(
        fault="late_callback", times=FOR_GOOD, delay_s=600, match={"callback": "*"}
    )
    with on_call.working():
        runs = on_call.begin_runs()
        wait_until(lambda: all(deployment.tasks_of(run_id) for run_id in runs), 20)
        on_call.supabase.stop()
        try:
            assert on_call.firing() == {"supabase_unavailable"}
            found = on_call.type("doctor", "--json")
            assert found.status == 1 and "no journey begins, goes on" in found.out
            assert on_call.type("report", "--since", "1h").status == 3
        finally:
            on_call.supabase.start()
        deployment.clear_faults()
        on_call.wait_for_all(runs, "ready")
        report = on_call.report()
        assert report["runs"] == {"ready": 3}
        assert report["latencies"]["Run ready"]["listener"]["measured"] == 3
        assert report["latencies"]["TTFC"]["listener"]["within_target"] == 0, "they waited"
        on_call.type("doctor", "--fix")
        assert "supabase_unavailable" not in on_call.firing()


def test_a_worker_that_is_killed(on_call: OnCall, deployment: Deployment) -> None:
    deployment.ask_fault(fault="slow_download", bytes_a_second=500, times=1)
    runs = on_call.begin_runs(4)
    worker = start_worker(deployment, MAINTENANCE_EVERY_S="1", STEPS_MAX="1")
    try:
        deployment.wait_until_storing()
    finally:
        end_now(worker)
    deployment.end_leases()
    wait_until(lambda: "old_job" in on_call.firing(), 20)
    found = on_call.wait_until_found("no_maintenance")
    assert re.search(r"\d jobs of parcours_\w+ wait", found["queues"])
    assert found["no_maintenance"].startswith("no worker has ")
    assert on_call.report()["runs"]["creating"] >= 1
    deployment.clear_faults()
    # What the runbook says to type, `parcours worker`, as a process of its own.
    assert stands_in_the_page(("worker",), {})
    with running_workers(deployment, MAINTENANCE_EVERY_S="1"):
        on_call.wait_for_all(runs, "ready")
        wait_until(lambda: "old_job" not in on_call.firing(), 20)
        on_call.wait_until_well()
