"""Storage through supabase-py. A function's name is the behaviour it shows."""

import asyncio

import httpx
import pytest
from storage3.exceptions import StorageApiError
from supabase import AsyncClient

from tests.exam.behaviours import BUCKET_FILE_BYTES_MAX, BUCKET_MIME_TYPES
from tests.exam.candidate import Candidate

MP3 = {"content-type": "audio/mpeg"}


def refused(code: str, status: int) -> pytest.RaisesExc[StorageApiError]:
    """Expects a Storage error with this code and status; the client has the status as a text."""
    return pytest.raises(
        StorageApiError, check=lambda e: (e.code, str(e.status)) == (code, str(status))
    )


async def a_bucket_tells_its_limits(candidate: Candidate) -> None:
    bucket = await candidate.service.storage.get_bucket(candidate.bucket)
    assert (bucket.id, bucket.name, bucket.public) == (candidate.bucket, candidate.bucket, False)
    assert bucket.file_size_limit == BUCKET_FILE_BYTES_MAX
    assert bucket.allowed_mime_types == BUCKET_MIME_TYPES
    buckets = await candidate.service.storage.list_buckets()
    assert candidate.bucket in [bucket.id for bucket in buckets]
    with refused("Bucket not found", 404):
        await candidate.service.storage.get_bucket("no-such-bucket")


async def an_upload_is_downloaded_byte_for_byte(candidate: Candidate) -> None:
    content = bytes(range(256)) * 300
    name = await candidate.stored(content)
    assert await candidate.objects.download(name) == content


async def an_upload_is_listed_in_its_folder(candidate: Candidate) -> None:
    folder, _, file = (await candidate.stored(b"four")).partition("/")
    (found,) = await candidate.objects.list(folder)
    assert found["name"] == file
    assert found["metadata"]["size"] == 4
    assert found["metadata"]["mimetype"] == "audio/mpeg"
    assert {"name": folder, "id": None}.items() <= (
        next(entry for entry in await candidate.objects.list() if entry["name"] == folder).items()
    )


async def a_raw_upload_is_stored_like_a_form(candidate: Candidate) -> None:
    url = f"{candidate.examinee.url}/storage/v1/object/{candidate.bucket}/raw/a%20track.mp3"
    headers = candidate.service.options.headers | MP3
    answer = await candidate.http.post(url, content=b"music", headers=headers)
    assert answer.json()["Key"] == f"{candidate.bucket}/raw/a track.mp3"
    assert await candidate.objects.download("raw/a track.mp3") == b"music"


async def a_second_upload_of_a_name_is_refused(candidate: Candidate) -> None:
    name = await candidate.stored(b"first")
    with refused("Duplicate", 409):
        await candidate.objects.upload(name, b"second", MP3)
    assert await candidate.objects.download(name) == b"first"


async def an_upsert_replaces_the_object(candidate: Candidate) -> None:
    name = await candidate.stored(b"first")
    await candidate.objects.upload(name, b"second", MP3 | {"x-upsert": "true"})
    assert await candidate.objects.download(name, query_params={"v": "2"}) == b"second"


async def a_file_of_exactly_the_limit_is_taken(candidate: Candidate) -> None:
    name = await candidate.stored(bytes(BUCKET_FILE_BYTES_MAX))
    assert len(await candidate.objects.download(name)) == BUCKET_FILE_BYTES_MAX


async def one_byte_more_than_the_limit_is_refused(candidate: Candidate) -> None:
    with refused("Payload too large", 413):
        await candidate.stored(bytes(BUCKET_FILE_BYTES_MAX + 1))


async def a_type_that_is_not_on_the_list_is_refused(candidate: Candidate) -> None:
    with refused("invalid_mime_type", 415):
        await candidate.stored(b"text", "text/plain")


async def a_wildcard_takes_every_type_of_its_family(candidate: Candidate) -> None:
    name = await candidate.stored(b"pixels", "image/webp")
    assert (await candidate.objects.info(name))["content_type"] == "image/webp"


async def a_signed_url_serves_the_object_to_anybody(candidate: Candidate) -> None:
    answer = await candidate.http.get(await _signed_url(candidate, b"music"))
    assert (answer.status_code, answer.content) == (200, b"music")
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["etag"]


async def a_signed_url_serves_ranges(candidate: Candidate) -> None:
    url = await _signed_url(candidate, b"0123456789")
    answer = await candidate.http.get(url, headers={"range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, b"2345")
    assert answer.headers["content-range"] == "bytes 2-5/10"


async def a_range_past_the_end_is_refused(candidate: Candidate) -> None:
    url = await _signed_url(candidate, b"0123456789")
    answer = await candidate.http.get(url, headers={"range": "bytes=10-"})
    # Hosted Storage hides the status that its object store answers.
    assert answer.status_code == 416


async def a_page_of_another_origin_may_play_a_signed_url(candidate: Candidate) -> None:
    url = await _signed_url(candidate, b"music")
    headers = {"origin": "https://clinic.example", "range": "bytes=0-"}
    answer = await candidate.http.get(url, headers=headers)
    assert answer.headers["access-control-allow-origin"] in ("*", "https://clinic.example")


async def a_signed_url_that_was_tampered_with_is_refused(candidate: Candidate) -> None:
    url = await _signed_url(candidate, b"music")
    tampered = url[:-8] + url[-8:][::-1]
    assert refusal(await candidate.http.get(tampered)) == (400, "400", "InvalidJWT")


async def a_signed_url_that_expired_is_refused(candidate: Candidate) -> None:
    url = await _signed_url(candidate, b"music", seconds=1)
    await asyncio.sleep(2.1)
    assert refusal(await candidate.http.get(url)) == (400, "400", "InvalidJWT")


async def a_signed_url_opens_no_other_object(candidate: Candidate) -> None:
    other = await candidate.stored(b"another")
    _, _, token = (await _signed_url(candidate, b"music")).partition("?")
    url = f"{candidate.examinee.url}/storage/v1/object/sign/{candidate.bucket}/{other}?{token}"
    assert refusal(await candidate.http.get(url)) == (400, "400", "InvalidSignature")


async def what_is_not_there_is_not_signed(candidate: Candidate) -> None:
    with refused("not_found", 404):
        await candidate.objects.create_signed_url("nothing.mp3", 60)


async def several_objects_are_signed_at_once(candidate: Candidate) -> None:
    name = await candidate.stored(b"music")
    found, missing = await candidate.objects.create_signed_urls([name, "nothing.mp3"], 60)
    assert (await candidate.http.get(found["signedURL"])).content == b"music"
    assert found["error"] is None
    assert missing["signedURL"] is None
    assert missing["error"]


async def anon_may_not_touch_a_private_bucket(candidate: Candidate) -> None:
    await _may_not_touch(candidate, await candidate.client())


async def users_may_not_touch_a_private_bucket(candidate: Candidate) -> None:
    client, _ = await candidate.signed_in_before()
    await _may_not_touch(candidate, client)


async def _may_not_touch(candidate: Candidate, client: AsyncClient) -> None:
    name = await candidate.stored(b"music")
    objects = client.storage.from_(candidate.bucket)
    with refused("not_found", 404):
        await objects.download(name)
    with refused("not_found", 404):
        await objects.create_signed_url(name, 60)
    with refused("Unauthorized", 403):
        await objects.upload("intruder.mp3", b"noise", MP3)
    with refused("Unauthorized", 403):
        await objects.upload(name, b"noise", MP3 | {"x-upsert": "true"})
    assert await objects.list(name.partition("/")[0]) == []
    assert await objects.remove([name]) == []
    assert await candidate.objects.download(name) == b"music"


async def a_deleted_object_is_gone(candidate: Candidate) -> None:
    name = await candidate.stored(b"music")
    (deleted,) = await candidate.objects.remove([name])
    assert deleted["name"] == name
    assert await candidate.objects.exists(name) is False
    with refused("not_found", 404):
        await candidate.objects.download(name)


async def a_bucket_with_objects_is_not_deleted(candidate: Candidate) -> None:
    await candidate.stored(b"music")
    with refused("ResourceNotEmpty", 409):
        await candidate.service.storage.delete_bucket(candidate.bucket)


async def _signed_url(candidate: Candidate, content: bytes, seconds: int = 60) -> str:
    """A signed URL of a new object."""
    name = await candidate.stored(content)
    return (await candidate.objects.create_signed_url(name, seconds))["signedURL"]


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """The status of an answer, and what Storage says in it."""
    said = answer.json()
    return answer.status_code, str(said["statusCode"]), said["error"]
