"""The simulated Suno speaks as sunoapi.org does."""

import json
import time
from collections.abc import Callable

import httpx
import pytest

from tests.dev.simulators.conftest import SEGMENT, Inbox, SunoAtWork
from tests.fixtures.waiting import wait_until

Start = Callable[..., SunoAtWork]


def test_a_submission_answers_its_task(suno: SunoAtWork) -> None:
    body = suno.submit()
    assert body["code"] == 200
    assert body["msg"] == "success"
    assert len(body["data"]["taskId"]) == 32


def test_callbacks_come_as_text_first_complete(suno: SunoAtWork, inbox: Inbox) -> None:
    task = suno.task()
    inbox.wait_for("complete")
    assert inbox.kinds == ["text", "first", "complete"]
    assert inbox.segments == [SEGMENT] * 3
    assert {message["code"] for message in inbox.messages} == {200}
    assert {message["data"]["task_id"] for message in inbox.messages} == {task}
    assert inbox.messages[0]["data"]["data"] == []


def test_at_first_the_second_song_has_a_stream_and_no_file(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.task()
    one, two = inbox.wait_for("first")["data"]["data"]
    assert one["audio_url"].startswith(suno.origin)
    assert isinstance(one["duration"], float)
    assert two["audio_url"] == ""
    assert "duration" not in two
    assert two["stream_audio_url"]
    assert isinstance(one["createTime"], int)
    assert abs(one["createTime"] / 1000 - time.time()) < 60


def test_complete_names_both_songs_whole(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.task()
    first = inbox.wait_for("first")["data"]["data"]
    complete = inbox.wait_for("complete")["data"]["data"]
    assert [song["id"] for song in complete] == [song["id"] for song in first]
    for song in complete:
        assert song["audio_url"].endswith(f"{song['id']}.mp3")
        assert 11 < song["duration"] <= 12
        assert song["tags"].startswith("instrumental, 64 BPM")
        assert song["title"] == "La rive 1"


def test_callbacks_keep_sunos_times_divided_by_the_speed(start_suno: Start, inbox: Inbox) -> None:
    suno = start_suno(speed=100)
    suno.task()
    wait_until(lambda: len(suno.told("callbacks")) == 3)
    state = suno.control()["tasks"][0]
    after = {one["callback"]: one["at"] - state["createTime"] / 1000 for one in state["callbacks"]}
    for callback, seconds in {"text": 0.1, "first": 0.35, "complete": 1.5}.items():
        assert seconds - 0.02 < after[callback] < seconds + 5


def test_record_info_follows_the_task(start_suno: Start, inbox: Inbox) -> None:
    suno = start_suno(speed=1, text_s=1.5, first_s=2, complete_s=4)
    task = suno.task()
    early = suno.record(task)
    assert (early["status"], early["response"]) == ("PENDING", None)
    assert json.loads(early["param"])["title"] == "La rive 1"
    inbox.wait_for("first")
    first = suno.record(task)
    assert first["status"] == "FIRST_SUCCESS"
    one, two = first["response"]["sunoData"]
    assert one["audioUrl"].startswith("http")
    assert two["audioUrl"] == ""
    inbox.wait_for("complete")
    done = suno.record(task)
    assert done["status"] == "SUCCESS"
    assert done["operationType"] == "generate"
    assert all(song["audioUrl"] and song["duration"] for song in done["response"]["sunoData"])
    assert done["response"]["sunoData"][0]["streamAudioUrl"] == one["streamAudioUrl"]


def test_record_info_of_a_stranger_or_of_nothing_is_refused(suno: SunoAtWork) -> None:
    path = "/api/v1/generate/record-info"
    assert suno.http.get(path, params={"taskId": "unknown"}).json()["code"] == 404
    assert suno.http.get(path).json()["code"] == 400


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", "Basic right"])
def test_a_wrong_key_is_refused_in_the_body(start_suno: Start, key: str) -> None:
    suno = start_suno(api_key="right")
    answer = httpx.get(
        f"{suno.origin}/api/v1/generate/credit", headers={"authorization": key}, trust_env=False
    )
    assert answer.status_code == 200
    assert answer.json()["code"] == 401
    assert answer.json()["data"] is None


def test_the_right_key_opens(start_suno: Start) -> None:
    suno = start_suno(api_key="key")
    assert suno.http.get("/api/v1/generate/credit").json()["code"] == 200


def test_a_request_costs_twelve_credits_until_there_are_none(start_suno: Start) -> None:
    suno = start_suno(credits=25)
    suno.task()
    assert suno.http.get("/api/v1/generate/credit").json()["data"] == 13
    suno.task()
    body = suno.submit()
    assert (body["code"], body["data"]) == (429, None)
    suno.http.put("/_control/credits", json={"credits": 12})
    assert suno.submit()["code"] == 200


def test_a_refused_submission_costs_nothing_and_starts_nothing(start_suno: Start) -> None:
    suno = start_suno(credits=12)
    assert suno.submit(duration=9999)["code"] == 400
    assert suno.submit(style="x" * 1001)["code"] == 413
    assert suno.http.post("/api/v1/generate", content=b"{").json()["code"] == 400
    assert suno.http.post("/api/v1/generate", json=[1]).json()["code"] == 400
    assert suno.control()["credits"] == 12
    assert suno.control()["tasks"] == []


def test_unknown_paths_and_methods_are_refused(suno: SunoAtWork) -> None:
    assert suno.http.post("/api/v1/nothing").json()["code"] == 404
    assert suno.http.get("/api/v1/generate").json()["code"] == 404


@pytest.mark.parametrize("code", [405, 430])
def test_more_than_twenty_calls_in_ten_seconds_are_refused(start_suno: Start, code: int) -> None:
    suno = start_suno(rate_code=code)
    codes = [suno.http.get("/api/v1/generate/credit").json()["code"] for _ in range(23)]
    assert codes == [200] * 20 + [code] * 3
    window = suno.control()["window"]
    assert window["worst"] == 23
    assert window["refused"] == 3
    assert len(window["arrivals"]) == 23
    assert window["arrivals"][0]["at"] <= window["arrivals"][-1]["at"]


def test_streams_downloads_and_control_are_not_counted(suno: SunoAtWork, inbox: Inbox) -> None:
    suno.task()
    for _ in range(25):
        suno.control()
    suno.http.get(suno.first_song()["audio_url"])
    assert suno.control()["window"]["worst"] == 1


def test_an_unanswered_callback_is_tried_three_times_more(start_suno: Start, inbox: Inbox) -> None:
    inbox.status = 503
    suno = start_suno(callback_retry_s=20)
    task = suno.task()
    wait_until(lambda: inbox.kinds.count("complete") == 4)
    wait_until(lambda: suno.told("status") == "CALLBACK_EXCEPTION")
    assert suno.record(task)["response"]["sunoData"][0]["audioUrl"]
    assert inbox.kinds.count("first") == 4
    delivered = suno.told("callbacks")
    attempts = [one["attempt"] for one in delivered if one["callback"] == "complete"]
    assert attempts == [1, 2, 3, 4]
    assert {one["outcome"] for one in delivered} == {"503"}


def test_a_callback_nobody_listens_for_is_told_as_such(start_suno: Start) -> None:
    suno = start_suno(callback_retries=0)
    suno.task(callBackUrl="http://127.0.0.1:9/callback?segment=s")
    wait_until(lambda: suno.told("status") == "CALLBACK_EXCEPTION")
    outcomes = {one["outcome"] for one in suno.told("callbacks")}
    assert outcomes == {"ConnectError"}


def test_the_same_seed_gives_the_same_tasks_and_the_same_music(start_suno: Start) -> None:
    one, two, other = (start_suno(seed=seed, signal="music") for seed in ("a", "a", "b"))
    assert one.task() == two.task() != other.task()
    tracks = []
    for suno in (one, two):
        suno.wait_complete()
        track = suno.told("tracks")[0]
        tracks.append((track["seconds"], suno.http.get(f"/files/{track['id']}.mp3").content))
    assert tracks[0] == tracks[1]


def test_fixed_track_seconds_are_exact(start_suno: Start, inbox: Inbox) -> None:
    suno = start_suno(track_seconds=3.5)
    suno.task(duration=300)
    songs = inbox.wait_for("complete")["data"]["data"]
    assert [song["duration"] for song in songs] == [3.5, 3.5]


def test_the_cover_is_a_picture(suno: SunoAtWork) -> None:
    suno.task()
    cover = suno.http.get(suno.first_song()["image_url"])
    assert cover.headers["content-type"].startswith("image/svg+xml")
