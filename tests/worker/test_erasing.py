"""What is erased with a run and with a user: the files too, however long Storage is unavailable."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import anyio
import httpx
import pytest
from starlette.responses import JSONResponse
from supabase import AsyncClient, AsyncClientOptions, acreate_client

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.clients.storage import BUCKET, track_path
from parcours_xl.wiring import wire_worker
from parcours_xl.worker.worker import Worker
from tests.fixtures.records import NewRun, Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import sign_up

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

MUSIC = b"ID3\x04" + bytes(5000)
UNAVAILABLE = JSONResponse(
    {"statusCode": "503", "error": "unavailable", "message": "unavailable"}, 503
)


@pytest.fixture
async def admin(stack: LocalProject) -> AsyncClient:
    """A backend that deletes users, as any has: supabase-py with the service key."""
    options = AsyncClientOptions(auto_refresh_token=False, persist_session=False)
    return await acreate_client(stack.url, stack.service_role_key, options)


@pytest.fixture
async def kept(clients: Clients, make_run: MakeRun, records: Records, tmp_path: Path) -> NewRun:
    """A run of two segments whose files are in the bucket."""
    run = await make_run(2)
    file = tmp_path / "track"
    file.write_bytes(MUSIC)
    for segment_id in run.segment_ids:
        await clients.storage.store(track_path(run.id, segment_id), file, "audio/mpeg")
    return run


@pytest.fixture
async def without_storage(relay: Relay, make_settings: MakeSettings) -> AsyncIterator[Worker]:
    """A worker for which Storage is unavailable until the relay rests."""
    relay.broken["/storage/v1/"] = UNAVAILABLE
    settings = make_settings(supabase_url=relay.url)
    async with open_clients(settings) as clients:
        yield wire_worker(clients, settings)


def files(records: Records, run_id: UUID) -> int:
    found = records.one(
        "select count(*) from storage.objects where bucket_id = %s and name like %s",
        BUCKET,
        f"runs/{run_id}/%",
    )
    return int(found["count"])


async def test_deleting_a_user_through_auth_erases_all_of_theirs(
    stack: LocalProject,
    admin: AsyncClient,
    kept: NewRun,
    worker: Worker,
    records: Records,
    make_run: MakeRun,
) -> None:
    person, others = await sign_up(stack), await make_run()
    records.do("update public.parcours_runs set user_id = %s where id = %s", person.id, kept.id)
    records.do("insert into public.feature_flags values (%s, true)", person.id)
    await admin.auth.admin.delete_user(str(person.id))
    for table in ("parcours_runs", "feature_flags"):
        assert records.all(f"select from public.{table} where user_id = %s", person.id) == []
    for table in ("parcours_segments", "parcours_events"):
        assert records.all(f"select from public.{table} where run_id = %s", kept.id) == []
    assert files(records, kept.id) == 2
    assert (await worker.work_once())["erased"] == 1
    assert files(records, kept.id) == 0
    assert records.places_of(str(kept.id)) == [], "not even its name is left"
    assert records.places_of(str(person.id)) == ["parcours.erased_users"]
    assert records.run(others.id)


async def test_no_token_of_a_deleted_user_makes_a_run(
    stack: LocalProject, admin: AsyncClient, service: httpx.AsyncClient, records: Records
) -> None:
    person = await sign_up(stack)
    await admin.auth.admin.delete_user(str(person.id))
    answer = await service.post(
        endpoint("parcours-xl-create"),
        json={"presetKey": "universel-reset"},
        headers=person.headers,
    )
    assert answer.status_code == 401
    assert answer.json() == {"error": "this account was deleted"}
    assert records.all("select from public.parcours_runs where user_id = %s", person.id) == []


async def test_files_are_erased_when_storage_is_back(
    relay: Relay, without_storage: Worker, kept: NewRun, records: Records
) -> None:
    records.do("delete from public.parcours_runs where id = %s", kept.id)
    for tries in range(1, 8):
        assert (await without_storage.work_once())["handed_back"] == 1
        [job] = records.jobs("parcours_tracks", kept.id)
        assert job["waits_s"] == pytest.approx(2**tries, abs=0.7 * 2**tries)
        records.make_due(kept.id)
    relay.rest()
    assert (await without_storage.work_once())["erased"] == 1
    assert files(records, kept.id) == 0
    assert records.jobs("parcours_tracks", kept.id) == []


async def test_a_wait_for_storage_has_a_bound(
    without_storage: Worker, kept: NewRun, records: Records
) -> None:
    records.do("delete from public.parcours_runs where id = %s", kept.id)
    await without_storage.work_once()
    # Handed back 5,000 times: that is no job that breaks its workers.
    records.do(
        "update pgmq.q_parcours_tracks set read_ct = 5000, vt = clock_timestamp(),"
        """ message = message || '{"counted_from": 5000}'"""
    )
    await without_storage.work_once()
    [job] = records.jobs("parcours_tracks", kept.id)
    assert job["waits_s"] == pytest.approx(600, abs=2)


async def test_a_storage_that_deletes_nothing_is_asked_again(
    relay: Relay, make_settings: MakeSettings, kept: NewRun, records: Records
) -> None:
    """As when a policy is missing: the answer is a success, and the files are still there."""
    records.do("delete from public.parcours_runs where id = %s", kept.id)
    settings = make_settings(supabase_url=relay.url)
    relay.broken[f"/storage/v1/object/{BUCKET}"] = JSONResponse([])
    async with open_clients(settings) as clients:
        assert (await wire_worker(clients, settings).work_once())["handed_back"] == 1
    assert records.one("select from parcours.erasures where run_id = %s", kept.id) == {}


async def test_a_track_that_was_stored_by_a_worker_who_died_is_deleted(
    clients: Clients, kept: NewRun, worker: Worker, records: Records
) -> None:
    """Its run was erased meanwhile, and the folder was emptied before the file came."""
    records.do(
        "select pgmq.send('parcours_tracks', jsonb_build_object('kind', 'store',"
        " 'run_id', %s::text, 'segment_id', %s::text, 'callback_token', gen_random_uuid(),"
        " 'trusted', true, 'download_url', 'https://cdn1.suno.ai/1.mp3'))",
        str(kept.id),
        str(kept.first),
    )
    records.do("delete from public.parcours_runs where id = %s", kept.id)
    records.do("delete from parcours.erasures where run_id = %s", kept.id)
    assert (await worker.work_once())["erased"] == 1
    assert files(records, kept.id) == 1, "the one that the job was about"
    assert records.jobs("parcours_tracks", kept.id) == []


async def test_the_files_of_others_stay(
    kept: NewRun, make_run: MakeRun, worker: Worker, records: Records
) -> None:
    other = await make_run()
    records.do("delete from public.parcours_runs where id = %s", other.id)
    assert (await worker.work_once())["erased"] == 1
    assert files(records, kept.id) == 2


async def test_a_service_with_a_worker_erases_by_itself(
    stack: LocalProject, make_settings: MakeSettings, kept: NewRun, records: Records
) -> None:
    records.do("delete from public.parcours_runs where id = %s", kept.id)
    settings = make_settings(worker_in_process=True, worker_tick_s=0.1)
    async with open_service(settings):
        for _ in range(100):
            if files(records, kept.id) == 0:
                break
            await anyio.sleep(0.1)
    assert files(records, kept.id) == 0
