"""sign-track: the owner's one-hour URL of a stored track."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from starlette.responses import Response

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import Clients
from parcours_xl.clients.storage import track_path
from tests.fixtures.records import NewRun, Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person

pytestmark = pytest.mark.anyio

SIGN = endpoint("sign-track")
MUSIC = b"ID3\x04" + bytes(5000)


async def sign(service: httpx.AsyncClient, segment_id: object, person: Person) -> httpx.Response:
    body = {"segmentId": str(segment_id)}
    return await service.post(SIGN, json=body, headers=person.headers)


@pytest.fixture
def complete(records: Records) -> Callable[[NewRun, str | None], None]:
    """Makes a run's first segment complete, with a track at a path or with none."""

    def complete(run: NewRun, path: str | None) -> None:
        records.do(
            "update public.parcours_segments set status = 'complete', storage_path = %s,"
            " final_url = 'https://cdn1.suno.ai/1.mp3' where id = %s",
            path,
            run.first,
        )

    return complete


@pytest.fixture
async def stored(
    clients: Clients,
    make_run: MakeRun,
    complete: Callable[[NewRun, str | None], None],
    tmp_path: Path,
) -> NewRun:
    """A run whose first track is stored."""
    run = await make_run()
    path = track_path(run.id, run.first)
    file = tmp_path / "track"
    file.write_bytes(MUSIC)
    await clients.storage.store(path, file, "audio/mpeg")
    complete(run, path)
    return run


async def test_the_owner_gets_a_url_that_plays_for_an_hour(
    service: httpx.AsyncClient, owner: Person, stored: NewRun, stack: LocalProject
) -> None:
    answer = await sign(service, stored.first, owner)
    assert answer.status_code == 200
    assert list(answer.json()) == ["url"]
    url = answer.json()["url"]
    assert url.startswith(f"{stack.url}/storage/v1/object/sign/parcours-tracks/runs/{stored.id}/")
    (token,) = parse_qs(urlsplit(url).query)["token"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert abs(claims["exp"] - time.time() - 3600) < 30
    async with httpx.AsyncClient() as player:
        part = await player.get(url, headers={"Range": "bytes=4-9", "Origin": "https://a.example"})
        assert (part.status_code, part.content) == (206, bytes(6))
        assert part.headers["content-range"] == f"bytes 4-9/{len(MUSIC)}"
        assert part.headers["content-type"] == "audio/mpeg"
        assert part.headers["access-control-allow-origin"] == "*"
        assert (await player.get(url)).content == MUSIC
        assert (await player.get(url.replace("token=", "token=x"))).status_code == 400


async def test_somebody_else_is_refused(
    service: httpx.AsyncClient, stranger: Person, stored: NewRun
) -> None:
    answer = await sign(service, stored.first, stranger)
    assert answer.status_code == 403
    assert "url" not in answer.json() and answer.json()["error"]


async def test_only_a_user_is_heard(
    service: httpx.AsyncClient, stored: NewRun, stack: LocalProject
) -> None:
    body = {"segmentId": str(stored.first)}
    for key in (None, stack.anon_key, stack.service_role_key, "garbage"):
        headers = {"Authorization": f"Bearer {key}", "apikey": key} if key else {}
        answer = await service.post(SIGN, json=body, headers=headers)
        assert (answer.status_code, bool(answer.json()["error"])) == (401, True)


async def test_who_asks_is_known_before_what_is_asked(service: httpx.AsyncClient) -> None:
    answer = await service.post(SIGN, content=b"not json")
    assert answer.status_code == 401


async def test_an_unknown_segment_is_not_found(service: httpx.AsyncClient, owner: Person) -> None:
    answer = await sign(service, uuid4(), owner)
    assert (answer.status_code, answer.json()) == (404, {"error": "unknown segment"})


async def test_a_file_that_is_gone_is_not_found(
    service: httpx.AsyncClient, clients: Clients, owner: Person, stored: NewRun
) -> None:
    await clients.storage.delete([track_path(stored.id, stored.first)])
    answer = await sign(service, stored.first, owner)
    assert answer.status_code == 404
    assert answer.json()["error"] == "The track is no longer in storage."


@pytest.mark.parametrize("status", ["queued", "generating", "first", "failed"])
async def test_a_track_that_is_not_ready_is_a_conflict(
    service: httpx.AsyncClient, owner: Person, make_run: MakeRun, records: Records, status: str
) -> None:
    run = await make_run()
    records.do("update public.parcours_segments set status = %s where id = %s", status, run.first)
    answer = await sign(service, run.first, owner)
    assert answer.status_code == 409
    assert answer.json()["error"]


async def test_a_track_that_could_not_be_stored_is_a_conflict(
    service: httpx.AsyncClient,
    owner: Person,
    make_run: MakeRun,
    complete: Callable[[NewRun, str | None], None],
) -> None:
    run = await make_run()
    complete(run, None)
    assert (await sign(service, run.first, owner)).status_code == 409


async def test_a_stranger_learns_nothing_about_what_is_not_ready(
    service: httpx.AsyncClient, stranger: Person, make_run: MakeRun
) -> None:
    run = await make_run()
    assert (await sign(service, run.first, stranger)).status_code == 403


async def test_a_storage_that_breaks_is_a_503(
    make_settings: MakeSettings, owner: Person, stored: NewRun, relay: Relay
) -> None:
    relay.broken["/storage/v1"] = Response("<h1>Bad Gateway</h1>", 502)
    async with open_service(make_settings(supabase_url=relay.url)) as service:
        answer = await sign(service, stored.first, owner)
    assert answer.status_code == 503
    assert answer.json() == {"error": "Storage cannot be reached right now. Please try again."}
    assert answer.headers["retry-after"]
