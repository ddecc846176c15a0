"""The private bucket of tracks, on the real Storage of the stack."""

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import anyio
import httpx
import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from parcours_xl.adapters.outside import Outside, open_outside
from parcours_xl.adapters.tracks import (
    TRACK_BYTES_MAX,
    StorageAway,
    TrackGone,
    TrackNotStorable,
    Tracks,
    track_path,
)
from parcours_xl.local.project import LocalProject
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings

pytestmark = pytest.mark.anyio

MUSIC = b"ID3\x04" + bytes(5000)


@pytest.fixture
async def path(outside: Outside) -> AsyncIterator[str]:
    """A place in the bucket, empty again afterwards."""
    path = track_path(uuid4(), uuid4())
    yield path
    await outside.tracks.delete([path])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "track"
    file.write_bytes(MUSIC)
    return file


@pytest.fixture(scope="module")
async def tracks(make_settings: MakeSettings, running_relay: Relay) -> AsyncIterator[Tracks]:
    """The bucket, with something in between that may break."""
    async with open_outside(make_settings(supabase_url=running_relay.url)) as outside:
        yield outside.tracks


def test_a_track_has_the_documented_place() -> None:
    run_id, segment_id = uuid4(), uuid4()
    assert track_path(run_id, segment_id) == f"runs/{run_id}/{segment_id}.mp3"


@pytest.mark.parametrize("content_type", ["audio/mpeg", "audio/wav"])
async def test_a_stored_track_is_private_and_plays_with_its_signed_url(
    outside: Outside, stack: LocalProject, path: str, file: Path, content_type: str
) -> None:
    await outside.tracks.store(path, file, content_type)
    url = await outside.tracks.sign(path)
    async with httpx.AsyncClient() as browser:
        whole = await browser.get(url)
        assert (whole.status_code, whole.headers["content-type"]) == (200, content_type)
        assert whole.content == MUSIC
        part = await browser.get(url, headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"ID3\x04")
        assert part.headers["content-range"] == f"bytes 0-3/{len(MUSIC)}"
        public = await browser.get(f"{stack.url}/storage/v1/object/public/parcours-tracks/{path}")
        assert public.status_code == 400


async def test_storing_again_replaces(outside: Outside, path: str, file: Path) -> None:
    await outside.tracks.store(path, file, "audio/mpeg")
    file.write_bytes(MUSIC * 2)  # noqa: ASYNC240
    await outside.tracks.store(path, file, "audio/mpeg")
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(await outside.tracks.sign(path))).content == MUSIC * 2


async def test_what_the_bucket_does_not_take_is_not_storable(
    outside: Outside, path: str, file: Path
) -> None:
    with pytest.raises(TrackNotStorable):
        await outside.tracks.store(path, file, "text/html")
    with file.open("r+b") as opened:
        opened.truncate(TRACK_BYTES_MAX + 1)
    with pytest.raises(TrackNotStorable):
        await outside.tracks.store(path, file, "audio/mpeg")
    with pytest.raises(TrackGone):
        await outside.tracks.sign(path)


async def test_the_largest_track_is_stored_and_never_held_in_memory(
    outside: Outside, path: str, file: Path
) -> None:
    with file.open("r+b") as opened:
        opened.truncate(TRACK_BYTES_MAX)
    tracemalloc.start()
    try:
        await outside.tracks.store(path, file, "audio/mpeg")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
    await outside.tracks.delete([path])


async def test_a_deleted_track_is_gone_and_deleting_it_again_is_no_trouble(
    outside: Outside, path: str, file: Path
) -> None:
    await outside.tracks.store(path, file, "audio/mpeg")
    await outside.tracks.delete([path])
    await outside.tracks.delete([path])
    with pytest.raises(TrackGone):
        await outside.tracks.sign(path)


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
async def test_a_storage_that_does_not_answer_sanely_is_away(
    tracks: Tracks, relay: Relay, path: str, file: Path, answer: Response
) -> None:
    relay.broken["/storage/v1"] = answer
    with pytest.raises(StorageAway):
        await tracks.store(path, file, "audio/mpeg")
    with pytest.raises(StorageAway):
        await tracks.sign(path)


async def test_a_missing_bucket_is_no_fault_of_the_track(
    tracks: Tracks, relay: Relay, path: str, file: Path
) -> None:
    answer = {"statusCode": "404", "error": "Bucket not found", "message": "Bucket not found"}
    relay.broken["/storage/v1"] = JSONResponse(answer, 400)
    with pytest.raises(StorageAway):
        await tracks.store(path, file, "audio/mpeg")


async def test_a_storage_out_of_reach_is_away(
    make_settings: MakeSettings, path: str, file: Path, dead_port: int
) -> None:
    settings = make_settings(supabase_url=f"http://127.0.0.1:{dead_port}")
    async with open_outside(settings) as outside:
        with pytest.raises(StorageAway):
            await outside.tracks.store(path, file, "audio/mpeg")
        with pytest.raises(StorageAway):
            await outside.tracks.sign(path)
        with pytest.raises(StorageAway):
            await outside.tracks.delete([path])


async def test_a_run_that_somebody_else_erases_meanwhile_is_erased(
    outside: Outside, file: Path
) -> None:
    """As a worker does beside `parcours erase`: the list names files that are gone by then."""
    run_id = uuid4()
    for _ in range(3):
        await outside.tracks.store(track_path(run_id, uuid4()), file, "audio/mpeg")
    erased = [0, 0]

    async def erase(number: int) -> None:
        erased[number] = await outside.tracks.erase_run(run_id)

    async with anyio.create_task_group() as group:
        group.start_soon(erase, 0)
        group.start_soon(erase, 1)
    assert sum(erased) == 3
    assert await outside.tracks.erase_run(run_id) == 0
