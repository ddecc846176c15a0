"""What Suno or somebody in its name does wrong, and what becomes of the run."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from tests.end_to_end.deployment import Deployment, running_workers
from tests.fixtures.waiting import wait_until


@contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A loopback server that notes every connection."""
    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    connections.append(server.accept())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1], connections
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_forged_completion_never_reaches_a_loopback_server(
    deployment: Deployment, host: str, scheme: str
) -> None:
    run_id = deployment.create_run()
    deployment.call(
        "parcours-xl-generate", {"runId": str(run_id), "segmentIndex": 0}
    ).raise_for_status()
    [segment] = deployment.segments(run_id)
    with listening() as (port, connections), running_workers(deployment):
        url = f"{scheme}://{host}:{port}/final.mp3"
        answer = deployment.call(
            "parcours-xl-callback",
            {"stage": "complete", "downloadUrl": url, "duration": 125},
            params={"segment": str(segment["id"]), "token": str(segment["callback_token"])},
        )
        assert answer.status_code == 200
        # Suno is asked what has become of its task, and its music comes all the same.
        wait_until(lambda: deployment.segments(run_id)[0]["status"] == "complete", 30)
    assert connections == []
    [composed] = deployment.segments(run_id)
    assert composed["storage_path"]
    assert url not in str(composed)


def test_lost_callbacks_are_made_good_by_asking_suno(deployment: Deployment) -> None:
    for stage in ("first", "complete"):
        deployment.ask_fault(fault="lost_callback", match={"callback": stage})
    run_id = finish_run(deployment)
    assert len(deployment.tasks_of(run_id)) == 1


def test_a_failed_composition_is_tried_again_by_itself(deployment: Deployment) -> None:
    deployment.ask_fault(fault="error_callback", times=1)
    run_id = finish_run(deployment)
    assert deployment.events(run_id, "segment.failed") == 1
    assert len(deployment.tasks_of(run_id)) == 2


def test_a_failed_run_is_resumed_by_the_runner(deployment: Deployment) -> None:
    deployment.ask_fault(fault="refused", times=1)
    run_id = deployment.create_run(segments=2)
    deployment.start_run(run_id)
    with running_workers(deployment):
        deployment.wait_for(run_id, "failed")
        assert [s["status"] for s in deployment.segments(run_id)] == ["failed", "complete"]
        deployment.start_run(run_id)
        deployment.wait_for(run_id, "ready")


def test_no_credits_end_a_run_after_one_request(deployment: Deployment) -> None:
    deployment.ask_fault(fault="no_credits")
    seen_before = len(deployment.suno()["window"]["arrivals"])
    run_id = deployment.create_run(segments=4)
    deployment.start_run(run_id)
    with running_workers(deployment):
        deployment.wait_for(run_id, "failed")
    assert {s["metadata"]["failure"]["reason"] for s in deployment.segments(run_id)} == {
        "suno_account"
    }
    assert len(deployment.suno()["window"]["arrivals"]) == seen_before + 1


def test_a_submission_that_suno_never_answers_is_not_made_twice(deployment: Deployment) -> None:
    deployment.ask_fault(fault="no_answer", when="after", times=1)
    run_id = finish_run(deployment)
    assert len(deployment.tasks_of(run_id)) == 1, "the callbacks told what the answer did not"


def test_a_busy_suno_is_asked_again_after_its_pauses(deployment: Deployment) -> None:
    deployment.ask_fault(fault="busy", times=3)
    run_id = finish_run(deployment)
    assert deployment.events(run_id, "segment.refused") == 3


DEAD = pytest.mark.parametrize(
    "fault",
    [
        {"fault": "html"},
        {"fault": "truncated"},
        {"fault": "redirect", "to": "loop"},
        {"fault": "silent"},
        {"fault": "junk", "noise": 100_000},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)


def finish_run(deployment: Deployment) -> UUID:
    """A new run, worked on until it is ready."""
    run_id = deployment.create_run()
    deployment.start_run(run_id)
    with running_workers(deployment):
        deployment.wait_for(run_id, "ready")
    return run_id


@DEAD
def test_a_dead_download_is_made_good_from_the_same_task(
    deployment: Deployment, fault: dict[str, object]
) -> None:
    deployment.ask_fault(**fault, times=2)
    run_id = finish_run(deployment)
    assert deployment.segments(run_id)[0]["storage_path"] is not None
    assert len(deployment.tasks_of(run_id)) == 1


@DEAD
def test_a_task_without_a_track_that_plays_is_composed_anew(
    deployment: Deployment, fault: dict[str, object]
) -> None:
    # For both tracks as delivered, and for the one that Suno's record names when it is asked.
    deployment.ask_fault(**fault, times=3)
    run_id = finish_run(deployment)
    assert deployment.segments(run_id)[0]["storage_path"] is not None
    assert len(deployment.tasks_of(run_id)) == 2


@pytest.mark.parametrize("status", [403, 404])
def test_a_file_that_is_not_there_yet_is_waited_for(deployment: Deployment, status: int) -> None:
    deployment.ask_fault(fault="missing", status=status, times=3)
    run_id = finish_run(deployment)
    assert deployment.segments(run_id)[0]["storage_path"] is not None
    assert len(deployment.tasks_of(run_id)) == 1


def test_a_track_too_large_to_store_is_handed_on_by_its_own_address(deployment: Deployment) -> None:
    deployment.ask_fault(fault="oversized")
    run_id = finish_run(deployment)
    [segment] = deployment.segments(run_id)
    assert segment["storage_path"] is None
    assert segment["final_url"].startswith("http://127.0.0.1")
