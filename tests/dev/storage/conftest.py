"""Storage, and a bucket of each test's own."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject


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
