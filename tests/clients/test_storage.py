"""The private bucket of tracks, on the real Storage of the stack."""

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import anyio
import httpx
import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.clients.storage import (
    TRACK_BYTES_MAX,
    StorageUnavailable,
    TrackGone,
    TrackNotStorable,
    TrackStorage,
    track_path,
)
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings

pytestmark = pytest.mark.anyio

MUSIC = b"ID3\x04" + bytes(5000)


@pytest.fixture
async def path(clients: Clients) -> AsyncIterator[str]:
    """A place in the bucket, empty again afterwards."""
    path = track_path(uuid4(), uuid4())
    yield path
    await clients.storage.delete([path])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "track"
    file.write_bytes(MUSIC)
    return file


@pytest.fixture(scope="module")
async def tracks(make_settings: MakeSettings, running_relay: Relay) -> AsyncIterator[TrackStorage]:
    """The bucket, with something in between that may break."""
    async with open_clients(make_settings(supabase_url=running_relay.url)) as clients:
        yield clients.storage


def test_a_track_has_the_documented_place() -> None:
    run_id, segment_id = uuid4(), uuid4()
    assert track_path(run_id, segment_id) == f"runs/{run_id}/{segment_id}.mp3"


@pytest.mark.parametrize("content_type", ["audio/mpeg", "audio/wav"])
async def test_a_stored_track_is_private_and_plays_with_its_signed_url(
    clients: Clients, stack: LocalProject, path: str, file: Path, content_type: str
) -> None:
    await clients.storage.store(path, file, content_type)
    url = await clients.storage.sign(path)
    async with httpx.AsyncClient() as browser:
        whole = await browser.get(url)
        assert (whole.status_code, whole.headers["content-type"]) == (200, content_type)
        assert whole.content == MUSIC
        part = await browser.get(url, headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"ID3\x04")
        assert part.headers["content-range"] == f"bytes 0-3/{len(MUSIC)}"
        public = await browser.get(f"{stack.url}/storage/v1/object/public/parcours-tracks/{path}")
        assert public.status_code == 400


async def test_storing_again_replaces(clients: Clients, path: str, file: Path) -> None:
    await clients.storage.store(path, file, "audio/mpeg")
    file.write_bytes(MUSIC * 2)  # noqa: ASYNC240
    await clients.storage.store(path, file, "audio/mpeg")
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(await clients.storage.sign(path))).content == MUSIC * 2


async def test_what_the_bucket_does_not_take_is_not_storable(
    clients: Clients, path: str, file: Path
) -> None:
    with pytest.raises(TrackNotStorable):
        await clients.storage.store(path, file, "text/html")
    with file.open("r+b") as opened:
        opened.truncate(TRACK_BYTES_MAX + 1)
    with pytest.raises(TrackNotStorable):
        await clients.storage.store(path, file, "audio/mpeg")
    with pytest.raises(TrackGone):
        await clients.storage.sign(path)


async def test_the_largest_track_is_stored_and_never_held_in_memory(
    clients: Clients, path: str, file: Path
) -> None:
    with file.open("r+b") as opened:
        opened.truncate(TRACK_BYTES_MAX)
    tracemalloc.start()
    try:
        await clients.storage.store(path, file, "audio/mpeg")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
    await clients.storage.delete([path])


async def test_a_deleted_track_is_gone_and_deleting_it_again_is_no_error(
    clients: Clients, path: str, file: Path
) -> None:
    await clients.storage.store(path, file, "audio/mpeg")
    await clients.storage.delete([path])
    await clients.storage.delete([path])
    with pytest.raises(TrackGone):
        await clients.storage.sign(path)


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse("<h1>Bad Gateway</h1>", 502),
        HTMLResponse("<h1>Sign in to the Wi-Fi</h1>", 200),
        JSONResponse({"message": "upstream"}, 503),
        JSONResponse([], 503),
        JSONResponse({"statusCode": 500, "error": "Internal", "message": "Internal"}, 500),
        JSONResponse({"statusCode": "429", "error": "SlowDown", "message": "slow"}, 429),
        JSONResponse({"statusCode": "544", "error": "DatabaseTimeout", "message": "x"}, 544),
        JSONResponse({"statusCode": "403", "error": "Unauthorized", "message": "jws"}, 400),
        JSONResponse({"statusCode": "400", "error": "InvalidJWT", "message": "jwt"}, 400),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.body[:30].decode()}",
)
async def test_a_storage_that_does_not_answer_sanely_is_unavailable(
    tracks: TrackStorage, relay: Relay, path: str, file: Path, answer: Response
) -> None:
    relay.broken["/storage/v1"] = answer
    with pytest.raises(StorageUnavailable):
        await tracks.store(path, file, "audio/mpeg")
    with pytest.raises(StorageUnavailable):
        await tracks.sign(path)


async def test_a_missing_bucket_is_no_fault_of_the_track(
    tracks: TrackStorage, relay: Relay, path: str, file: Path
) -> None:
    answer = {"statusCode": "404", "error": "Bucket not found", "message": "Bucket not found"}
    relay.broken["/storage/v1"] = JSONResponse(answer, 400)
    with pytest.raises(StorageUnavailable):
        await tracks.store(path, file, "audio/mpeg")


async def test_a_storage_out_of_reach_is_unavailable(
    make_settings: MakeSettings, path: str, file: Path, dead_port: int
) -> None:
    settings = make_settings(supabase_url=f"http://127.0.0.1:{dead_port}")
    async with open_clients(settings) as clients:
        with pytest.raises(StorageUnavailable):
            await clients.storage.store(path, file, "audio/mpeg")
        with pytest.raises(StorageUnavailable):
            await clients.storage.sign(path)
        with pytest.raises(StorageUnavailable):
            await clients.storage.delete([path])


async def test_a_run_that_somebody_else_erases_meanwhile_is_erased(
    clients: Clients, file: Path
) -> None:
    """As a worker does beside `parcours erase`: the list names files that are gone by then."""
    run_id = uuid4()
    for _ in range(3):
        await clients.storage.store(track_path(run_id, uuid4()), file, "audio/mpeg")
    erased = [0, 0]

    async def erase(number: int) -> None:
        erased[number] = await clients.storage.erase_run(run_id)

    async with anyio.create_task_group() as group:
        group.start_soon(erase, 0)
        group.start_soon(erase, 1)
    assert sum(erased) == 3
    assert await clients.storage.erase_run(run_id) == 0
