"""Downloads: signed URLs, ranges, and readers while an object is replaced."""

import asyncio
import hashlib
from pathlib import Path

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from parcours_dev.supabase.storage.files import Files
from tests.dev.storage.requests import chunks, put, sign

pytestmark = pytest.mark.anyio


async def test_a_signed_url_is_relative_and_says_when_it_ends(
    storage: httpx.AsyncClient, bucket: str
) -> None:
    await put(storage, bucket, b"music")
    url = await sign(storage, bucket)
    assert url.startswith(f"/object/sign/{bucket}/folder/track.mp3?token=")
    answer = await httpx.AsyncClient(trust_env=False).get(f"{storage.base_url}{url.lstrip('/')}")
    assert answer.content == b"music"
    assert "expires" in answer.headers
    assert "cache-control" not in answer.headers


async def test_a_signed_url_is_no_key_to_anything_else(
    storage: httpx.AsyncClient, bucket: str
) -> None:
    await put(storage, bucket, b"music")
    token = (await sign(storage, bucket)).partition("token=")[2]
    headers = {"authorization": f"Bearer {token}"}
    answer = await storage.get(f"/object/authenticated/{bucket}/folder/track.mp3", headers=headers)
    assert answer.json()["statusCode"] == "403"


async def test_an_access_token_is_no_signed_url(
    storage: httpx.AsyncClient, stack: LocalProject, bucket: str
) -> None:
    await put(storage, bucket, b"music")
    url = f"/object/sign/{bucket}/folder/track.mp3?token={stack.service_role_key}"
    assert (await storage.get(url)).json()["error"] == "InvalidJWT"


@pytest.mark.parametrize("seconds", [0, -1, "soon", None, 1.5])
async def test_a_url_is_signed_for_whole_seconds_only(
    storage: httpx.AsyncClient, bucket: str, seconds: object
) -> None:
    await put(storage, bucket, b"music")
    url = f"/object/sign/{bucket}/folder/track.mp3"
    answer = await storage.post(url, json={"expiresIn": seconds})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=5-99", b"56789", "bytes 5-9/10"),
    ],
)
async def test_ranges_are_served_as_asked(
    storage: httpx.AsyncClient, bucket: str, asked: str, content: bytes, told: str
) -> None:
    await put(storage, bucket, b"0123456789")
    for url in (f"/object/{bucket}/folder/track.mp3", await sign(storage, bucket)):
        # If-Range is ignored, as in supabase/storage.
        answer = await storage.get(url, headers={"range": asked, "if-range": '"another"'})
        assert (answer.status_code, answer.content) == (206, content)
        assert answer.headers["content-range"] == told


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=10-",
        "bytes=0-1,3-4",
        "bytes=5-2",
        "bytes=-",
        "bytes=-0",
        "bytes=a-b",
        "items=0-1",
        "",
    ],
)
async def test_other_ranges_are_refused(
    storage: httpx.AsyncClient, bucket: str, asked: str
) -> None:
    await put(storage, bucket, b"0123456789")
    answer = await storage.get(await sign(storage, bucket), headers={"range": asked})
    assert answer.status_code == 416
    assert answer.json()["code"] == "InvalidRange"


async def test_a_listing_without_a_prefix_is_refused(
    storage: httpx.AsyncClient, bucket: str
) -> None:
    answer = await storage.post(f"/object/list/{bucket}", json={"limit": 1})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


async def test_head_and_etag_spare_a_download(storage: httpx.AsyncClient, bucket: str) -> None:
    await put(storage, bucket, b"music")
    for url in (f"/object/{bucket}/folder/track.mp3", await sign(storage, bucket)):
        head = await storage.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == "5"
        assert head.headers["accept-ranges"] == "bytes"
        etag = head.headers["etag"]
        assert etag == f'"{hashlib.md5(b"music").hexdigest()}"'
        answer = await storage.get(url, headers={"if-none-match": etag})
        assert (answer.status_code, answer.content) == (304, b"")


async def test_a_stored_page_is_never_served_as_one(
    storage: httpx.AsyncClient, bucket: str
) -> None:
    url = f"/object/{bucket}/page.html"
    await storage.post(url, content=b"<script>", headers={"content-type": "text/html"})
    answer = await storage.get(url + "?download=a page.html")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "attachment; filename=a%20page.html" in answer.headers["content-disposition"]


async def test_readers_get_one_whole_version_while_it_is_replaced(
    storage: httpx.AsyncClient, bucket: str
) -> None:
    size = 300_000
    await put(storage, bucket, bytes(size))
    url = await sign(storage, bucket)

    async def replace() -> None:
        for number in range(1, 9):
            await put(storage, bucket, bytes([number]) * size)

    async def read() -> None:
        for _ in range(15):
            answer = await storage.get(url)
            assert answer.status_code == 200
            assert len(answer.content) == size
            assert len(set(answer.content)) == 1

    await asyncio.gather(replace(), replace(), read(), read())


async def test_a_replaced_version_stays_for_readers_and_then_goes(tmp_path: Path) -> None:
    files = Files(tmp_path / "storage")
    written = await files.write("first", chunks(3), bytes_max=3)
    assert (written.size_bytes, files.path("first").read_bytes()) == (3, bytes(3))
    files.retire("first")
    assert files.path("first").exists()
    files.close()
    assert not files.path("first").exists()
