"""Legacy JWT keys and new sb_publishable_/sb_secret_ keys both work."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import open_clients
from parcours_xl.clients.storage import track_path
from parcours_xl.settings import Settings
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.servers import running
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Forger, Person
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

PUBLISHABLE = "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH"
SECRET = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"


@pytest.fixture(scope="module")
def settings(stack: LocalProject, make_settings: MakeSettings) -> Iterator[Settings]:
    """A deployment that has only the new keys, behind a gateway that knows them."""
    gateway = Relay(stack.url, keys={PUBLISHABLE: stack.anon_key, SECRET: stack.service_role_key})
    with running(gateway) as url:
        yield make_settings(
            supabase_url=url,
            postgrest_url=None,
            supabase_anon_key=PUBLISHABLE,
            supabase_service_role_key=SECRET,
        )


async def test_every_function_works_with_the_new_keys(
    settings: Settings, suno: Vendor, owner: Person, forger: Forger, records: Records, file: Path
) -> None:
    async with open_service(settings) as service:
        # One user by the key set, the other one by asking Auth.
        for token in (owner.token, forger.sign_with_secret(forger.claims(owner.id))):
            headers = {"Authorization": f"Bearer {token}", "apikey": PUBLISHABLE}
            created = await service.post(
                endpoint("parcours-xl-create"),
                json={"presetKey": "universel-reset"},
                headers=headers,
            )
            assert created.status_code == 200
        run_id = created.json()["runId"]
        started = await service.post(endpoint("parcours-xl-runner"), json={"runId": run_id})
        assert started.status_code == 202
        place = {"runId": run_id, "segmentIndex": 0}
        generated = await service.post(endpoint("parcours-xl-generate"), json=place)
        assert generated.status_code == 200
        segment = records.segments(run_id)[0]
        answer = await service.post(
            endpoint("parcours-xl-callback"),
            params={"segment": str(segment["id"]), "token": str(segment["callback_token"])},
            json={"stage": "first", "streamUrl": "https://suno.com/preview.mp3"},
        )
        assert answer.json() == {"ok": True}
        async with open_clients(settings) as clients:
            path = track_path(run_id, segment["id"])
            await clients.storage.store(path, file, "audio/mpeg")
        records.do(
            "update public.parcours_segments set status = 'complete', storage_path = %s"
            " where id = %s",
            path,
            segment["id"],
        )
        signed = await service.post(
            endpoint("sign-track"), json={"segmentId": str(segment["id"])}, headers=headers
        )
        assert signed.status_code == 200
    async with httpx.AsyncClient() as player:
        assert (await player.get(signed.json()["url"])).content == file.read_bytes()  # noqa: ASYNC240


async def test_the_new_secret_key_is_the_service_role_and_nobody_elses_token(
    settings: Settings, make_run: MakeRun
) -> None:
    run = await make_run()
    body = {"runId": str(run.id)}
    closed = settings.model_copy(update={"runner_access": "service_role"})
    async with open_service(closed) as service:
        runner, sign = endpoint("parcours-xl-runner"), endpoint("sign-track")
        for headers in ({"apikey": SECRET}, {"Authorization": f"Bearer {SECRET}"}):
            assert (await service.post(runner, json=body, headers=headers)).status_code == 202
            assert (await service.post(sign, json=body, headers=headers)).status_code == 401
        for headers in ({"apikey": PUBLISHABLE}, {"Authorization": f"Bearer {PUBLISHABLE}"}):
            assert (await service.post(runner, json=body, headers=headers)).status_code == 401


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "track"
    file.write_bytes(b"ID3\x04" + bytes(100))
    return file
