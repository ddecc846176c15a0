"""parcours-xl-create with FIRST_SEGMENT_EARLY: Suno composes while OpenAI still writes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.responses import Response

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import Clients
from parcours_xl.domain.brief import curated_brief
from parcours_xl.domain.presets import find_preset
from parcours_xl.domain.prompts import suno_style
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.users import Person, sign_up
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

CREATE = endpoint("parcours-xl-create")
PANIC = {"presetKey": "panique-anxiete", "emotionState": "fear-0.8"}
PRESET = find_preset("panique-anxiete")
CURATED = curated_brief(PRESET)


@pytest.fixture
async def early(make_settings: MakeSettings) -> AsyncIterator[httpx.AsyncClient]:
    async with open_service(make_settings(first_segment_early=True)) as client:
        yield client


async def create(
    service: httpx.AsyncClient, person: Person, key: str | None = None
) -> dict[str, Any]:
    named = {"Idempotency-Key": key} if key else {}
    answer = await service.post(CREATE, json=PANIC, headers=person.headers | named)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


def run_of(records: Records, person: Person) -> Any:
    """The newest run of somebody's, or None."""
    runs = records.all(
        "select * from public.parcours_runs where user_id = %s order by created_at desc", person.id
    )
    return runs[0] if runs else None


async def test_suno_has_the_first_piece_while_openai_writes_the_others(
    early: httpx.AsyncClient, suno: Vendor, openai: Vendor, stack: LocalProject, records: Records
) -> None:
    somebody = await sign_up(stack)
    openai.fail("slow", delay_s=3)
    creating = asyncio.create_task(create(early, somebody))
    await until(lambda: run_of(records, somebody))
    run = run_of(records, somebody)
    first = records.segments(run["id"])[0]
    await until(lambda: records.segment(first["id"])["suno_task_id"])
    assert not creating.done()
    assert run["metadata"]["title"] == CURATED.title
    assert run["metadata"]["brief_reason"] == "being_written"
    assert suno.task_of(first["id"])["payload"]["style"] == suno_style(
        PRESET, CURATED.segments[0].prompt
    )

    created = await creating
    run, segments = records.run(run["id"]), records.segments(run["id"])
    assert created == {
        "runId": str(run["id"]),
        "title": run["metadata"]["title"],
        "brief": run["brief"],
        "briefs": run["metadata"]["brief"],
        "segmentsCount": len(segments),
        "status": "creating",
    }
    assert run["metadata"]["title"] != CURATED.title and run["brief"] != CURATED.text.fr
    assert run["metadata"]["brief_source"] == "openai"
    assert "brief_reason" not in run["metadata"]
    assert run["metadata"]["waited_s"] < 3, "it was there before OpenAI answered"
    assert segments[0]["prompt"] == first["prompt"]
    assert [segment["status"] for segment in segments] == ["generating", "queued", "queued"] + [
        "queued"
    ] * (len(segments) - 3)
    curated = {suno_style(PRESET, plan.prompt) for plan in CURATED.segments}
    assert not curated & {segment["prompt"] for segment in segments[1:]}
    planned = [segment["metadata"]["planned_seconds"] for segment in segments]
    assert planned[0] == CURATED.segments[0].planned_seconds
    assert all(240 <= seconds <= 360 for seconds in planned)
    assert 1080 <= sum(planned) <= 1440
    assert records.events(run["id"]) == [
        "run.created",
        "segment.claimed",
        "segment.submitted",
        "run.briefed",
    ]


async def test_a_repeated_key_is_the_same_run_while_its_brief_is_written(
    early: httpx.AsyncClient, suno: Vendor, openai: Vendor, stack: LocalProject, records: Records
) -> None:
    somebody, key = await sign_up(stack), str(uuid4())
    openai.fail("slow", delay_s=3)
    creating = asyncio.create_task(create(early, somebody, key))
    await until(lambda: run_of(records, somebody))
    meanwhile = await create(early, somebody, key)
    assert not creating.done()
    assert meanwhile["title"] == CURATED.title
    created = await creating
    assert created["runId"] == meanwhile["runId"]
    assert created["title"] != CURATED.title
    assert await create(early, somebody, key) == created
    first = records.segments(created["runId"])[0]
    await until(lambda: records.segment(first["id"])["suno_task_id"])
    assert len(suno.tasks_of(first["id"])) == 1


async def test_two_taps_at_once_are_one_run_and_one_task(
    early: httpx.AsyncClient, suno: Vendor, openai: Vendor, owner: Person, records: Records
) -> None:
    key = str(uuid4())
    created = await asyncio.gather(*(create(early, owner, key) for _ in range(5)))
    assert len({run["runId"] for run in created}) == 1
    segments = records.segments(created[0]["runId"])
    await until(lambda: records.segment(segments[0]["id"])["suno_task_id"])
    assert len(suno.tasks_of(segments[0]["id"])) == 1
    assert records.segment(segments[0]["id"])["metadata"]["attempts"] == 1
    assert records.events(created[0]["runId"]).count("run.briefed") == 1


async def test_the_runner_leaves_the_first_piece_alone(
    early: httpx.AsyncClient, suno: Vendor, openai: Vendor, owner: Person, records: Records
) -> None:
    created = await create(early, owner)
    run_id = created["runId"]
    answer = await early.post(endpoint("parcours-xl-runner"), json={"runId": run_id})
    assert (answer.status_code, answer.json()["pending"]) == (202, created["segmentsCount"])
    first = records.segments(run_id)[0]
    await until(lambda: records.segment(first["id"])["suno_task_id"])
    assert records.segment(first["id"])["metadata"]["attempts"] == 1
    again = await early.post(endpoint("parcours-xl-generate"), json={"segmentId": str(first["id"])})
    assert again.json()["skipped"] is True
    assert len(suno.tasks_of(first["id"])) == 1


@pytest.mark.parametrize(
    ("fault", "how", "status"),
    [
        ("busy", {}, "generating"),
        ("refused", {}, "failed"),
        ("no_credits", {}, "failed"),
        ("no_answer", {}, "generating"),
        ("slow_answer", {"delay_s": 30}, "generating"),
    ],
)
async def test_create_answers_whatever_suno_does(
    early: httpx.AsyncClient,
    suno: Vendor,
    openai: Vendor,
    owner: Person,
    records: Records,
    fault: str,
    how: dict[str, Any],
    status: str,
) -> None:
    suno.fail(fault, **how)
    created = await create(early, owner)
    first = records.segments(created["runId"])[0]
    await until(lambda: records.segment(first["id"])["status"] == status)
    assert records.segment(first["id"])["metadata"]["attempts"] == 1


async def test_a_full_quota_leaves_the_first_piece_to_the_runner(
    early: httpx.AsyncClient, suno: Vendor, openai: Vendor, owner: Person, records: Records
) -> None:
    records.do(
        "insert into parcours.suno_requests (kind, reserved_at)"
        " select 'submit', clock_timestamp() from generate_series(1, 20)"
    )
    created = await create(early, owner)
    segments = records.segments(created["runId"])
    assert {segment["status"] for segment in segments} == {"queued"}
    assert records.run(created["runId"])["metadata"]["brief_source"] == "openai"
    assert not suno.tasks_of(segments[0]["id"])


async def test_a_brief_that_cannot_be_written_leaves_the_presets_own(
    early: httpx.AsyncClient, suno: Vendor, openai: Vendor, owner: Person, records: Records
) -> None:
    openai.fail("bad_key")
    created = await create(early, owner)
    assert (created["title"], created["segmentsCount"]) == (CURATED.title, len(CURATED.segments))
    known = records.run(created["runId"])["metadata"]
    assert (known["brief_source"], known["brief_reason"]) == ("curated", "bad_key")
    prompts = [segment["prompt"] for segment in records.segments(created["runId"])]
    assert prompts == [suno_style(PRESET, plan.prompt) for plan in CURATED.segments]


async def test_a_create_that_fails_buys_nothing(
    make_settings: MakeSettings, stack: LocalProject, suno: Vendor, openai: Vendor
) -> None:
    somebody = await sign_up(stack)
    before = len(suno.state()["tasks"])
    asked = len(openai.state()["requests"])
    for status, settings in (
        (403, make_settings(first_segment_early=True, rollout="flags")),
        (429, make_settings(first_segment_early=True, suno_credits_daily_max=12)),
    ):
        async with open_service(settings) as service:
            if status == 429:
                await create(service, somebody)
            answer = await service.post(CREATE, json=PANIC, headers=somebody.headers)
            assert answer.status_code == status
            await asyncio.sleep(0.2)  # a submission that is not wanted would be under way by now
    assert len(suno.state()["tasks"]) - before <= 1
    assert len(openai.state()["requests"]) - asked <= 1


async def test_a_run_that_is_cancelled_meanwhile_is_given_no_other_words(
    early: httpx.AsyncClient,
    suno: Vendor,
    openai: Vendor,
    stack: LocalProject,
    records: Records,
    clients: Clients,
) -> None:
    somebody = await sign_up(stack)
    openai.fail("slow", delay_s=2)
    creating = asyncio.create_task(create(early, somebody))
    await until(lambda: run_of(records, somebody))
    await clients.database.cancel_run(run_of(records, somebody)["id"], somebody.id)
    created = await creating
    assert created["title"] == CURATED.title
    known = records.run(created["runId"])["metadata"]
    assert known["brief_reason"] == "cancelled" and known["openai_tokens"] > 100
    later = records.segments(created["runId"])[1:]
    assert {segment["status"] for segment in later} == {"failed"}


async def test_the_run_is_answered_when_its_brief_cannot_be_stored(
    make_settings: MakeSettings,
    relay: Relay,
    suno: Vendor,
    openai: Vendor,
    stack: LocalProject,
    records: Records,
) -> None:
    somebody = await sign_up(stack)
    openai.fail("slow", delay_s=2)
    settings = make_settings(
        first_segment_early=True, supabase_url=relay.url, postgrest_url=f"{relay.url}/rest/v1"
    )
    async with open_service(settings) as service:
        creating = asyncio.create_task(create(service, somebody))
        await until(lambda: run_of(records, somebody))
        run = run_of(records, somebody)
        first = records.segments(run["id"])[0]
        await until(lambda: records.segment(first["id"])["suno_task_id"])
        relay.broken["rewrite_run"] = Response(status_code=503)
        created = await creating
    assert (created["runId"], created["title"]) == (str(run["id"]), CURATED.title)


async def test_without_it_nothing_is_bought(
    service: httpx.AsyncClient, suno: Vendor, openai: Vendor, owner: Person, records: Records
) -> None:
    created = await create(service, owner)
    segments = records.segments(created["runId"])
    assert {segment["status"] for segment in segments} == {"queued"}
    assert not suno.tasks_of(segments[0]["id"])
