"""Who may do what, and what they see: policies, listings, public buckets."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import psycopg
import pytest

from parcours_dev.supabase.project import LocalProject
from tests.dev.storage.requests import MP3, put

pytestmark = pytest.mark.anyio


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
