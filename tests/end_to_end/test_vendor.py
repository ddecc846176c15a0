"""A deployment whose music comes from the other reseller: SUNO_VENDOR=kie."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from parcours_dev.deployment import supabase_environment, vendor_environment
from parcours_dev.ports import choose_free_ports
from parcours_dev.supabase.project import LocalProject
from tests.fixtures.records import Records
from tests.fixtures.served import Served, running_serve
from tests.fixtures.users import Person
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import wait_until

pytestmark = pytest.mark.anyio

READY_S_MAX = 180


@pytest.fixture
def served(stack: LocalProject, openai: Vendor, suno: Vendor, tmp_path: Path) -> Iterator[Served]:
    [port] = choose_free_ports(1)
    own = {
        "OPENAI_BASE_URL": f"{openai.url}/v1",
        "SUNO_VENDOR": "kie",
        "SUNO_API_BASE": suno.url,
        "TRACK_HOSTS_EXACT": suno.netloc,
        "CALLBACK_BASE": f"http://127.0.0.1:{port}/functions/v1/parcours-xl-callback",
        "RETRY_PAUSES_S": "1,1,1",
        "WORKER_TICK_S": "0.2",
    }
    environment = supabase_environment(stack) | vendor_environment(stack) | own
    with running_serve(environment, tmp_path / "log", port=port) as served:
        yield served


@pytest.mark.usefixtures("quiet")
async def test_a_run_is_ready_though_kie_was_too_busy_at_first(
    served: Served, suno: Vendor, owner: Person, records: Records
) -> None:
    # 429 is "too many requests" to kie; sunoapi.org says so of credits, and nothing is tried again.
    suno.fail("no_credits", message="Please try again.")
    async with httpx.AsyncClient(
        base_url=f"{served.url}/functions/v1", headers=owner.headers, trust_env=False, timeout=60
    ) as http:
        created = await http.post("parcours-xl-create", json={"presetKey": "universel-reset"})
        run_id = UUID(created.raise_for_status().json()["runId"])
        started = await http.post("parcours-xl-runner", json={"runId": str(run_id)})
        assert started.status_code == 202
    await asyncio.to_thread(
        wait_until, lambda: records.run(run_id)["status"] == "ready", READY_S_MAX, served.told
    )
    assert records.pauses(run_id) == [1]
