"""SIGTERM: what is under way is finished or handed back, within ten seconds."""

import time

from tests.end_to_end.deployment import Deployment, end_now, running_workers, start_worker

STOP_S_MAX = 10


def test_a_worker_told_to_stop_hands_a_long_transfer_to_another(deployment: Deployment) -> None:
    deployment.ask_fault(fault="slow_download", bytes_a_second=500, times=1)
    run_id = deployment.create_run()
    deployment.start_run(run_id)
    leaving = start_worker(deployment)
    try:
        deployment.wait_until_storing()
        told_at = time.monotonic()
        leaving.terminate()
        assert leaving.wait(STOP_S_MAX) == 0
        assert time.monotonic() - told_at < STOP_S_MAX
    finally:
        end_now(leaving)
    [job] = deployment.query(
        "select vt <= clock_timestamp() as is_free from pgmq.q_parcours_tracks"
    )
    assert job["is_free"], "the job was handed back, not left to its lease"
    with running_workers(deployment):
        deployment.wait_for(run_id, "ready")


def test_an_idle_worker_stops_at_once(deployment: Deployment) -> None:
    worker = start_worker(deployment)
    worker.terminate()
    try:
        assert worker.wait(STOP_S_MAX) == 0
    finally:
        end_now(worker)
