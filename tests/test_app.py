"""The service: its routes, its start and its stop."""

import asyncio
import json
from uuid import uuid4

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from parcours_xl.api.routes import FUNCTION_ROUTES
from tests.fixtures.captured_logs import CaptureLogs
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import sign_up
from tests.fixtures.waiting import until

pytestmark = pytest.mark.anyio

DOCUMENTED = (
    "parcours-xl-create",
    "parcours-xl-runner",
    "parcours-xl-generate",
    "parcours-xl-callback",
    "sign-track",
)


def test_every_documented_function_has_its_route() -> None:
    assert set(DOCUMENTED) <= {endpoint.name for endpoint in FUNCTION_ROUTES}


async def test_the_service_works_too_unless_it_is_told_not_to(
    make_settings: MakeSettings, relay: Relay
) -> None:
    wishes = {"postgrest_url": f"{relay.url}/rest/v1", "worker_tick_s": 0.05}
    async with open_service(make_settings(worker_in_process=False, **wishes)):
        await asyncio.sleep(0.3)
        assert relay.count("/rpc/next_steps") == relay.count("/rpc/take_track_jobs") == 0
    async with open_service(make_settings(worker_in_process=True, **wishes)):
        await until(lambda: relay.count("/rpc/take_track_jobs") > 1)
    relay.asked.clear()
    await asyncio.sleep(0.2)
    assert relay.asked == [], "it stopped with the service"


@pytest.mark.parametrize(
    ("callback_base", "suno_api_base", "warned"),
    [
        ("http://abc.example.org/callback", "https://api.sunoapi.org", True),
        ("https://localhost/callback", "https://api.sunoapi.org", True),
        ("https://abc.example.org/callback", "https://api.sunoapi.org", False),
        ("http://localhost/callback", "http://localhost:9", False),
    ],
)
async def test_a_callback_base_that_suno_could_not_reach_is_a_loud_warning(
    make_settings: MakeSettings,
    capture_logs: CaptureLogs,
    callback_base: str,
    suno_api_base: str,
    warned: bool,
) -> None:
    log = capture_logs("json", "warning")
    async with open_service(
        make_settings(callback_base=callback_base, suno_api_base=suno_api_base)
    ):
        pass
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["callback_base.unreachable"] * warned


async def test_a_service_starts_without_any_of_its_neighbours(
    make_settings: MakeSettings, dead_port: int
) -> None:
    unavailable = f"http://127.0.0.1:{dead_port}"
    settings = make_settings(
        supabase_url=unavailable,
        postgrest_url=None,
        openai_base_url=unavailable,
        suno_api_base=unavailable,
    )
    async with open_service(settings) as service:
        answer = await service.post(endpoint("parcours-xl-runner"), json={"runId": str(uuid4())})
    assert answer.status_code == 503


async def test_nobody_is_taken_for_somebody_else_however_many_ask_at_once(
    service: httpx.AsyncClient, stack: LocalProject, make_run: MakeRun, records: Records
) -> None:
    """One pool of connections is shared; whose call it is never is."""
    people = [await sign_up(stack) for _ in range(3)]
    runs = [await make_run() for _ in people]
    for person, run in zip(people, runs, strict=True):
        records.do("update public.parcours_runs set user_id = %s where id = %s", person.id, run.id)

    async def sign(asking: int, asked: int) -> tuple[bool, int]:
        answer = await service.post(
            endpoint("sign-track"),
            json={"segmentId": str(runs[asked].first)},
            headers=people[asking].headers,
        )
        return asking == asked, answer.status_code

    pairs = [(asking, asked) for asking in range(3) for asked in range(3)] * 10
    outcomes = set(await asyncio.gather(*(sign(*pair) for pair in pairs)))
    # One's own is not ready yet (409); another's is none of one's business (403).
    assert outcomes == {(True, 409), (False, 403)}
