"""One attempt of one segment: submitted to Suno, asked about."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from starlette.responses import JSONResponse

from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.clients.database import SunoQuotaFull, SupabaseUnavailable
from parcours_xl.clients.suno import SunoOutcomeUnknown, SunoRefused
from parcours_xl.clients.suno_events import SunoEvent
from parcours_xl.errors import PermanentError, RetryableError
from parcours_xl.services import generation
from parcours_xl.services.generation import ask, ask_about_segment, submit_segment
from tests.fixtures.delivery import compose
from tests.fixtures.records import NewRun, Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

UNAVAILABLE = JSONResponse({"message": "upstream"}, 503)


@pytest.fixture
async def run(make_run: MakeRun) -> NewRun:
    return await make_run(2)


@pytest.fixture
async def shaky(make_settings: MakeSettings, relay: Relay) -> AsyncIterator[Clients]:
    """The clients, with something before the database that may break."""
    async with open_clients(make_settings(postgrest_url=f"{relay.url}/rest/v1")) as clients:
        yield clients


async def submit(clients: Clients, suno: Vendor, segment_id: UUID) -> str | None:
    claim = await submit_segment(
        clients.database, clients.suno, f"{suno.url}/nobody", segment_id=segment_id
    )
    return claim.task_id


async def under_way(clients: Clients, run: NewRun, task_id: str) -> tuple[UUID, UUID, str]:
    """The first segment, submitted as this task: its id, its token, and the task."""
    token = (await clients.database.claim_segment(run.first)).callback_token
    assert token, "a claim is an attempt, and its token"
    await clients.database.record_task(run.first, token, task_id)
    return run.first, token, task_id


def slots(records: Records) -> list[bool]:
    """Every slot of the quota that is taken: whether Suno has answered."""
    rows = records.all("select answered_at from parcours.suno_requests order by slot")
    return [row["answered_at"] is not None for row in rows]


@pytest.mark.parametrize("fault", [None, "refused", "maintenance", "no_answer"])
async def test_however_suno_answers_its_slot_is_given_back(
    clients: Clients, suno: Vendor, run: NewRun, records: Records, fault: str | None
) -> None:
    if fault:
        suno.fail(fault)
        with pytest.raises((PermanentError, RetryableError)):
            await submit(clients, suno, run.first)
    else:
        await submit(clients, suno, run.first)
    assert slots(records) == [True]


async def test_a_submission_that_is_cut_off_gives_its_slot_back(
    clients: Clients, suno: Vendor, run: NewRun, records: Records
) -> None:
    suno.fail("slow_answer", delay_s=5)
    submission = asyncio.create_task(submit(clients, suno, run.first))
    await until(lambda: suno.tasks_of(run.first))
    submission.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submission
    assert slots(records) == [True]


async def test_a_task_is_not_given_up_at_the_first_hiccup_of_the_database(
    shaky: Clients,
    suno: Vendor,
    relay: Relay,
    run: NewRun,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generation, "RECORD_PAUSE_S", 0.1)
    relay.broken["/rpc/record_task"] = UNAVAILABLE
    submission = asyncio.create_task(submit(shaky, suno, run.first))
    await until(lambda: relay.count("/rpc/record_task"))
    relay.broken.clear()
    task_id = await submission
    assert records.segment(run.first)["suno_task_id"] == task_id
    assert len(suno.tasks_of(run.first)) == 1


async def test_a_database_that_stays_unavailable_has_an_end(
    shaky: Clients,
    suno: Vendor,
    relay: Relay,
    run: NewRun,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generation, "RECORD_PAUSE_S", 0)
    relay.broken["/rpc/record_task"] = UNAVAILABLE
    with pytest.raises(SupabaseUnavailable):
        await submit(shaky, suno, run.first)
    assert relay.count("/rpc/record_task") == generation.RECORD_TRIES_MAX
    relay.broken.clear()
    # Claimed without a task: within the attempt nobody submits it again.
    assert await submit(shaky, suno, run.first) is None
    assert len(suno.tasks_of(run.first)) == 1


async def test_a_slot_that_cannot_be_given_back_is_no_error(
    shaky: Clients, suno: Vendor, relay: Relay, run: NewRun, records: Records
) -> None:
    relay.broken["/rpc/answer_suno_request"] = UNAVAILABLE
    assert await submit(shaky, suno, run.first) == records.segment(run.first)["suno_task_id"]
    assert slots(records) == [False]


async def test_what_suno_answers_to_a_question_is_recorded_as_a_callback_would_be(
    clients: Clients, suno: Vendor, run: NewRun, records: Records
) -> None:
    music = compose(suno)
    question = (clients.database, clients.suno, *await under_way(clients, run, music.task_id))
    assert await ask_about_segment(*question) is True
    row = records.segment(run.first)
    assert row["metadata"]["complete_received_at"] and row["preview_url"]
    assert row["metadata"]["suno_download_url"] == music.urls[0]
    assert len(records.jobs("parcours_tracks", run.id)) == 1
    assert await ask_about_segment(*question) is False


async def test_nobody_asks_about_an_attempt_that_is_over(
    clients: Clients, suno: Vendor, run: NewRun
) -> None:
    music = compose(suno)
    await under_way(clients, run, music.task_id)
    asked = suno.calls().count("record-info")
    names = (run.first, uuid4(), music.task_id)
    assert await ask_about_segment(clients.database, clients.suno, *names) is False
    assert suno.calls().count("record-info") == asked


@pytest.mark.parametrize("fault", ["server_error", "no_answer", "bad_key", "not_json"])
async def test_a_question_without_an_answer_teaches_nothing(
    clients: Clients, suno: Vendor, run: NewRun, records: Records, fault: str
) -> None:
    names = await under_way(clients, run, "task-1")
    records.forget_work()
    suno.fail(fault, match={"call": "record-info"})
    event = await ask(clients.database, clients.suno, *names)
    assert event == SunoEvent("pending", "record_info", "task-1")
    assert slots(records) == [True]


async def test_every_question_takes_a_slot_of_the_quota(
    make_settings: MakeSettings, suno: Vendor, run: NewRun, records: Records
) -> None:
    """Of eight slots, questions take a quarter."""
    music = compose(suno)
    async with open_clients(make_settings(suno_requests_max=8)) as clients:
        names = await under_way(clients, run, music.task_id)
        for _ in range(2):
            assert await ask(clients.database, clients.suno, *names)
        with pytest.raises(SunoQuotaFull):
            await ask(clients.database, clients.suno, *names)
        assert len(slots(records)) == 3
        await clients.database.claim_segment(run.segment_ids[1])


async def test_suno_is_not_called_while_the_quota_is_full(
    make_settings: MakeSettings, suno: Vendor, run: NewRun
) -> None:
    async with open_clients(make_settings(suno_requests_max=1)) as clients:
        await clients.database.reserve_suno_request()
        with pytest.raises(SunoQuotaFull):
            await submit(clients, suno, run.first)
    assert not suno.tasks_of(run.first)


async def test_what_suno_said_is_recorded_before_it_is_told(
    clients: Clients, suno: Vendor, run: NewRun, records: Records
) -> None:
    suno.fail("refused")
    with pytest.raises(SunoRefused):
        await submit(clients, suno, run.first)
    assert records.segment(run.first)["status"] == "failed"
    suno.fail("no_answer")
    with pytest.raises(SunoOutcomeUnknown):
        await submit(clients, suno, run.segment_ids[1])
    row = records.segment(run.segment_ids[1])
    assert (row["status"], row["suno_task_id"]) == ("generating", None)
