"""supabase-py, under the contract tests: its clients, people and bucket, and how to clear up after
it.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from storage3._async.file_api import AsyncBucketProxy
from supabase import AsyncClient, AsyncClientOptions, acreate_client

from tests.contract.behaviours import BUCKET_FILE_BYTES_MAX, BUCKET_MIME_TYPES
from tests.contract.target import Target


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
class ContractContext:
    """A client of the project under test."""

    target: Target
    http: httpx.AsyncClient
    service: AsyncClient
    bucket: str = field(default_factory=lambda: f"contract-{uuid4()}")
    user_ids: list[str] = field(default_factory=list)
    member: tuple[AsyncClient, Person] | None = None

    async def client(self, key: str | None = None) -> AsyncClient:
        """A client with nobody signed in."""
        return await _connect(self.target, key or self.target.anon_key, self.http)

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
        """Somebody who stays signed in all through the suite: hosted projects count sign-ins."""
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
async def open_context(target: Target) -> AsyncIterator[ContractContext]:
    """A candidate with a bucket of its own; whatever it made is removed afterwards."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        service = await _connect(target, target.service_role_key, http)
        context = ContractContext(target, http, service)
        options = {
            "public": False,
            "file_size_limit": BUCKET_FILE_BYTES_MAX,
            "allowed_mime_types": BUCKET_MIME_TYPES,
        }
        await service.storage.create_bucket(context.bucket, options=options)
        try:
            yield context
        finally:
            await _clear_up(context)


async def _clear_up(context: ContractContext) -> None:
    for entry in await context.objects.list("", {"limit": 1000}):
        name, is_file = entry["name"], entry["id"] is not None
        files = [] if is_file else await context.objects.list(name)
        names = [name] if is_file else [f"{name}/{file['name']}" for file in files]
        await context.objects.remove(names)
    await context.service.storage.delete_bucket(context.bucket)
    runs = context.service.table("parcours_runs").delete()
    await runs.in_("user_id", context.user_ids).execute()
    for user_id in context.user_ids:
        await context.service.auth.admin.delete_user(user_id)


async def _connect(target: Target, key: str, http: httpx.AsyncClient) -> AsyncClient:
    options = AsyncClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
    return await acreate_client(target.url, key, options)


def new_email() -> str:
    """An address that nobody has."""
    return f"contract-{uuid4().hex}@example.com"
