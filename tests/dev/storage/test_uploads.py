"""Uploads: limits to the byte, names that climb, writers at once."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from tests.dev.storage.requests import MP3, chunks, eventually

pytestmark = pytest.mark.anyio


TRACK_BYTES_MAX = 52_428_800


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
    before = {*stack.storage_dir.iterdir()}
    url = f"/object/{bucket}/a.mp3"
    fields = {"cacheControl": "60", "metadata": '{"take": 2}'}
    for size, status in ((1001, 400), (1000, 200)):
        files = {"file": ("a.mp3", bytes(size), "audio/mpeg")}
        answer = await storage.post(url, data=fields, files=files)
        assert answer.status_code == status, answer.text
    assert len({*stack.storage_dir.iterdir()} - before) == 1, "a refused file leaves nothing"
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


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "b" * 300])
async def test_a_form_without_a_sane_boundary_is_refused(
    storage: httpx.AsyncClient, bucket: str, boundary: str
) -> None:
    headers = {"content-type": f"multipart/form-data{boundary}"}
    answer = await storage.post(f"/object/{bucket}/a.mp3", content=b"--", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest")


async def test_an_upload_that_breaks_off_leaves_nothing(
    storage: httpx.AsyncClient, stack: LocalProject, bucket: str
) -> None:
    before = {*stack.storage_dir.rglob("*")}
    head = (
        f"PUT /storage/v1/object/{bucket}/a.mp3 HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {stack.service_role_key}\r\n"
        "content-type: audio/mpeg\r\ncontent-length: 1000000\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", stack.port)
    writer.write(head.encode() + bytes(500_000))
    await writer.drain()
    await eventually(lambda: not {*stack.storage_dir.rglob("*")} <= before)
    writer.close()
    await eventually(lambda: {*stack.storage_dir.rglob("*")} <= before)
    assert (await storage.head(f"/object/{bucket}/a.mp3")).status_code == 400


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
    before = {*stack.state_dir.iterdir(), *stack.storage_dir.rglob("*")}
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
    assert {*stack.state_dir.iterdir(), *stack.storage_dir.rglob("*")} <= before


async def test_a_literal_climb_is_refused_too(
    storage: httpx.AsyncClient, stack: LocalProject, bucket: str
) -> None:
    target = f"/storage/v1/object/{bucket}/../../../etc/passwd".encode()
    request = storage.build_request("GET", "/", extensions={"target": target})
    assert (await storage.send(request)).status_code == 400


async def test_of_new_objects_of_one_name_at_once_one_is_stored(
    storage: httpx.AsyncClient, bucket: str
) -> None:
    url = f"/object/{bucket}/one.mp3"
    uploads = (storage.post(url, content=bytes([n]), headers=MP3) for n in range(5))
    answers = await asyncio.gather(*uploads)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
    assert {a.json()["error"] for a in answers if a.status_code == 400} == {"Duplicate"}
