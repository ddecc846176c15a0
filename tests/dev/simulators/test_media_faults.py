"""Everything that can go wrong with a download can be made to go wrong."""

import time

import httpx
import pytest

from tests.dev.simulators.conftest import SEGMENT, SunoAtWork

TRACK_BYTES_MAX = 52_428_800


@pytest.fixture
def file_url(suno: SunoAtWork) -> str:
    suno.task()
    return str(suno.first_song()["audio_url"])


def test_a_download_can_be_slow(suno: SunoAtWork, file_url: str) -> None:
    quick = suno.http.get(file_url)
    suno.fault("slow_download", delay_s=0.3, bytes_a_second=300_000)
    began = time.monotonic()
    slow = suno.http.get(file_url)
    assert time.monotonic() - began > 0.3 + len(slow.content) / 300_000 * 0.9
    assert slow.content == quick.content


def test_a_download_can_break_off_before_what_it_promised(suno: SunoAtWork, file_url: str) -> None:
    whole = len(suno.http.get(file_url).content)
    suno.fault("truncated", share=0.5)
    received = bytearray()
    with suno.http.stream("GET", file_url) as answer:
        assert int(answer.headers["content-length"]) == whole
        with pytest.raises(httpx.RemoteProtocolError):
            _read_into(received, answer)
    assert len(received) == whole // 2


def _read_into(received: bytearray, answer: httpx.Response) -> None:
    for piece in answer.iter_raw():
        received.extend(piece)


def test_a_download_can_be_short_and_not_say_so(suno: SunoAtWork, file_url: str) -> None:
    whole = suno.http.get(file_url).content
    suno.fault("truncated", share=0.25, announce=False)
    part = suno.http.get(file_url).content
    assert part == whole[: len(whole) // 4]


@pytest.mark.parametrize("status", [404, 410])
def test_a_download_can_be_missing(suno: SunoAtWork, file_url: str, status: int) -> None:
    suno.fault("missing", status=status)
    assert suno.http.get(file_url).status_code == status
    assert suno.http.get(file_url).status_code == 200


@pytest.mark.parametrize("content_type", ["text/html", "audio/mpeg"])
def test_a_download_can_be_a_page(suno: SunoAtWork, file_url: str, content_type: str) -> None:
    suno.fault("html", content_type=content_type)
    answer = suno.http.get(file_url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.content.startswith(b"<!doctype html>")


@pytest.mark.parametrize("announce", [True, False])
def test_a_download_can_be_larger_than_the_bucket_takes(
    suno: SunoAtWork, file_url: str, announce: bool
) -> None:
    suno.fault("oversized", announce=announce)
    size = 0
    with suno.http.stream("GET", file_url) as answer:
        assert ("content-length" in answer.headers) == announce
        for piece in answer.iter_raw():
            size += len(piece)
    assert size == TRACK_BYTES_MAX + 1


def test_a_download_can_redirect_to_a_good_place(suno: SunoAtWork, file_url: str) -> None:
    suno.fault("redirect", times=0)
    whole = suno.http.get(file_url, follow_redirects=True)
    assert whole.status_code == 200
    assert [step.status_code for step in whole.history] == [302]


def test_a_download_can_redirect_to_this_machine(suno: SunoAtWork, file_url: str) -> None:
    suno.fault("redirect", to="loopback")
    assert suno.http.get(file_url).headers["location"].startswith("http://127.0.0.1:9/")


def test_a_download_can_redirect_anywhere(suno: SunoAtWork, file_url: str) -> None:
    suno.fault("redirect", url="http://169.254.169.254/latest", status=307)
    answer = suno.http.get(file_url)
    assert answer.status_code == 307
    assert answer.headers["location"] == "http://169.254.169.254/latest"


def test_a_download_can_lead_in_circles(suno: SunoAtWork, file_url: str) -> None:
    suno.fault("redirect", to="loop")
    with pytest.raises(httpx.TooManyRedirects):
        suno.http.get(file_url, follow_redirects=True)


def test_a_host_can_be_without_cors(suno: SunoAtWork, file_url: str) -> None:
    suno.fault("no_cors")
    headers = {"origin": "https://app"}
    assert "access-control-allow-origin" not in suno.http.get(file_url, headers=headers).headers
    assert "access-control-allow-origin" in suno.http.get(file_url, headers=headers).headers


def test_streams_and_files_are_told_apart_and_so_are_segments(
    suno: SunoAtWork, file_url: str
) -> None:
    suno.fault("missing", times=0, match={"media": "stream", "segment": SEGMENT})
    stream_url = suno.first_song()["stream_audio_url"]
    assert suno.http.get(file_url).status_code == 200
    assert suno.http.get(stream_url).status_code == 404


def test_download_faults_compose(suno: SunoAtWork, file_url: str) -> None:
    suno.fault("slow_download", delay_s=0.3, bytes_a_second=1_000_000)
    suno.fault("html")
    began = time.monotonic()
    assert suno.http.get(file_url).text.startswith("<!doctype")
    assert time.monotonic() - began > 0.3
