"""Many workers share the work: one task a segment, and never more than Suno allows."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.end_to_end.deployment import Deployment, running_workers
from tests.fixtures.waiting import wait_until

# More than two windows' worth of Suno's real limit.
RUNS, WORKERS = 44, 4
REQUESTS_MAX, WINDOW_S = 20, 10.0


def test_four_workers_never_exceed_the_quota_as_suno_counts_it(deployment: Deployment) -> None:
    wait_until(lambda: nobody_asked_lately(deployment), 2 * WINDOW_S)
    seen_before = len(deployment.suno()["window"]["arrivals"])
    run_ids = [deployment.create_run() for _ in range(RUNS)]
    for run_id in run_ids:
        deployment.start_run(run_id)
    with running_workers(deployment, WORKERS):
        wait_until(
            lambda: all(deployment.status(run_id) == "ready" for run_id in run_ids),
            180,
            lambda: deployment.event_log(
                next(r for r in run_ids if deployment.status(r) != "ready")
            ),
        )

    window = deployment.suno()["window"]
    arrivals = [arrival["at"] for arrival in window["arrivals"][seen_before:]]
    assert len(arrivals) >= RUNS
    worst = max(sum(start <= at < start + WINDOW_S for at in arrivals) for start in arrivals)
    assert worst <= REQUESTS_MAX
    assert window["refused"] == 0
    tasks = [len(deployment.tasks_of(run_id)) for run_id in run_ids[:4]]
    assert tasks == [1, 1, 1, 1]


def test_two_runners_at_once_make_one_task_a_segment(deployment: Deployment) -> None:
    run_id = deployment.create_run(segments=3)
    with running_workers(deployment, 2), ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda _: deployment.start_run(run_id), range(8)))
        deployment.wait_for(run_id, "ready")
        deployment.start_run(run_id)
    by_segment = sorted(task["segment"] for task in deployment.tasks_of(run_id))
    assert by_segment == sorted(str(segment["id"]) for segment in deployment.segments(run_id))
    assert deployment.events(run_id, "run.started") == 1


def test_twenty_equal_completions_at_once_make_one_upload(deployment: Deployment) -> None:
    deployment.ask_fault(fault="doubled_callback", copies=20, times=1)
    run_id = deployment.create_run()
    deployment.start_run(run_id)
    with running_workers(deployment, 2):
        deployment.wait_for(run_id, "ready")
        wait_until(lambda: deployment.query("select true from pgmq.q_parcours_tracks") == [], 10)
    assert deployment.events(run_id, "segment.delivered") == 1
    assert deployment.events(run_id, "segment.complete") == 1


def nobody_asked_lately(deployment: Deployment) -> bool:
    """Suno's window is empty: what earlier tests asked is not counted with what this one does."""
    since = time.time() - WINDOW_S
    return all(arrival["at"] < since for arrival in deployment.suno()["window"]["arrivals"])
