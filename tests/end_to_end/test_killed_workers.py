"""A worker is killed with SIGKILL at each step, and another one goes on."""

import pytest

from tests.end_to_end.deployment import Deployment, running_workers, start_worker
from tests.end_to_end.tripwire import Tripwire, When, running_tripwire

SUPABASE_STEPS: list[tuple[str, str, When]] = [
    ("POST", "/rpc/next_steps", "after"),
    ("POST", "/rpc/claim_segment", "before"),
    ("POST", "/rpc/claim_segment", "after"),
    ("POST", "/rpc/answer_suno_request", "before"),
    ("POST", "/rpc/record_task", "before"),
    ("POST", "/rpc/record_task", "after"),
    ("POST", "/rpc/take_track_jobs", "after"),
    ("POST", "/storage/v1/object/parcours-tracks", "before"),
    ("POST", "/storage/v1/object/parcours-tracks", "after"),
    ("POST", "/rpc/record_track", "before"),
    ("POST", "/rpc/record_track", "after"),
    ("POST", "/rpc/finish_job", "before"),
    ("POST", "/rpc/finish_job", "after"),
    ("POST", "/rpc/release_run", "before"),
    ("POST", "/rpc/release_run", "after"),
]
SUNO_STEPS: list[tuple[str, str, When]] = [
    ("POST", "/api/v1/generate", "before"),
    ("POST", "/api/v1/generate", "after"),
    ("GET", ".mp3", "before"),
    ("GET", ".mp3", "after"),
]


def name(step: tuple[str, str, When]) -> str:
    return f"{step[2]} {step[0]} {step[1]}"


@pytest.mark.parametrize("step", SUPABASE_STEPS, ids=name)
def test_another_worker_goes_on_when_one_dies_while_calling_supabase(
    deployment: Deployment, step: tuple[str, str, When]
) -> None:
    with running_tripwire(deployment.project.url, deployment.gate_port) as tripwire:
        rest_url = f"{tripwire.url}/rest/v1"
        dies_and_goes_on(
            deployment, tripwire, step, SUPABASE_URL=tripwire.url, POSTGREST_URL=rest_url
        )


@pytest.mark.parametrize("step", SUNO_STEPS, ids=name)
def test_another_worker_goes_on_when_one_dies_while_calling_suno(
    deployment: Deployment, step: tuple[str, str, When]
) -> None:
    with running_tripwire(deployment.project.suno_url, deployment.gate_port) as tripwire:
        dies_and_goes_on(deployment, tripwire, step, SUNO_API_BASE=tripwire.url)


def dies_and_goes_on(
    deployment: Deployment, tripwire: Tripwire, step: tuple[str, str, When], **environment: str
) -> None:
    run_id = deployment.create_run()
    victim = start_worker(deployment, **environment)
    tripwire.arm(*step, victim)
    deployment.start_run(run_id)
    try:
        assert tripwire.sprung.wait(30), deployment.event_log(run_id)
    finally:
        victim.kill()
        victim.wait()
    deployment.end_leases()
    with running_workers(deployment):
        deployment.wait_for(run_id, "ready")

    [segment] = deployment.segments(run_id)
    assert segment["status"] == "complete"
    assert segment["callback_token"] is None
    assert deployment.events(run_id, "run.ready") == 1
    assert deployment.events(run_id, "segment.complete") == 1
    attempts = [task["payload"]["callBackUrl"] for task in deployment.tasks_of(run_id)]
    assert len(attempts) == len(set(attempts)), "one attempt is never submitted twice"
    path = segment["storage_path"]
    assert len(deployment.query("select true from storage.objects where name = %s", path)) == 1
