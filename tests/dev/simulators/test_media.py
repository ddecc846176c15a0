"""Streams grow, files have ranges, both are the same music."""

import io
import time
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from tinytag import TinyTag

from parcours_dev.simulators.mp3 import BYTES_A_SECOND
from parcours_dev.simulators.tasks import UNEVEN_TASKS
from tests.dev.simulators.conftest import Inbox, SunoAtWork
from tests.fixtures.servers import running
from tests.fixtures.sounds import decode
from tests.fixtures.waiting import wait_until

Start = Callable[..., SunoAtWork]


def test_a_file_is_an_mp3_as_long_as_told(start_suno: Start) -> None:
    suno = start_suno(signal="music")
    suno.task(duration=20)
    song = suno.first_song()
    answer = suno.http.get(song["audio_url"])
    assert answer.headers["content-type"] == "audio/mpeg"
    assert int(answer.headers["content-length"]) == len(answer.content)
    tag = TinyTag.get(filename="track.mp3", file_obj=io.BytesIO(answer.content))
    assert tag.duration == pytest.approx(song["duration"], abs=0.1)


def test_stream_and_file_are_the_same_bytes(start_suno: Start) -> None:
    suno = start_suno(signal="chirp")
    suno.task()
    song = suno.first_song()
    stream = suno.http.get(song["stream_audio_url"])
    assert stream.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in stream.headers
    assert stream.headers["content-type"] == "audio/mpeg"
    assert stream.content == suno.http.get(song["audio_url"]).content


def test_only_tones_tell_a_stream_from_its_file(start_suno: Start) -> None:
    suno = start_suno(signal="tones")
    suno.task()
    song = suno.first_song()
    stream, file = (suno.http.get(song[f"{kind}audio_url"]).content for kind in ("stream_", ""))
    assert stream != file
    assert len(stream) == len(file)


def test_signal_and_length_can_be_turned_for_the_tasks_that_follow(start_suno: Start) -> None:
    suno = start_suno(signal="chirp", track_seconds=10)
    suno.task()
    wishes = {"signal": "tones", "track_seconds": 4, "speed": 500}
    turned = suno.http.put("/_control/settings", json=wishes)
    assert turned.json().items() >= wishes.items()
    suno.task()
    [before, after] = suno.control()["tasks"]
    assert [task["tracks"][0]["seconds"] for task in (before, after)] == [10, 4]


def test_pieces_that_follow_one_another_can_be_unlike_in_loudness(start_suno: Start) -> None:
    suno = start_suno(signal="chirp", track_seconds=3, uneven_db=6)
    tasks = [suno.task() for _ in range(UNEVEN_TASKS + 1)]
    suno.inbox.wait_for("complete", len(tasks))
    songs = [suno.record(task)["response"]["sunoData"][0] for task in tasks]
    levels_db = [_level_db(suno.http.get(song["audioUrl"]).content) for song in songs]
    assert [level - levels_db[0] for level in levels_db] == pytest.approx(
        [0, -6, -12, -18, 0], abs=0.5
    )


def _level_db(mp3: bytes) -> float:
    return float(10 * np.log10(np.mean(decode(mp3) ** 2)))


@pytest.mark.parametrize(
    "wish", [{"signal": "noise"}, {"speed": 0}, {"speed": "fast"}, {"seed": "a"}, {"speed": None}]
)
def test_what_cannot_be_turned_is_refused_whole(start_suno: Start, wish: dict[str, object]) -> None:
    suno = start_suno(signal="chirp")
    answer = suno.http.put("/_control/settings", json={"track_seconds": 5} | wish)
    assert answer.status_code == 400
    assert suno.control()["track_seconds"] != 5


def test_ranges_of_a_file_are_served(suno: SunoAtWork) -> None:
    suno.task()
    url = suno.first_song()["audio_url"]
    whole = suno.http.get(url)
    part = suno.http.get(url, headers={"range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(whole.content)}"
    assert part.content == whole.content[1000:2000]
    assert part.headers["etag"] == whole.headers["etag"]
    beyond = suno.http.get(url, headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"


def test_head_tells_the_size_of_a_file_and_not_of_a_stream(suno: SunoAtWork) -> None:
    suno.task()
    song = suno.first_song()
    whole = suno.http.get(song["audio_url"])
    head = suno.http.head(song["audio_url"])
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.content == b""
    assert suno.http.head(song["stream_audio_url"]).headers["content-type"] == "audio/mpeg"


def test_any_page_may_read_tracks(suno: SunoAtWork) -> None:
    suno.task()
    song = suno.first_song()
    for headers in ({}, {"range": "bytes=0-9"}, {"range": "bytes=99999999-"}):
        answer = suno.http.get(song["audio_url"], headers=headers | {"origin": "https://app"})
        assert answer.headers["access-control-allow-origin"] == "*"
    preflight = suno.http.options(
        song["stream_audio_url"],
        headers={"origin": "https://app", "access-control-request-method": "GET"},
    )
    assert preflight.status_code == 200


def test_streams_of_a_plain_host_open_to_no_page(start_suno: Start, inbox: Inbox) -> None:
    suno = start_suno(plain_url="http://127.0.0.1:1", signal="chirp")
    suno.task()
    song = suno.first_song()
    assert song["stream_audio_url"].startswith("http://127.0.0.1:1/streams/")
    assert song["audio_url"].startswith(suno.origin)
    with running(suno.app.state.plain) as plain:
        answer = suno.http.get(f"{plain}/streams/{song['id']}", headers={"origin": "https://app"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    assert answer.content == suno.http.get(song["audio_url"]).content


def test_nothing_can_be_fetched_before_its_time(start_suno: Start, inbox: Inbox) -> None:
    suno = start_suno(speed=1, text_s=0, first_s=1.5, complete_s=4)
    suno.task()
    one, two = (track["id"] for track in suno.control()["tasks"][0]["tracks"])
    assert suno.http.get(f"/streams/{one}").status_code == 404
    inbox.wait_for("first")
    assert suno.http.get(f"/files/{two}.mp3").status_code == 404
    assert suno.http.get(f"/files/{one}.mp3").status_code == 200
    inbox.wait_for("complete")
    assert suno.http.get(f"/files/{two}.mp3").status_code == 200
    assert suno.http.get("/files/unknown.mp3").status_code == 404


def test_a_stream_grows_until_the_task_is_complete(start_suno: Start, inbox: Inbox) -> None:
    suno = start_suno(speed=30, track_seconds=120)
    suno.task()
    stream_url = inbox.wait_for("first")["data"]["data"][0]["stream_audio_url"]
    began, first_piece_s, size = time.monotonic(), None, 0
    with suno.http.stream("GET", stream_url) as stream:
        for piece in stream.iter_raw():
            first_piece_s = first_piece_s or time.monotonic() - began
            size += len(piece)
    took = time.monotonic() - began
    assert first_piece_s is not None
    assert first_piece_s < took / 2
    assert took > 0.8, "115 s of composing at this speed last 3.8 s"
    assert size == pytest.approx(120 * BYTES_A_SECOND, rel=0.02)


def test_a_second_fetch_composes_nothing(start_suno: Start) -> None:
    suno = start_suno(signal="music")
    suno.task(duration=20)
    url = suno.first_song()["audio_url"]
    suno.http.get(url)
    assert min(_seconds_to_fetch(suno, url) for _ in range(5)) < 0.2


def _seconds_to_fetch(suno: SunoAtWork, url: str) -> float:
    began = time.monotonic()
    suno.http.get(url)
    return time.monotonic() - began


def test_many_fetch_one_track_while_it_is_composed(start_suno: Start, inbox: Inbox) -> None:
    suno = start_suno(signal="music", track_seconds=20)
    suno.task()
    song = suno.first_song()
    streams = [suno.http.stream("GET", song["stream_audio_url"]) for _ in range(4)]
    bodies = []
    for stream in streams:
        with stream as answer:
            bodies.append(b"".join(answer.iter_raw()))
    assert len({*bodies}) == 1


def test_the_api_answers_while_music_is_composed(start_suno: Start, inbox: Inbox) -> None:
    suno = start_suno(signal="music", track_seconds=60)
    suno.task()
    song = suno.first_song()
    took: list[float] = []
    with suno.http.stream("GET", song["stream_audio_url"]) as stream:
        for _ in stream.iter_raw():
            began = time.monotonic()
            suno.control()
            took.append(time.monotonic() - began)
            time.sleep(0.01)
    assert np.percentile(took, 90) < 1.0


def test_old_recordings_make_room_and_come_back_the_same(start_suno: Start) -> None:
    suno = start_suno(signal="music", track_seconds=10, cache_bytes_max=400_000)
    for segment in ("a", "b", "c", "d"):
        suno.task(segment)
    tracks = [task["tracks"][0]["id"] for task in suno.control()["tasks"]]
    wait_until(lambda: {task["status"] for task in suno.control()["tasks"]} == {"SUCCESS"})
    first = suno.http.get(f"/files/{tracks[0]}.mp3")
    for track in tracks[1:]:
        suno.http.get(f"/files/{track}.mp3")
    wait_until(lambda: suno.control()["recordings"]["bytes"] <= 400_000)
    again = suno.http.get(f"/files/{tracks[0]}.mp3")
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]


def test_one_who_leaves_in_the_middle_disturbs_nobody(start_suno: Start) -> None:
    suno = start_suno(signal="music", track_seconds=20)
    suno.task()
    url = suno.first_song()["stream_audio_url"]
    with httpx.Client(trust_env=False) as other, other.stream("GET", url) as answer:
        next(answer.iter_raw())
    assert len(suno.http.get(url).content) == pytest.approx(20 * BYTES_A_SECOND, rel=0.02)
