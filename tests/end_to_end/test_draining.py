"""SIGTERM with creates under way: answered, or told to come back; /readyz first; nothing breaks."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from parcours_dev.deployment import supabase_environment, vendor_environment
from parcours_dev.supabase.project import LocalProject
from parcours_xl.api.draining import STOPPING
from parcours_xl.api.schemas import ErrorResponse
from parcours_xl.clients.database import SupabaseUnavailable
from parcours_xl.serving import STOP_S_MAX
from tests.fixtures.records import Records
from tests.fixtures.served import START_S_MAX, Served, running_serve
from tests.fixtures.served import STOP_S_MAX as PATIENCE_S
from tests.fixtures.users import Person
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import until, wait_until

pytestmark = pytest.mark.anyio

MANY = 50
LOOK_S, LOOKS_MAX = 0.2, 300
SLOW_S = 20
"""Of OpenAI's answer: longer than it takes to send so many requests."""
CREATE = "/functions/v1/parcours-xl-create"


@pytest.fixture
def environment(stack: LocalProject, openai: Vendor, suno: Vendor) -> Mapping[str, str]:
    own = {
        "OPENAI_BASE_URL": f"{openai.url}/v1",
        "SUNO_API_BASE": suno.url,
        "DAILY_RUN_QUOTA": "10000",
        # However slow the machine is, OpenAI is slower.
        "BRIEF_S_MAX": "120",
        "DRAIN_S": "60",
        "WORKER_IN_PROCESS": "true",
        "MAINTENANCE_EVERY_S": "3600",
        "LOG_FORMAT": "json",
    }
    return supabase_environment(stack) | vendor_environment(stack) | own


@pytest.fixture
def served(environment: Mapping[str, str], tmp_path: Path) -> Iterator[Served]:
    with running_serve(environment, tmp_path / "log") as served:
        yield served


@pytest.fixture
def served_by_two(environment: Mapping[str, str], tmp_path: Path) -> Iterator[Served]:
    """One address, two processes that answer."""
    with running_serve(environment, tmp_path / "log", "--workers", "2") as served:
        wait_until(lambda: served.told().count("Application startup complete") == 2, START_S_MAX)
        yield served


@pytest.fixture
def impatient(environment: Mapping[str, str], tmp_path: Path) -> Iterator[Served]:
    with running_serve(dict(environment) | {"DRAIN_S": "1"}, tmp_path / "log") as served:
        yield served


def client(served: Served) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=served.url, timeout=180, trust_env=False)


async def create(client: httpx.AsyncClient, owner: Person) -> httpx.Response:
    headers = owner.headers | {"Idempotency-Key": uuid4().hex}
    return await client.post(CREATE, json={"presetKey": "universel-reset"}, headers=headers)


async def begin_creates(
    client: httpx.AsyncClient, owner: Person, openai: Vendor
) -> list[asyncio.Task[httpx.Response]]:
    """Many creates, all of which wait for OpenAI."""
    creates = [asyncio.create_task(create(client, owner)) for _ in range(MANY)]
    for _ in range(LOOKS_MAX):
        # In a thread: the requests are sent by this one.
        state = await asyncio.to_thread(openai.state)
        # A machine that is too busy to reach its database in time answers some of them by itself.
        answered = sum(one.done() for one in creates)
        if state["faults"][0]["struck"] + answered >= MANY:
            assert answered < MANY / 2, "most of them are under way"
            return [one for one in creates if not one.done()]
        await asyncio.sleep(LOOK_S)
    raise AssertionError(f"OpenAI was asked {state['faults'][0]['struck']} times")


def assert_nothing_broke(served: Served) -> None:
    served.process.wait(PATIENCE_S)
    told = served.told()
    assert "Traceback" not in told and "Exception" not in told, told
    levels = {json.loads(line)["level"] for line in told.splitlines() if line.startswith("{")}
    assert levels <= {"info", "debug", "warning"}, told


async def test_a_submission_that_create_left_behind_is_waited_for(
    served: Served, openai: Vendor, suno: Vendor, owner: Person, records: Records
) -> None:
    """FIRST_SEGMENT_EARLY, as it is by default: a task that is paid for is known of afterwards."""
    suno.fail("slow_answer", delay_s=6)
    async with client(served) as listener:
        created = await create(listener, owner)
    first = records.segments(created.json()["runId"])[0]
    assert (first["status"], first["suno_task_id"]) == ("generating", None)
    served.terminate()
    assert_nothing_broke(served)
    [task] = suno.tasks_of(first["id"])
    assert records.segment(first["id"])["suno_task_id"] == task["task"]


async def test_what_is_under_way_is_answered_and_nothing_else_is_begun(
    served: Served, openai: Vendor, owner: Person
) -> None:
    openai.fail("slow", delay_s=SLOW_S, times=0)
    async with client(served) as busy, client(served) as watcher:
        assert (await watcher.get("/readyz")).status_code == 200
        creates = await begin_creates(busy, owner, openai)
        served.terminate()

        await until(lambda: "service.draining" in served.told())
        stopping = await watcher.get("/readyz")
        assert (stopping.status_code, stopping.json()) == (503, {"ok": False, "stopping": True})
        assert not any(one.done() for one in creates), "the listener is open, and all is under way"
        assert (await watcher.get("/healthz")).status_code == 200
        refused = await create(watcher, owner)
        assert (refused.status_code, refused.json()) == (503, {"error": STOPPING})
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["connection"] == "close"
        answers = await asyncio.gather(*creates)
    assert_answered(answers)
    assert_nothing_broke(served)


def assert_answered(answers: Sequence[httpx.Response]) -> None:
    """Assert that each create made a run of its own.

    Stopping refuses none; a machine that is too busy may not reach its database in time.
    """
    made = [answer for answer in answers if answer.status_code == 200]
    assert made and len({answer.json()["runId"] for answer in made}) == len(made)
    others = {answer.text for answer in answers if answer.status_code != 200}
    assert others <= {
        ErrorResponse(error=str(SupabaseUnavailable())).model_dump_json(exclude_none=True)
    }


async def test_every_process_answers_what_it_has_begun(
    served_by_two: Served, openai: Vendor, owner: Person
) -> None:
    openai.fail("slow", delay_s=SLOW_S, times=0)
    async with client(served_by_two) as busy:
        creates = await begin_creates(busy, owner, openai)
        served_by_two.terminate()
        answers = await asyncio.gather(*creates)
    assert_answered(answers)
    assert_nothing_broke(served_by_two)
    drained = served_by_two.told().count("service.draining")
    assert drained == 2, served_by_two.told()


async def test_what_takes_too_long_is_told_to_come_back(
    impatient: Served, openai: Vendor, owner: Person
) -> None:
    openai.fail("slow", delay_s=SLOW_S * 6, times=0)
    async with client(impatient) as busy:
        creates = await begin_creates(busy, owner, openai)
        impatient.terminate()
        answers = await asyncio.gather(*creates)
    assert {answer.status_code for answer in answers} == {503}
    for answer in answers:
        assert answer.json() == {"error": STOPPING}
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-request-id"]
    assert_nothing_broke(impatient)


def test_a_service_without_requests_is_gone_within_its_promise(served: Served) -> None:
    served.terminate()
    served.process.wait(STOP_S_MAX)
    assert_nothing_broke(served)
