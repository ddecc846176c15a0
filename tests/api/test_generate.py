"""parcours-xl-generate: Suno composes one segment, once an attempt."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from parcours_xl.settings import Settings
from tests.fixtures.records import Records
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import PROMPT, MakeRun
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

GENERATE = endpoint("parcours-xl-generate")


async def generate(service: httpx.AsyncClient, segment_id: object) -> httpx.Response:
    return await service.post(GENERATE, json={"segmentId": str(segment_id)})


# Submitted


async def test_a_segment_is_submitted_to_suno(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run(2)
    answer = await generate(service, run.segment_ids[1])
    task = suno.task_of(run.segment_ids[1])
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "taskId": task["task"],
        "segmentId": str(run.segment_ids[1]),
        "segmentIndex": 1,
        "status": "generating",
    }
    row = records.segment(run.segment_ids[1])
    assert (row["status"], row["suno_task_id"]) == ("generating", task["task"])
    assert row["metadata"]["claimed_at"] and row["metadata"]["attempts"] == 1
    assert records.segment(run.first)["status"] == "queued", "only this one was asked for"


async def test_suno_is_asked_as_documented(
    make_settings: MakeSettings, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    settings = make_settings(callback_base=f"{suno.url}/nobody", suno_model="V6")
    async with open_service(settings) as service:
        await generate(service, run.first)
    token = records.segment(run.first)["callback_token"]
    payload = suno.task_of(run.first)["payload"]
    negative_tags = payload.pop("negativeTags")
    assert "vocals" in negative_tags and len(negative_tags) <= 1000
    assert payload == {
        "customMode": True,
        "instrumental": True,
        "model": "V6",
        "style": PROMPT,
        "title": "Morceau 1",
        "duration": 300,
        "callBackUrl": f"{suno.url}/nobody?segment={run.first}&token={token}",
    }


@pytest.mark.parametrize("model", ["V4", "V4_5", "V5"])
async def test_an_older_model_is_asked_for_no_duration(
    make_settings: MakeSettings, suno: Vendor, make_run: MakeRun, model: str
) -> None:
    """The longest texts that a run may hold pass, also those that V4 takes shortened."""
    run = await make_run(prompt="p" * 1000, title="t" * 80)
    async with open_service(make_settings(suno_model=model)) as service:
        assert (await generate(service, run.first)).status_code == 200
    payload = suno.task_of(run.first)["payload"]
    assert "duration" not in payload
    assert len(payload["style"]) == (200 if model == "V4" else 1000)


async def test_a_segment_may_be_named_by_its_run_and_place(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun
) -> None:
    run = await make_run(2)
    answer = await service.post(GENERATE, json={"runId": str(run.id), "segmentIndex": 1})
    assert answer.status_code == 200
    assert answer.json()["segmentId"] == str(run.segment_ids[1])


# Skipped


async def test_a_segment_under_way_is_skipped(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun
) -> None:
    run = await make_run()
    first = (await generate(service, run.first)).json()
    again = await generate(service, run.first)
    assert again.status_code == 200
    assert again.json() == first | {"skipped": True}
    assert len(suno.tasks_of(run.first)) == 1


async def test_many_at_once_are_one_task(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun
) -> None:
    run = await make_run()
    answers = await asyncio.gather(*(generate(service, run.first) for _ in range(10)))
    assert all(answer.status_code == 200 for answer in answers)
    assert sum("skipped" in answer.json() for answer in answers) == 9
    assert len(suno.tasks_of(run.first)) == 1


async def test_a_complete_segment_is_skipped(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    records.do(
        "update public.parcours_segments set status = 'complete', callback_token = null,"
        " suno_task_id = 'task-1' where id = %s",
        run.first,
    )
    answer = await generate(service, run.first)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["skipped"]) == ("complete", True)


# Not to be had


@pytest.mark.parametrize(
    "body",
    [
        {"segmentId": str(uuid4())},
        {"runId": str(uuid4()), "segmentIndex": 0},
    ],
)
async def test_an_unknown_segment_is_not_found(
    service: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await service.post(GENERATE, json=body)
    assert (answer.status_code, answer.json()) == (404, {"error": "unknown segment"})


async def test_a_place_that_the_run_does_not_have_is_not_found(
    service: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run(2)
    answer = await service.post(GENERATE, json={"runId": str(run.id), "segmentIndex": 2})
    assert answer.status_code == 404


async def test_a_full_suno_quota_says_when_to_come_back(
    make_settings: MakeSettings, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run(3)
    async with open_service(make_settings(suno_requests_max=2)) as service:
        for segment_id in run.segment_ids[:2]:
            assert (await generate(service, segment_id)).status_code == 200
        answer = await generate(service, run.segment_ids[2])
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 10
        assert answer.json() == {"error": "the Suno quota is full"}
        row = records.segment(run.segment_ids[2])
        assert row["status"] == "queued" and "attempts" not in row["metadata"]
        assert not suno.tasks_of(run.segment_ids[2])
        # One window after their answers, the slots are free again.
        records.do("update parcours.suno_requests set answered_at = answered_at - interval '11 s'")
        assert (await generate(service, run.segment_ids[2])).status_code == 200


async def test_when_the_attempts_are_used_up_it_is_said(
    make_settings: MakeSettings, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    settings = make_settings(attempts_max=2, attempts_automatic=1)
    async with open_service(settings) as service:
        for _ in range(2):
            suno.fail("refused")
            assert (await generate(service, run.first)).status_code == 502
        answer = await generate(service, run.first)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == 86_400
    assert "used up" in answer.json()["error"]
    assert records.segment(run.first)["metadata"]["attempts"] == 2


# What Suno says


@pytest.mark.parametrize(
    ("fault", "how", "code", "reason"),
    [
        ("refused", {}, 400, "suno_refused"),
        ("refused", {"code": 404}, 404, "suno_refused"),
        ("too_long", {}, 413, "suno_content"),
        ("bad_key", {}, 401, "suno_account"),
        ("bad_key", {"status": 401}, 401, "suno_account"),
        ("no_credits", {}, 429, "suno_account"),
    ],
)
async def test_a_refusal_for_good_is_told_with_sunos_code_and_ends_the_attempt(
    service: httpx.AsyncClient,
    suno: Vendor,
    make_run: MakeRun,
    records: Records,
    fault: str,
    how: dict[str, Any],
    code: int,
    reason: str,
) -> None:
    run = await make_run(2)
    suno.fail(fault, **how)
    answer = await generate(service, run.first)
    assert (answer.status_code, answer.json()["code"]) == (502, code)
    assert answer.json()["error"].startswith("Suno refused: ")
    assert "retry-after" not in answer.headers
    row = records.segment(run.first)
    assert row["status"] == "failed"
    assert (row["metadata"]["failure"]["reason"], row["metadata"]["failure"]["code"]) == (
        reason,
        code,
    )
    # Without credits or a key the others need not even be tried.
    others = "failed" if reason == "suno_account" else "queued"
    assert records.segment(run.segment_ids[1])["status"] == others


@pytest.mark.parametrize(
    ("fault", "how", "code"),
    [
        ("busy", {}, 430),
        ("rate_limited", {}, 405),
        ("rate_limited", {"status": 429}, 429),
        ("maintenance", {}, 455),
        ("server_error", {}, 500),
        ("not_json", {}, 502),
    ],
)
async def test_a_passing_refusal_is_told_and_may_be_tried_again_when_due(
    service: httpx.AsyncClient,
    suno: Vendor,
    make_run: MakeRun,
    records: Records,
    fault: str,
    how: dict[str, Any],
    code: int,
) -> None:
    run = await make_run()
    suno.fail(fault, **how)
    answer = await generate(service, run.first)
    assert (answer.status_code, answer.json()["code"]) == (502, code)
    assert int(answer.headers["retry-after"]) >= 1
    row = records.segment(run.first)
    assert row["status"] == "generating" and row["metadata"]["next_try_at"]
    records.age(run.first, 2)
    answer = await generate(service, run.first)
    assert answer.status_code == 200 and "skipped" not in answer.json()
    assert records.segment(run.first)["metadata"]["attempts"] == 1


async def test_a_passing_refusal_is_tried_three_times_more_and_then_the_attempt_fails(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    suno.fail("maintenance", times=0)
    for pause_s in (2, 4, 6):
        assert (await generate(service, run.first)).status_code == 502
        assert records.segment(run.first)["status"] == "generating"
        records.age(run.first, pause_s)
    assert (await generate(service, run.first)).status_code == 502
    assert records.pauses(run.id) == [2, 4, 6]
    row = records.segment(run.first)
    assert (row["status"], row["metadata"]["failure"]["reason"]) == ("failed", "suno_busy")


async def test_a_refusal_is_not_tried_again_before_it_is_due(
    make_settings: MakeSettings, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    suno.fail("maintenance")
    async with open_service(make_settings(retry_pauses_s=(60,))) as service:
        assert (await generate(service, run.first)).status_code == 502
        records.age(run.first, 40)
        assert (await generate(service, run.first)).json()["skipped"] is True
        records.age(run.first, 20)
        assert "skipped" not in (await generate(service, run.first)).json()


async def test_a_suno_out_of_reach_is_a_passing_refusal(
    make_settings: MakeSettings, make_run: MakeRun, records: Records, dead_port: int
) -> None:
    run = await make_run()
    settings = make_settings(suno_api_base=f"http://127.0.0.1:{dead_port}")
    async with open_service(settings) as service:
        answer = await generate(service, run.first)
    assert answer.status_code == 502
    assert answer.json() == {"error": "Suno is out of reach"}
    assert records.segment(run.first)["metadata"]["next_try_at"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_what_suno_never_answered_is_never_submitted_again_in_this_attempt(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun, records: Records, when: str
) -> None:
    run = await make_run()
    suno.fail("no_answer", when=when)
    answer = await generate(service, run.first)
    assert (answer.status_code, answer.json()) == (502, {"error": "Suno did not answer"})
    row = records.segment(run.first)
    assert (row["status"], row["suno_task_id"]) == ("generating", None)
    assert "next_try_at" not in row["metadata"]
    for seconds in (10, 60):
        records.age(run.first, seconds)
        answer = await generate(service, run.first)
        assert (answer.status_code, answer.json()["skipped"]) == (200, True)
    assert len(suno.tasks_of(run.first)) == (1 if when == "after" else 0)


async def test_a_failed_segment_is_a_new_attempt_with_a_new_token(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    token = records.segment(run.first)["callback_token"]
    suno.fail("refused")
    await generate(service, run.first)
    assert records.run(run.id)["status"] == "failed"
    answer = await generate(service, run.first)
    assert (answer.status_code, answer.json()["status"]) == (200, "generating")
    row = records.segment(run.first)
    assert row["callback_token"] != token and row["metadata"]["attempts"] == 2
    assert str(row["callback_token"]) in suno.task_of(run.first)["payload"]["callBackUrl"]
    assert records.run(run.id)["status"] == "creating"


# Who may


async def test_everybody_may_by_default(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun, stack: LocalProject
) -> None:
    run = await make_run()
    headers = {"Authorization": f"Bearer {stack.anon_key}", "apikey": stack.anon_key}
    body = {"segmentId": str(run.first)}
    assert (await service.post(GENERATE, json=body, headers=headers)).status_code == 200


async def test_only_the_service_role_may_when_it_is_said_so(
    make_settings: MakeSettings, suno: Vendor, make_run: MakeRun, stack: LocalProject
) -> None:
    run = await make_run()
    key, body = stack.service_role_key, {"segmentId": str(run.first)}
    settings: Settings = make_settings(generate_access="service_role")
    async with open_service(settings) as service:
        for headers in (
            {},
            {"Authorization": f"Bearer {stack.anon_key}", "apikey": stack.anon_key},
            {"Authorization": f"Basic {key}"},
            {"Authorization": key},
            {"apikey": key[:-1]},
            {"Authorization": f"Bearer {key}x"},
        ):
            answer = await service.post(GENERATE, json=body, headers=headers)
            assert (answer.status_code, bool(answer.json()["error"])) == (401, True)
        assert not suno.tasks_of(run.first)
        for headers in ({"Authorization": f"Bearer {key}"}, {"apikey": key}):
            assert (await service.post(GENERATE, json=body, headers=headers)).status_code == 200
