"""`parcours worker --metrics-port`: a worker is watched as the service is."""

import socket
import subprocess

import httpx

from parcours_dev.ports import choose_free_ports
from tests.end_to_end.deployment import Deployment, end_now, start_worker, worker_command
from tests.fixtures.waiting import wait_until

STOP_S_MAX = 10


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_a_worker_with_a_port_tells_what_it_does_and_stops_as_others_do(
    deployment: Deployment,
) -> None:
    [port] = choose_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    run_id = deployment.create_run()
    deployment.start_run(run_id)
    worker = start_worker(deployment, "--metrics-port", str(port))
    try:
        wait_until(lambda: answers(url))
        assert httpx.get(f"{url}/readyz").json()["ok"] is True
        assert httpx.get(f"{url}/metrics").status_code == 401
        deployment.wait_for(run_id, "ready")
        key = {"Authorization": f"Bearer {deployment.project.service_role_key}"}
        text = httpx.get(f"{url}/metrics", headers=key).text
        for words in (
            'parcours_job_seconds_count{outcome="stored",queue="parcours_tracks"}',
            'parcours_suno_seconds_count{call="generate",outcome="ok"}',
            'parcours_sql_seconds_count{function="claim_segment",outcome="ok"}',
            "parcours_supabase_up 1.0",
            "process_resident_memory_bytes",
        ):
            assert words in text, words
        worker.terminate()
        assert worker.wait(STOP_S_MAX) == 0
    finally:
        end_now(worker)


def test_a_port_that_is_taken_is_told_before_any_work(deployment: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            worker_command("--metrics-port", str(port)),
            env={"PATH": "/usr/bin:/bin", **deployment.environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 2
    said = ended.stderr.strip()
    assert said.startswith(f"parcours: cannot listen on 127.0.0.1:{port}: another program listens")
    assert "\n" not in said and ended.stdout == ""
