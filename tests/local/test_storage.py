"""The Storage stand-in beyond what clients show: limits to the byte, names, policies, readers."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx
import psycopg
import pytest

from parcours_xl.local.project import LocalProject
from parcours_xl.local.storage.files import Files

pytestmark = pytest.mark.anyio

MP3 = {"content-type": "audio/mpeg"}
TRACK_BYTES_MAX = 52_428_800


@pytest.fixture
async def storage(stack: LocalProject) -> AsyncIterator[httpx.AsyncClient]:
    """Storage, asked with the service key."""
    headers = {"authorization": f"Bearer {stack.service_role_key}"}
    url = f"{stack.url}/storage/v1"
    async with httpx.AsyncClient(
        base_url=url, headers=headers, trust_env=False, timeout=30
    ) as client:
        yield client


@pytest.fixture
async def bucket(storage: httpx.AsyncClient) -> AsyncIterator[str]:
    """The name of a private bucket of this test's own."""
    name = f"test-{uuid4()}"
    assert (await storage.post("/bucket", json={"name": name})).status_code == 200
    yield name
    assert (await storage.post(f"/bucket/{name}/empty")).status_code == 200
    assert (await storage.delete(f"/bucket/{name}")).status_code == 200


async def put(
    storage: httpx.AsyncClient, bucket: str, content: Any, name: str = "folder/track.mp3"
) -> None:
    answer = await storage.put(f"/object/{bucket}/{name}", content=content, headers=MP3)
    assert answer.status_code == 200, answer.text


async def sign(storage: httpx.AsyncClient, bucket: str, name: str = "folder/track.mp3") -> str:
    answer = await storage.post(f"/object/sign/{bucket}/{name}", json={"expiresIn": 60})
    return str(answer.json()["signedURL"])


async def chunks(size: int) -> AsyncIterator[bytes]:
    while size > 0:
        yield bytes(min(size, 1 << 20))
        size -= 1 << 20


@pytest.mark.parametrize("declared", [True, False])
async def test_a_track_may_have_50_mib_and_not_a_byte_more(
    storage: httpx.AsyncClient, declared: bool
) -> None:
    url = f"/object/parcours-tracks/test-{uuid4()}.mp3"
    for size, status in ((TRACK_BYTES_MAX + 1, 400), (TRACK_BYTES_MAX, 200)):
        length = {"content-length": str(size)} if declared else {}
        answer = await storage.post(url, content=chunks(size), headers=MP3 | length)
        assert answer.status_code == status, answer.text
        if status == 400:
            assert answer.json() == {
                "statusCode": "413",
                "code": "EntityTooLarge",
                "error": "Payload too large",
                "message": "The object exceeded the maximum allowed size",
            }
    assert (await storage.head(url)).headers["content-length"] == str(TRACK_BYTES_MAX)
    assert (await storage.delete(url)).status_code == 200


async def test_a_form_is_measured_by_its_file_alone(
    storage: httpx.AsyncClient, stack: LocalProject
) -> None:
    bucket = f"test-{uuid4()}"
    await storage.post("/bucket", json={"name": bucket, "file_size_limit": 1000})
    before = set(stack.storage_dir.iterdir())
    url = f"/object/{bucket}/a.mp3"
    fields = {"cacheControl": "60", "metadata": '{"take": 2}'}
    for size, status in ((1001, 400), (1000, 200)):
        files = {"file": ("a.mp3", bytes(size), "audio/mpeg")}
        answer = await storage.post(url, data=fields, files=files)
        assert answer.status_code == status, answer.text
    assert len(set(stack.storage_dir.iterdir()) - before) == 1, "a refused file leaves nothing"
    info = (await storage.get(f"/object/info/{bucket}/a.mp3")).json()
    assert info["size"] == 1000
    assert info["cache_control"] == "max-age=60"
    assert info["metadata"] == {"take": 2}
    await storage.post(f"/bucket/{bucket}/empty")
    await storage.delete(f"/bucket/{bucket}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b\r\n",
        b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n',
        b'--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\ncut off',
        b"no form at all",
    ],
)
async def test_a_form_without_a_whole_file_is_refused(
    storage: httpx.AsyncClient, bucket: str, body: bytes
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = await storage.post(f"/object/{bucket}/a.mp3", content=body, headers=headers)
    assert answer.status_code == 400
    assert (await storage.post(f"/object/list/{bucket}", json={"prefix": ""})).json() == []


@pytest.mark.parametrize("mime_type", ["audio/mpeg", "audio/mp3", "audio/wav"])
async def test_tracks_may_be_of_the_documented_types(
    storage: httpx.AsyncClient, mime_type: str
) -> None:
    url = f"/object/parcours-tracks/test-{uuid4()}"
    answer = await storage.post(url, content=b"music", headers={"content-type": mime_type})
    assert answer.status_code == 200
    await storage.delete(url)


@pytest.mark.parametrize(
    "mime_type", ["text/plain", "audio/ogg", "audio/mpeg;codecs=mp3", "audio", "AUDIO/mpeg"]
)
async def test_tracks_may_be_of_no_other_type(storage: httpx.AsyncClient, mime_type: str) -> None:
    url = f"/object/parcours-tracks/test-{uuid4()}"
    answer = await storage.post(url, content=b"music", headers={"content-type": mime_type})
    assert answer.status_code == 400
    assert answer.json()["statusCode"] == "415"


@pytest.mark.parametrize(
    "name",
    [
        "%2e%2e/secret",
        "a/%2e%2e/b",
        "..%2fsecret",
        "a%2f..%2fb",
        "a/%2E%2E%2Fb",
        "%252e%252e/secret",
        "a/%2e/b",
        "a%5c..%5cb",
        "a%00b",
        "%c0%ae%c0%ae/b",
        "caf%C3%A9.mp3",
    ],
)
@pytest.mark.parametrize("place", ["object", "object/sign", "object/info"])
async def test_names_that_climb_or_hide_are_refused(
    storage: httpx.AsyncClient, stack: LocalProject, bucket: str, name: str, place: str
) -> None:
    method = {"object": "POST", "object/sign": "POST", "object/info": "GET"}[place]
    before = {path for path in stack.state_dir.rglob("*") if path.parent != stack.logs_dir}
    request = storage.build_request(
        method,
        f"/{place}/{bucket}/x",
        content=b'{"expiresIn": 60}',
        headers=MP3,
        extensions={"target": f"/storage/v1/{place}/{bucket}/{name}".encode()},
    )
    answer = await storage.send(request)
    assert answer.status_code == 400
    assert answer.json()["error"] == "InvalidKey"
    after = {path for path in stack.state_dir.rglob("*") if path.parent != stack.logs_dir}
    assert {path.name for path in after - before} == set()
    assert unquote(name)


async def test_a_literal_climb_is_refused_too(
    storage: httpx.AsyncClient, stack: LocalProject, bucket: str
) -> None:
    target = f"/storage/v1/object/{bucket}/../../../etc/passwd".encode()
    request = storage.build_request("GET", "/", extensions={"target": target})
    assert (await storage.send(request)).status_code == 400


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
    ("asked", "status", "content", "told"),
    [
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
    ],
)
async def test_ranges_are_served_as_asked(
    storage: httpx.AsyncClient, bucket: str, asked: str, status: int, content: bytes, told: str
) -> None:
    await put(storage, bucket, b"0123456789")
    for url in (f"/object/{bucket}/folder/track.mp3", await sign(storage, bucket)):
        answer = await storage.get(url, headers={"range": asked})
        assert (answer.status_code, answer.content) == (status, content)
        assert answer.headers["content-range"] == told


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


async def test_of_new_objects_of_one_name_at_once_one_is_stored(
    storage: httpx.AsyncClient, bucket: str
) -> None:
    url = f"/object/{bucket}/one.mp3"
    uploads = (storage.post(url, content=bytes([n]), headers=MP3) for n in range(5))
    answers = await asyncio.gather(*uploads)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
    assert {a.json()["error"] for a in answers if a.status_code == 400} == {"Duplicate"}


async def test_listing_sorts_searches_and_pages(storage: httpx.AsyncClient, bucket: str) -> None:
    for name in ("b.mp3", "a.mp3", "folder/c.mp3", "folder/deep/d.mp3", "other/e.mp3"):
        await put(storage, bucket, b"music", name)

    async def names(**asked: object) -> list[str]:
        answer = await storage.post(f"/object/list/{bucket}", json={"prefix": "", **asked})
        return [entry["name"] for entry in answer.json()]

    assert await names() == ["a.mp3", "b.mp3", "folder", "other"]
    assert await names(sortBy={"column": "name", "order": "desc"}) == [
        *("other", "folder", "b.mp3", "a.mp3")
    ]
    assert await names(prefix="folder") == ["c.mp3", "deep"]
    assert await names(prefix="folder/deep/") == ["d.mp3"]
    assert await names(search="o") == ["other"]
    assert await names(limit=2, offset=1) == ["b.mp3", "folder"]


@pytest.fixture
def own_folder_policy(stack: LocalProject, bucket: str) -> Iterator[None]:
    """Users may do as they like in the folder named after them, in this test's bucket."""
    name = f"own folder {bucket}"
    with psycopg.connect(stack.database_url(), autocommit=True) as connection:
        connection.execute(
            f"""
            create policy "{name}" on storage.objects to authenticated
              using (bucket_id = '{bucket}' and (storage.foldername(name))[1] = auth.uid()::text)
            """
        )
        yield
        connection.execute(f'drop policy "{name}" on storage.objects')


@pytest.mark.usefixtures("own_folder_policy")
async def test_policies_decide_about_every_object(
    storage: httpx.AsyncClient, stack: LocalProject, bucket: str
) -> None:
    async with httpx.AsyncClient(headers={"apikey": stack.anon_key}, trust_env=False) as client:
        session = (await client.post(f"{stack.url}/auth/v1/signup", json={})).json()
    mine, user = session["user"]["id"], {"authorization": f"Bearer {session['access_token']}"}
    own, foreign = f"/object/{bucket}/{mine}/a.mp3", f"/object/{bucket}/else/a.mp3"
    assert (await storage.post(own, content=b"1", headers=MP3 | user)).status_code == 200
    assert (await storage.put(own, content=b"2", headers=MP3 | user)).status_code == 200
    assert (await storage.get(own, headers=user)).content == b"2"
    refused = await storage.post(foreign, content=b"1", headers=MP3 | user)
    assert refused.json()["error"] == "Unauthorized"
    await put(storage, bucket, b"music", "else/a.mp3")
    assert (await storage.get(foreign, headers=user)).json()["error"] == "not_found"
    deleted = await storage.delete(foreign, headers=user)
    assert deleted.json()["error"] == "Unauthorized"
    with psycopg.connect(stack.database_url()) as connection:
        owner = connection.execute(
            "select owner_id, owner::text from storage.objects where name = %s", (f"{mine}/a.mp3",)
        ).fetchone()
    assert owner == (mine, mine)
    assert (await storage.delete(own, headers=user)).status_code == 200


async def test_a_public_bucket_is_read_without_a_token(
    storage: httpx.AsyncClient, stack: LocalProject
) -> None:
    bucket = f"test-{uuid4()}"
    await storage.post("/bucket", json={"name": bucket, "public": True})
    await put(storage, bucket, b"music", "a.mp3")
    async with httpx.AsyncClient(base_url=storage.base_url, trust_env=False) as anybody:
        for place in (f"/object/public/{bucket}/a.mp3", f"/object/{bucket}/a.mp3"):
            assert (await anybody.get(place)).content == b"music"
        refused = await anybody.get("/object/public/parcours-tracks/a.mp3")
        assert refused.json()["error"] == "Bucket not found"
        assert (await anybody.get("/bucket")).json()["statusCode"] == "403"
    await storage.post(f"/bucket/{bucket}/empty")
    await storage.delete(f"/bucket/{bucket}")


async def test_a_path_that_storage_does_not_have_is_a_json_404(storage: httpx.AsyncClient) -> None:
    answer = await storage.get("/vectors")
    assert (answer.status_code, answer.json()["statusCode"]) == (404, "404")


def test_rows_are_deleted_through_storage_only(stack: LocalProject) -> None:
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="Storage API")
    with psycopg.connect(stack.database_url()) as connection, refused:
        connection.execute("delete from storage.objects")


def test_policies_can_take_a_name_apart(stack: LocalProject) -> None:
    with psycopg.connect(stack.database_url()) as connection:
        query = "select storage.foldername(n), storage.filename(n), storage.extension(n)"
        told = connection.execute(f"{query} from (select 'runs/1/two.final.mp3' as n)").fetchone()
    assert told == (["runs", "1"], "two.final.mp3", "mp3")


async def test_a_replaced_version_stays_for_readers_and_then_goes(tmp_path: Any) -> None:
    files = Files(tmp_path / "storage")
    written = await files.write("first", chunks(3), bytes_max=3)
    assert (written.size_bytes, files.path("first").read_bytes()) == (3, bytes(3))
    files.retire("first")
    assert files.path("first").exists()
    files.close()
    assert not files.path("first").exists()
