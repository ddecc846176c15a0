"""supabase-py, sitting the exam: its clients, people and bucket, and how to clear up after it."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from storage3._async.file_api import AsyncBucketProxy
from supabase import AsyncClient, AsyncClientOptions, acreate_client

from tests.exam.behaviours import BUCKET_FILE_BYTES_MAX, BUCKET_MIME_TYPES
from tests.exam.examinee import Examinee


@dataclass(frozen=True)
class Person:
    """A user with a confirmed address."""

    id: str
    email: str
    password: str

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": self.password}


@dataclass
class Candidate:
    """A client of the project under examination."""

    examinee: Examinee
    http: httpx.AsyncClient
    service: AsyncClient
    bucket: str = field(default_factory=lambda: f"exam-{uuid4()}")
    user_ids: list[str] = field(default_factory=list)
    member: tuple[AsyncClient, Person] | None = None

    async def client(self, key: str | None = None) -> AsyncClient:
        """A client with nobody signed in."""
        return await _connect(self.examinee, key or self.examinee.anon_key, self.http)

    async def person(self, **attributes: object) -> Person:
        """Somebody new, whom the service key made."""
        email, password = new_email(), secrets.token_urlsafe(12)
        made = await self.service.auth.admin.create_user(
            {"email": email, "password": password, "email_confirm": True, **attributes}
        )
        self.user_ids.append(made.user.id)
        return Person(made.user.id, email, password)

    async def signed_in(self) -> tuple[AsyncClient, Person]:
        """Somebody new, and a client with them signed in."""
        client, person = await self.client(), await self.person()
        await client.auth.sign_in_with_password(person.credentials)
        return client, person

    async def signed_in_before(self) -> tuple[AsyncClient, Person]:
        """Somebody who stays signed in all through the exam: hosted projects count sign-ins."""
        self.member = self.member or await self.signed_in()
        return self.member

    async def run_of(self, person: Person) -> str:
        """A run in the database that belongs to somebody."""
        row = {"user_id": person.id, "preset_key": "universel-reset"}
        made = await self.service.table("parcours_runs").insert(row).execute()
        return made.data[0]["id"]

    async def stored(self, content: bytes = b"music", mime_type: str = "audio/mpeg") -> str:
        """The name of a new object in the bucket."""
        name = f"folder-{uuid4()}/track.mp3"
        await self.objects.upload(name, content, {"content-type": mime_type})
        return name

    @property
    def objects(self) -> AsyncBucketProxy:
        """The bucket, with the service key."""
        return self.service.storage.from_(self.bucket)


@asynccontextmanager
async def sitting(examinee: Examinee) -> AsyncIterator[Candidate]:
    """A candidate with a bucket of its own; whatever it made is removed afterwards."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        service = await _connect(examinee, examinee.service_role_key, http)
        candidate = Candidate(examinee, http, service)
        options = {
            "public": False,
            "file_size_limit": BUCKET_FILE_BYTES_MAX,
            "allowed_mime_types": BUCKET_MIME_TYPES,
        }
        await service.storage.create_bucket(candidate.bucket, options=options)
        try:
            yield candidate
        finally:
            await _clear_up(candidate)


async def _clear_up(candidate: Candidate) -> None:
    for entry in await candidate.objects.list("", {"limit": 1000}):
        name, is_file = entry["name"], entry["id"] is not None
        files = [] if is_file else await candidate.objects.list(name)
        names = [name] if is_file else [f"{name}/{file['name']}" for file in files]
        await candidate.objects.remove(names)
    await candidate.service.storage.delete_bucket(candidate.bucket)
    runs = candidate.service.table("parcours_runs").delete()
    await runs.in_("user_id", candidate.user_ids).execute()
    for user_id in candidate.user_ids:
        await candidate.service.auth.admin.delete_user(user_id)


async def _connect(examinee: Examinee, key: str, http: httpx.AsyncClient) -> AsyncClient:
    options = AsyncClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
    return await acreate_client(examinee.url, key, options)


def new_email() -> str:
    """An address that nobody has."""
    return f"exam-{uuid4().hex}@example.com"
