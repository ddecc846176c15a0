"""Everything that can go wrong with Suno can be made to go wrong."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.dev.simulators.conftest import SEGMENT, Inbox, SunoAtWork
from tests.fixtures.waiting import wait_until

Start = Callable[..., SunoAtWork]
CREDIT = "/api/v1/generate/credit"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("busy", 430),
        ("rate_limited", 405),
        ("maintenance", 455),
        ("server_error", 500),
        ("refused", 400),
        ("too_long", 413),
        ("bad_key", 401),
        ("no_credits", 429),
    ],
)
def test_a_submission_can_be_refused_in_every_documented_way(
    suno: SunoAtWork, fault: str, code: int
) -> None:
    suno.fault(fault)
    body = suno.submit()
    assert (body["code"], body["data"]) == (code, None)
    assert body["msg"]
    assert suno.control()["tasks"] == []
    assert suno.submit()["code"] == 200


def test_who_has_no_credits_is_told_so_when_asked(suno: SunoAtWork) -> None:
    before = suno.http.get(CREDIT).json()["data"]
    suno.fault("no_credits")
    assert suno.http.get(CREDIT).json()["data"] == 0
    assert suno.submit()["code"] == 429
    assert suno.http.get(CREDIT).json()["data"] == before > 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refusal_can_come_as_an_http_status(suno: SunoAtWork, status: int) -> None:
    suno.fault("server_error", status=status)
    answer = suno.http.post("/api/v1/generate", json=suno.payload())
    assert answer.status_code == status
    assert answer.json()["code"] == status


def test_an_answer_can_be_no_json(suno: SunoAtWork) -> None:
    suno.fault("not_json")
    answer = suno.http.post("/api/v1/generate", json=suno.payload())
    assert answer.status_code == 502
    assert answer.text.startswith("<!doctype html>")


def test_other_calls_can_be_refused_too(suno: SunoAtWork) -> None:
    suno.fault("maintenance", match={"call": "credit"})
    suno.fault("server_error", match={"call": "record-info"}, times=2)
    assert suno.http.get(CREDIT).json()["code"] == 455
    task = suno.task()
    path = f"/api/v1/generate/record-info?taskId={task}"
    assert [suno.http.get(path).json()["code"] for _ in range(3)] == [500, 500, 200]


def test_one_segment_can_be_singled_out(suno: SunoAtWork) -> None:
    suno.fault("busy", times=0, match={"segment": SEGMENT})
    assert suno.submit("another")["code"] == 200
    assert suno.submit(SEGMENT)["code"] == 430


@pytest.mark.parametrize("when", ["before", "after"])
def test_no_answer_comes_whether_the_task_was_accepted_or_not(
    suno: SunoAtWork, inbox: Inbox, when: str
) -> None:
    suno.fault("no_answer", when=when)
    with pytest.raises(httpx.RemoteProtocolError):
        suno.submit()
    tasks = suno.control()["tasks"]
    assert len(tasks) == (1 if when == "after" else 0)
    if when == "after":
        assert inbox.wait_for("complete")["data"]["task_id"] == tasks[0]["task"]
        assert suno.control()["credits"] == 100_000 - 12


def test_a_hanging_answer_ends_when_the_caller_gives_up(suno: SunoAtWork) -> None:
    suno.fault("no_answer", delay_s=30)
    with pytest.raises(httpx.ReadTimeout):
        suno.http.post("/api/v1/generate", json=suno.payload(), timeout=2)
    assert len(suno.control()["tasks"]) == 1


def test_an_answer_can_come_after_the_callbacks(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("slow_answer", delay_s=3)
    suno.task()
    assert "complete" in inbox.kinds


def test_a_lost_callback_never_comes_and_is_told_as_lost(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("lost_callback")
    task = suno.task()
    suno.wait_complete()
    wait_until(lambda: "lost" in [one["outcome"] for one in suno.told("callbacks")])
    assert "complete" not in inbox.kinds
    assert suno.record(task)["status"] == "SUCCESS"


def test_all_callbacks_of_a_segment_can_be_lost(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("lost_callback", times=0, match={"callback": "*", "segment": SEGMENT})
    suno.task()
    suno.task("another")
    inbox.wait_for("complete")
    suno.wait_complete()
    assert set(inbox.segments) == {"another"}


def test_a_callback_can_come_many_times_at_once(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("doubled_callback", copies=20)
    suno.task()
    inbox.wait_for("complete", 20)
    bodies = [body for body in inbox.messages if body["data"]["callbackType"] == "complete"]
    assert all(body == bodies[0] for body in bodies)


def test_complete_can_overtake_first(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("reordered_callbacks")
    suno.task()
    inbox.wait_for("first")
    assert inbox.kinds == ["text", "complete", "first"]
    assert inbox.messages[2]["data"]["data"][1]["audio_url"] == ""


def test_a_callback_can_come_late(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("late_callback", delay_s=0.7, match={"callback": "first"})
    began = time.monotonic()
    suno.task()
    inbox.wait_for("first")
    assert time.monotonic() - began > 0.7
    assert inbox.kinds == ["text", "complete", "first"]


@pytest.mark.parametrize(
    ("code", "shape", "data", "status"),
    [
        (400, "inner", {"callbackType": "error", "data": None}, "SENSITIVE_WORD_ERROR"),
        (451, "outer", None, "GENERATE_AUDIO_FAILED"),
        (
            500,
            "text",
            {"callbackType": "error", "data": None, "error": "no luck"},
            "GENERATE_AUDIO_FAILED",
        ),
    ],
)
def test_a_task_can_fail_in_every_documented_shape(
    suno: SunoAtWork, inbox: Inbox, code: int, shape: str, data: dict[str, Any] | None, status: str
) -> None:
    suno.fault("error_callback", code=code, shape=shape, message="no luck")
    task = suno.task()
    wait_until(lambda: len(inbox.messages) == 2)
    message = inbox.messages[1]
    assert (message["code"], message["msg"]) == (code, "no luck")
    assert message["data"] == (data and {**data, "task_id": task})
    record = suno.record(task)
    assert (record["status"], record["errorCode"]) == (status, code)
    assert record["response"] is None
    track = suno.told("tracks")[0]["id"]
    assert suno.http.get(f"/streams/{track}").status_code == 404


def test_a_task_can_fail_as_late_as_at_the_end(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("error_callback", match={"callback": "complete"})
    suno.task()
    inbox.wait_for("error")
    assert inbox.kinds == ["text", "first", "error"]


@pytest.mark.parametrize(
    "status",
    ["PENDING", "CREATE_TASK_FAILED", "GENERATE_AUDIO_FAILED", "CALLBACK_EXCEPTION"],
)
def test_record_info_can_claim_any_status(suno: SunoAtWork, status: str) -> None:
    task = suno.task()
    suno.wait_complete()
    suno.fault("record_status", status=status)
    record = suno.record(task)
    assert record["status"] == status
    assert (record["response"] is None) == (status == "PENDING")
    assert (record["errorCode"] is None) == (status == "PENDING")
    assert suno.record(task)["status"] == "SUCCESS"


def test_record_info_can_write_snake_case(suno: SunoAtWork) -> None:
    task = suno.task()
    suno.wait_complete()
    suno.fault("record_snake_case")
    song = suno.record(task)["response"]["data"][0]
    assert song["audio_url"].endswith(".mp3")


def test_urls_can_be_empty(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("empty_urls", match={"message": "callback", "callback": "complete"})
    task = suno.task()
    song = suno.first_song()
    assert song["audio_url"] is None
    assert song["stream_audio_url"] == ""
    assert suno.record(task)["response"]["sunoData"][0]["audioUrl"]


def test_urls_can_name_another_host(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("url_host", host="https://cdn.example", match={"callback": "complete"})
    task = suno.task()
    song = suno.first_song()
    assert song["audio_url"] == f"https://cdn.example/files/{song['id']}.mp3"
    assert song["stream_audio_url"] == f"https://cdn.example/streams/{song['id']}"
    honest = suno.record(task)["response"]["sunoData"][0]
    assert honest["audioUrl"].startswith(suno.origin)


def test_faults_compose(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.fault("no_answer", when="after")
    suno.fault("lost_callback")
    suno.fault("late_callback", match={"callback": "first"}, delay_s=0.3)
    with pytest.raises(httpx.RemoteProtocolError):
        suno.submit()
    inbox.wait_for("first")
    suno.wait_complete()
    assert "complete" not in inbox.kinds


def test_faults_can_be_listed_cleared_and_set_from_the_start(start_suno: Start) -> None:
    suno = start_suno(faults=({"fault": "busy", "times": 0},))
    assert suno.submit()["code"] == 430
    told = suno.http.get("/_control/faults").json()
    assert told["faults"][0]["struck"] == 1
    assert told["kinds"]["busy"]["match"] == {"call": "submit"}
    assert suno.http.delete("/_control/faults").status_code == 204
    assert suno.submit()["code"] == 200
    assert suno.control()["faults"] == []


def test_an_unknown_fault_is_refused_with_the_known_ones(suno: SunoAtWork) -> None:
    answer = suno.http.post("/_control/faults", json={"fault": "sabotage"})
    assert answer.status_code == 400
    assert "lost_callback" in answer.json()["error"]
    assert suno.http.post("/_control/faults", content=b"{").status_code == 400
