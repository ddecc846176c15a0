"""A real project, known by its address and keys alone, and how to clear up after tests in it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from uuid import UUID, uuid4

import httpx
import pytest
from supabase import AsyncClient, AsyncClientOptions, acreate_client

CHOSEN = "PARCOURS_CONTRACT"
"""Set to `real` by `make test-supabase`: keys in a shell alone never lead tests to a project."""

VARIABLES = (
    ("SUPABASE_URL",),
    ("SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"),
    ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"),
)
BUCKET = "parcours-tracks"


@dataclass(frozen=True)
class RealProject:
    """What tests ask of the embedded project, as far as a real one gives it without SQL."""

    url: str
    anon_key: str
    service_role_key: str
    user_ids: list[UUID] = field(default_factory=list)

    @property
    def rest_url(self) -> str:
        return f"{self.url}/rest/v1"

    def database_url(self, role: str = "", database: str = "") -> NoReturn:
        """A test that looks into the database itself has nothing to look at here."""
        pytest.skip("it needs SQL, and a real project is known by its address and keys alone")

    @property
    def signing_key(self) -> NoReturn:
        """Nobody but Auth has it."""
        pytest.skip("it signs tokens itself, and only Auth has a real project's key")

    jwt_secret = jwks_public = signing_key

    def require_anonymous_users(self) -> None:
        """Skip the test where nobody may sign in anonymously, as on every new project."""
        if not self._ask("settings")["external"]["anonymous_users"]:
            pytest.skip("this project has no anonymous users")

    def require_asymmetric_keys(self) -> None:
        """Skip the test where Auth signs with a secret, which it shows to nobody."""
        if not self._ask(".well-known/jwks.json")["keys"]:
            pytest.skip("this project signs its tokens with a secret, not with asymmetric keys")

    def _ask(self, path: str) -> dict[str, Any]:
        url, headers = f"{self.url}/auth/v1/{path}", {"apikey": self.anon_key}
        answer = httpx.get(url, headers=headers, trust_env=False, timeout=30)
        asked: dict[str, Any] = answer.raise_for_status().json()
        return asked

    async def make_user(self) -> tuple[UUID, Mapping[str, str]]:
        """A user with a confirmed address, whom `clear_up` removes; and the credentials."""
        service = await _connect(self.url, self.service_role_key)
        credentials = {"email": f"test-{uuid4().hex}@example.com", "password": uuid4().hex}
        made = await service.auth.admin.create_user({**credentials, "email_confirm": True})
        self.user_ids.append(UUID(made.user.id))
        return self.user_ids[-1], credentials

    async def clear_up(self) -> None:
        """Remove the users that tests made, with their runs and files."""
        service = await _connect(self.url, self.service_role_key)
        for user_id in self.user_ids:
            await _forget_runs(service, user_id)
            await service.auth.admin.delete_user(str(user_id))
        self.user_ids.clear()


def is_chosen() -> bool:
    """Whether tests are to use a real project."""
    return os.environ.get(CHOSEN) == "real"


def read_project() -> RealProject:
    """The project that the environment names. LookupError says what is missing."""
    given = [next(filter(None, map(os.environ.get, names)), "") for names in VARIABLES]
    missing = [
        " or ".join(names) for names, value in zip(VARIABLES, given, strict=True) if not value
    ]
    if missing:
        raise LookupError(f"set {', '.join(missing)}: which project is to be tested?")
    url, anon_key, service_role_key = given
    return RealProject(url.rstrip("/"), anon_key, service_role_key)


async def _forget_runs(service: AsyncClient, user_id: UUID) -> None:
    runs = service.table("parcours_runs")
    found: Any = (await runs.select("id").eq("user_id", str(user_id)).execute()).data
    bucket = service.storage.from_(BUCKET)
    for folder in (f"runs/{run['id']}" for run in found):
        if names := [f"{folder}/{file['name']}" for file in await bucket.list(folder)]:
            await bucket.remove(names)
    await service.table("parcours_runs").delete().eq("user_id", str(user_id)).execute()


async def _connect(url: str, key: str) -> AsyncClient:
    options = AsyncClientOptions(
        auto_refresh_token=False,
        persist_session=False,
        httpx_client=httpx.AsyncClient(trust_env=False, timeout=30),
    )
    return await acreate_client(url, key, options)
