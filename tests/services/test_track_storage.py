"""A delivered track is fetched, checked, stored, and recorded."""

import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import httpx
import pytest
from starlette.responses import JSONResponse

from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.clients.downloads import TrackHostUnavailable
from parcours_xl.clients.storage import StorageUnavailable, TrackGone, track_path
from parcours_xl.wiring import wire_tracks
from tests.fixtures.delivery import Music, deliver, take_job
from tests.fixtures.records import NewRun, Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

ELSEWHERE_HOST = "cdn.example.com"
ELSEWHERE = f"https://{ELSEWHERE_HOST}"


@pytest.fixture
async def run(make_run: MakeRun) -> NewRun:
    return await make_run()


@pytest.fixture
async def shaky(make_settings: MakeSettings, relay: Relay) -> AsyncIterator[Clients]:
    """The clients, with something before Storage that may break."""
    async with open_clients(make_settings(supabase_url=relay.url)) as clients:
        yield clients


def let_a_minute_pass(records: Records, run: NewRun) -> None:
    """So that a missing file is no longer on its way."""
    records.do(
        "update public.parcours_segments set metadata = metadata || jsonb_build_object("
        "'complete_received_at', clock_timestamp() - interval '61 seconds') where id = %s",
        run.first,
    )


def failure_of(records: Records, run: NewRun) -> dict[str, Any]:
    row = records.segment(run.first)
    assert row["status"] == "failed"
    failure: dict[str, Any] = row["metadata"]["failure"]
    return failure


# Stored


async def test_a_track_is_stored_at_the_documented_place(
    clients: Clients, run: NewRun, music: Music, records: Records
) -> None:
    await deliver(clients, run, music)
    assert await wire_tracks(clients).store(await take_job(clients), last_try=False) == "stored"
    row = records.segment(run.first)
    assert row["status"] == "complete"
    assert row["storage_path"] == track_path(run.id, run.first)
    assert (row["final_url"], row["callback_token"]) == (None, None)
    assert row["metadata"]["suno_download_url"] == music.urls[0]
    assert records.run(run.id)["status"] == "ready"
    async with httpx.AsyncClient() as player:
        whole = await player.get(await clients.storage.sign(row["storage_path"]))
        assert whole.headers["content-type"] == "audio/mpeg"
        assert whole.content == (await player.get(music.urls[0])).content


async def test_storing_twice_changes_nothing(
    clients: Clients, run: NewRun, music: Music, records: Records
) -> None:
    await deliver(clients, run, music)
    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "stored"
    before = records.segment(run.first)
    assert await wire_tracks(clients).store(job, last_try=False) == "late"
    assert records.segment(run.first) == before


async def test_the_track_of_an_erased_run_leaves_nothing_behind(
    clients: Clients, run: NewRun, music: Music, records: Records
) -> None:
    await deliver(clients, run, music)
    job = await take_job(clients)
    records.do("delete from public.parcours_runs where id = %s", run.id)
    assert await wire_tracks(clients).store(job, last_try=False) == "gone"
    with pytest.raises(TrackGone):
        await clients.storage.sign(track_path(run.id, run.first))


# Hosts that are not on the list


async def test_an_unknown_host_is_believed_when_sunos_record_names_the_very_address(
    clients: Clients, run: NewRun, music: Music, records: Records
) -> None:
    await deliver(clients, run, music, trusted=False)
    assert "suno_download_url" not in records.segment(run.first)["metadata"]
    assert await wire_tracks(clients).store(await take_job(clients), last_try=False) == "stored"
    assert records.segment(run.first)["metadata"]["suno_download_url"] == music.urls[0]


@pytest.mark.parametrize("change", ["another-host", "another-path", "a-query"])
async def test_an_unknown_host_is_refused_when_it_does_not(
    clients: Clients, run: NewRun, music: Music, records: Records, change: str
) -> None:
    secret = uuid4().hex
    url = {
        "another-host": f"https://cdn.example.com/{secret}.mp3",
        "another-path": f"{music.urls[0]}/{secret}",
        "a-query": f"{music.urls[0]}?{secret}",
    }[change]
    await deliver(clients, run, music, url=url, trusted=False)
    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "failed"
    failure = failure_of(records, run)
    host = "cdn.example.com" if change == "another-host" else "127.0.0.1"
    assert (failure["reason"], failure["host"], failure["again"]) == ("url_refused", host, False)
    records.forget_work()
    assert records.places_of(secret) == []


async def test_a_host_is_not_judged_before_suno_can_say(
    clients: Clients, run: NewRun, music: Music, suno: Vendor
) -> None:
    await deliver(clients, run, music, trusted=False)
    job = await take_job(clients)
    suno.fail("server_error", match={"call": "record-info"})
    with pytest.raises(TrackHostUnavailable):
        await wire_tracks(clients).store(job, last_try=False)
    assert await wire_tracks(clients).store(job, last_try=False) == "stored"


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up; nobody knows any of them."""
    names: list[str] = []

    async def resolve(host: str, port: int, **_: object) -> list[Any]:
        names.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    return names


def redirect_elsewhere(suno: Vendor, music: Music, name: str) -> None:
    """Suno's record names the first track on another host, and its own host redirects to `name`."""
    suno.fail("url_host", host=ELSEWHERE, match={"message": "record-info"}, times=0)
    suno.fail("redirect", url=f"{ELSEWHERE}{urlsplit(music.urls[0]).path}{name}", times=0)


async def test_a_redirect_to_an_unknown_host_is_followed_when_sunos_record_names_its_end(
    clients: Clients, run: NewRun, music: Music, suno: Vendor, resolved: list[str]
) -> None:
    await deliver(clients, run, music)
    redirect_elsewhere(suno, music, "")
    asked = suno.calls().count("record-info")
    with pytest.raises(TrackHostUnavailable):
        await wire_tracks(clients).store(await take_job(clients), last_try=False)
    assert resolved == [ELSEWHERE_HOST], "it was about to be fetched from there"
    assert suno.calls().count("record-info") == asked + 1


async def test_a_redirect_to_an_unknown_host_is_refused_when_sunos_record_names_another(
    clients: Clients,
    run: NewRun,
    music: Music,
    suno: Vendor,
    records: Records,
    resolved: list[str],
) -> None:
    await deliver(clients, run, music)
    redirect_elsewhere(suno, music, "?another")
    asked = suno.calls().count("record-info")
    assert await wire_tracks(clients).store(await take_job(clients), last_try=False) == "failed"
    failure = failure_of(records, run)
    assert (failure["reason"], failure["host"]) == ("url_refused", ELSEWHERE_HOST)
    assert (resolved, suno.calls().count("record-info")) == ([], asked + 1)


async def test_an_address_that_leads_into_a_private_network_is_refused(
    clients: Clients, run: NewRun, music: Music, records: Records
) -> None:
    await deliver(clients, run, music, url="https://127.0.0.1/a.mp3")
    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "failed"
    assert failure_of(records, run)["reason"] == "url_refused"


# Not to be had


async def test_a_dead_address_is_asked_anew_once(
    clients: Clients, run: NewRun, music: Music, suno: Vendor, records: Records
) -> None:
    await deliver(clients, run, music, url=f"{suno.url}/files/dead.mp3")
    let_a_minute_pass(records, run)
    asked = suno.calls().count("record-info")
    assert await wire_tracks(clients).store(await take_job(clients), last_try=False) == "stored"
    assert suno.calls().count("record-info") == asked + 1


async def test_the_fresh_address_is_the_same_tracks(
    clients: Clients, run: NewRun, music: Music, suno: Vendor, records: Records
) -> None:
    """A preview that was heard must not become the other song."""
    second = Music(music.task_id, music.ids[1:], music.urls[1:])
    await deliver(clients, run, second, url=f"{suno.url}/files/dead.mp3")
    let_a_minute_pass(records, run)
    assert await wire_tracks(clients).store(await take_job(clients), last_try=False) == "stored"
    async with httpx.AsyncClient() as player:
        path = records.segment(run.first)["storage_path"]
        stored = await player.get(await clients.storage.sign(path))
        assert stored.content == (await player.get(music.urls[1])).content


@pytest.mark.parametrize("fault", ["missing", "html", "truncated"])
async def test_what_is_no_track_from_any_address_is_a_failed_attempt(
    clients: Clients, run: NewRun, music: Music, suno: Vendor, records: Records, fault: str
) -> None:
    await deliver(clients, run, music)
    let_a_minute_pass(records, run)
    asked = suno.calls().count("record-info")
    suno.fail(fault, times=3)
    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "failed"
    failure = failure_of(records, run)
    assert (failure["reason"], failure["again"]) == ("track_unavailable", True)
    assert suno.calls().count("record-info") == asked + 1


async def test_a_dead_address_without_a_task_is_a_failed_attempt(
    clients: Clients, run: NewRun, music: Music, suno: Vendor, records: Records
) -> None:
    await deliver(clients, run, music, url=f"{suno.url}/files/dead.mp3")
    let_a_minute_pass(records, run)
    job = (await take_job(clients)).model_copy(update={"task_id": None})
    assert await wire_tracks(clients).store(job, last_try=False) == "failed"
    assert failure_of(records, run)["reason"] == "track_unavailable"


# Temporarily away


async def test_a_host_out_of_service_is_tried_again_and_at_last_fails(
    clients: Clients, run: NewRun, music: Music, suno: Vendor, records: Records
) -> None:
    await deliver(clients, run, music)
    job = await take_job(clients)
    suno.fail("missing", status=503, times=0)
    with pytest.raises(TrackHostUnavailable):
        await wire_tracks(clients).store(job, last_try=False)
    assert records.segment(run.first)["status"] == "generating"
    assert await wire_tracks(clients).store(job, last_try=True) == "failed"
    failure = failure_of(records, run)
    assert (failure["reason"], failure["again"]) == ("track_away", True)


async def test_a_full_suno_quota_is_waited_for_and_not_for_ever(
    make_settings: MakeSettings, clients: Clients, run: NewRun, music: Music, records: Records
) -> None:
    await deliver(clients, run, music, trusted=False)
    job = await take_job(clients)
    async with open_clients(make_settings(suno_requests_max=1)) as narrow:
        with pytest.raises(TrackHostUnavailable) as full:
            await wire_tracks(narrow).store(job, last_try=False)
        assert full.value.wait_s
        assert await wire_tracks(narrow).store(job, last_try=True) == "failed"
    assert failure_of(records, run)["reason"] == "track_away"


# Good, but not to be stored


async def test_a_track_too_large_is_linked_at_once(
    clients: Clients,
    run: NewRun,
    music: Music,
    suno: Vendor,
    records: Records,
    service: httpx.AsyncClient,
    owner: Person,
) -> None:
    await deliver(clients, run, music)
    suno.fail("oversized")
    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "linked"
    row = records.segment(run.first)
    assert (row["status"], row["storage_path"]) == ("complete", None)
    assert row["final_url"] == row["metadata"]["suno_download_url"] == music.urls[0]
    assert records.run(run.id)["status"] == "ready"
    body = {"segmentId": str(run.first)}
    answer = await service.post(endpoint("sign-track"), json=body, headers=owner.headers)
    assert answer.status_code == 409


async def test_a_fresh_address_whose_track_is_too_large_is_the_one_that_is_linked(
    clients: Clients, run: NewRun, music: Music, suno: Vendor, records: Records
) -> None:
    await deliver(clients, run, music, url=f"{suno.url}/files/dead.mp3")
    let_a_minute_pass(records, run)
    suno.fail("oversized", match={"track": music.ids[0]})
    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "linked"
    assert records.segment(run.first)["final_url"] == music.urls[0]


async def test_a_storage_that_is_unavailable_is_tried_again_and_at_last_the_track_is_linked(
    shaky: Clients, relay: Relay, run: NewRun, music: Music, records: Records
) -> None:
    await deliver(shaky, run, music)
    job = await take_job(shaky)
    relay.broken["/storage/v1"] = JSONResponse({"message": "upstream"}, 503)
    with pytest.raises(StorageUnavailable):
        await wire_tracks(shaky).store(job, last_try=False)
    assert records.segment(run.first)["status"] == "generating"
    assert await wire_tracks(shaky).store(job, last_try=True) == "linked"
    row = records.segment(run.first)
    assert (row["status"], row["storage_path"]) == ("complete", None)
    assert row["final_url"] == music.urls[0]


async def test_a_storage_that_refuses_the_file_links_the_track_at_once(
    shaky: Clients, relay: Relay, run: NewRun, music: Music, records: Records
) -> None:
    await deliver(shaky, run, music)
    answer = {"statusCode": "413", "error": "Payload too large", "message": "exceeded"}
    relay.broken["/storage/v1"] = JSONResponse(answer, 400)
    assert await wire_tracks(shaky).store(await take_job(shaky), last_try=False) == "linked"
    assert records.segment(run.first)["final_url"] == music.urls[0]


async def test_an_upload_that_takes_too_long_counts_as_a_storage_that_is_unavailable(
    clients: Clients, run: NewRun, music: Music, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deliver(clients, run, music)
    monkeypatch.setattr("parcours_xl.services.track_storage.UPLOAD_S_MAX", 0)
    with pytest.raises(StorageUnavailable):
        await wire_tracks(clients).store(await take_job(clients), last_try=False)
