"""Storage through supabase-py. A function's name is the behaviour it shows."""

import asyncio

import httpx
import pytest
from storage3.exceptions import StorageApiError
from supabase import AsyncClient

from tests.contract.behaviours import BUCKET_FILE_BYTES_MAX, BUCKET_MIME_TYPES
from tests.contract.context import ContractContext

MP3 = {"content-type": "audio/mpeg"}


def refused(code: str, status: int) -> pytest.RaisesExc[StorageApiError]:
    """Expects a Storage error with this code and status; the client has the status as a text."""
    return pytest.raises(
        StorageApiError, check=lambda e: (e.code, str(e.status)) == (code, str(status))
    )


async def a_bucket_tells_its_limits(context: ContractContext) -> None:
    bucket = await context.service.storage.get_bucket(context.bucket)
    assert (bucket.id, bucket.name, bucket.public) == (context.bucket, context.bucket, False)
    assert bucket.file_size_limit == BUCKET_FILE_BYTES_MAX
    assert bucket.allowed_mime_types == BUCKET_MIME_TYPES
    buckets = await context.service.storage.list_buckets()
    assert context.bucket in [bucket.id for bucket in buckets]
    with refused("Bucket not found", 404):
        await context.service.storage.get_bucket("no-such-bucket")


async def an_upload_is_downloaded_byte_for_byte(context: ContractContext) -> None:
    content = bytes(range(256)) * 300
    name = await context.stored(content)
    assert await context.objects.download(name) == content


async def an_upload_is_listed_in_its_folder(context: ContractContext) -> None:
    folder, _, file = (await context.stored(b"four")).partition("/")
    (found,) = await context.objects.list(folder)
    assert found["name"] == file
    assert found["metadata"]["size"] == 4
    assert found["metadata"]["mimetype"] == "audio/mpeg"
    assert {"name": folder, "id": None}.items() <= (
        next(entry for entry in await context.objects.list() if entry["name"] == folder).items()
    )


async def a_raw_upload_is_stored_like_a_form(context: ContractContext) -> None:
    url = f"{context.target.url}/storage/v1/object/{context.bucket}/raw/a%20track.mp3"
    headers = context.service.options.headers | MP3
    answer = await context.http.post(url, content=b"music", headers=headers)
    assert answer.json()["Key"] == f"{context.bucket}/raw/a track.mp3"
    assert await context.objects.download("raw/a track.mp3") == b"music"


async def a_second_upload_of_a_name_is_refused(context: ContractContext) -> None:
    name = await context.stored(b"first")
    with refused("Duplicate", 409):
        await context.objects.upload(name, b"second", MP3)
    assert await context.objects.download(name) == b"first"


async def an_upsert_replaces_the_object(context: ContractContext) -> None:
    name = await context.stored(b"first")
    await context.objects.upload(name, b"second", MP3 | {"x-upsert": "true"})
    assert await context.objects.download(name, query_params={"v": "2"}) == b"second"


async def a_file_of_exactly_the_limit_is_taken(context: ContractContext) -> None:
    name = await context.stored(bytes(BUCKET_FILE_BYTES_MAX))
    assert len(await context.objects.download(name)) == BUCKET_FILE_BYTES_MAX


async def one_byte_more_than_the_limit_is_refused(context: ContractContext) -> None:
    with refused("Payload too large", 413):
        await context.stored(bytes(BUCKET_FILE_BYTES_MAX + 1))


async def a_type_that_is_not_on_the_list_is_refused(context: ContractContext) -> None:
    with refused("invalid_mime_type", 415):
        await context.stored(b"text", "text/plain")


async def a_wildcard_takes_every_type_of_its_family(context: ContractContext) -> None:
    name = await context.stored(b"pixels", "image/webp")
    assert (await context.objects.info(name))["content_type"] == "image/webp"


async def a_signed_url_serves_the_object_to_anybody(context: ContractContext) -> None:
    answer = await context.http.get(await _signed_url(context, b"music"))
    assert (answer.status_code, answer.content) == (200, b"music")
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["etag"]


async def a_signed_url_serves_ranges(context: ContractContext) -> None:
    url = await _signed_url(context, b"0123456789")
    answer = await context.http.get(url, headers={"range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, b"2345")
    assert answer.headers["content-range"] == "bytes 2-5/10"


async def a_range_past_the_end_is_refused(context: ContractContext) -> None:
    url = await _signed_url(context, b"0123456789")
    answer = await context.http.get(url, headers={"range": "bytes=10-"})
    # Hosted Storage hides the status that its object store answers.
    assert answer.status_code == 416


async def a_page_of_another_origin_may_play_a_signed_url(context: ContractContext) -> None:
    url = await _signed_url(context, b"music")
    headers = {"origin": "https://clinic.example", "range": "bytes=0-"}
    answer = await context.http.get(url, headers=headers)
    assert answer.headers["access-control-allow-origin"] in ("*", "https://clinic.example")


async def a_signed_url_that_was_tampered_with_is_refused(context: ContractContext) -> None:
    url = await _signed_url(context, b"music")
    tampered = url[:-8] + url[-8:][::-1]
    assert refusal(await context.http.get(tampered)) == (400, "400", "InvalidJWT")


async def a_signed_url_that_expired_is_refused(context: ContractContext) -> None:
    url = await _signed_url(context, b"music", seconds=1)
    await asyncio.sleep(2.1)
    assert refusal(await context.http.get(url)) == (400, "400", "InvalidJWT")


async def a_signed_url_opens_no_other_object(context: ContractContext) -> None:
    other = await context.stored(b"another")
    _, _, token = (await _signed_url(context, b"music")).partition("?")
    url = f"{context.target.url}/storage/v1/object/sign/{context.bucket}/{other}?{token}"
    assert refusal(await context.http.get(url)) == (400, "400", "InvalidSignature")


async def what_is_not_there_is_not_signed(context: ContractContext) -> None:
    with refused("not_found", 404):
        await context.objects.create_signed_url("nothing.mp3", 60)


async def several_objects_are_signed_at_once(context: ContractContext) -> None:
    name = await context.stored(b"music")
    found, missing = await context.objects.create_signed_urls([name, "nothing.mp3"], 60)
    assert (await context.http.get(found["signedURL"])).content == b"music"
    assert found["error"] is None
    assert missing["signedURL"] is None
    assert missing["error"]


async def anon_may_not_touch_a_private_bucket(context: ContractContext) -> None:
    await _may_not_touch(context, await context.client())


async def users_may_not_touch_a_private_bucket(context: ContractContext) -> None:
    client, _ = await context.signed_in_before()
    await _may_not_touch(context, client)


async def _may_not_touch(context: ContractContext, client: AsyncClient) -> None:
    name = await context.stored(b"music")
    objects = client.storage.from_(context.bucket)
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
    assert await context.objects.download(name) == b"music"


async def a_deleted_object_is_gone(context: ContractContext) -> None:
    name = await context.stored(b"music")
    (deleted,) = await context.objects.remove([name])
    assert deleted["name"] == name
    assert await context.objects.exists(name) is False
    with refused("not_found", 404):
        await context.objects.download(name)


async def a_bucket_with_objects_is_not_deleted(context: ContractContext) -> None:
    await context.stored(b"music")
    with refused("ResourceNotEmpty", 409):
        await context.service.storage.delete_bucket(context.bucket)


async def _signed_url(context: ContractContext, content: bytes, seconds: int = 60) -> str:
    """A signed URL of a new object."""
    name = await context.stored(content)
    return (await context.objects.create_signed_url(name, seconds))["signedURL"]


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """The status of an answer, and what Storage says in it."""
    said = answer.json()
    return answer.status_code, str(said["statusCode"]), said["error"]
