"""parcours-xl-create: a signed-in user's new run, whatever OpenAI does."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from parcours_dev.supabase.project import LocalProject
from parcours_xl.domain.brief import curated_brief
from parcours_xl.domain.presets import all_presets, find_preset
from tests.fixtures.records import Records
from tests.fixtures.servers import running
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.users import Person, sign_up
from tests.fixtures.vendors import Vendor

pytestmark = pytest.mark.anyio

CREATE = endpoint("parcours-xl-create")
PANIC = {"presetKey": "panique-anxiete"}
CURATED = curated_brief(find_preset("panique-anxiete"))


async def create(
    service: httpx.AsyncClient,
    person: Person,
    body: dict[str, Any] = PANIC,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    answer = await service.post(CREATE, json=body, headers={**person.headers, **(headers or {})})
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


# The run


async def test_a_run_is_created_with_its_segments(
    service: httpx.AsyncClient, openai: Vendor, owner: Person, records: Records
) -> None:
    body = {"presetKey": "panique-anxiete", "emotionState": "fear-0.8"}
    created = await create(service, owner, body)
    run, segments = records.run(created["runId"]), records.segments(created["runId"])
    assert created == {
        "runId": str(run["id"]),
        "title": run["metadata"]["title"],
        "brief": run["brief"],
        "segmentsCount": len(segments),
        "status": "creating",
        "briefs": run["metadata"]["brief"],
    }
    assert created["brief"] == created["briefs"]["fr"]
    assert created["title"] and created["briefs"]["en"]
    assert (run["user_id"], run["preset_key"]) == (owner.id, "01-panique-anxiete")
    assert run["metadata"]["brief_source"] == "openai"
    assert run["metadata"]["brief_model"] == "gpt-4o-mini"
    assert (run["metadata"]["emotion"], run["metadata"]["intensity"]) == ("fear", 0.8)
    assert run["metadata"]["waited_s"] >= 0 and run["metadata"]["openai_tokens"] > 100
    assert "trace" not in run["metadata"], "traces are off"
    planned = [segment["metadata"]["planned_seconds"] for segment in segments]
    assert len(segments) in (3, 4)
    assert all(240 <= seconds <= 360 for seconds in planned)
    assert 1080 <= sum(planned) <= 1440
    assert [segment["segment_index"] for segment in segments] == list(range(len(segments)))
    assert all(segment["status"] == "queued" for segment in segments)
    assert all(0 < len(segment["prompt"]) <= 1000 for segment in segments)
    assert all("instrumental" in segment["prompt"] for segment in segments)
    assert records.events(run["id"]) == ["run.created"]


@pytest.mark.parametrize("preset", all_presets(), ids=lambda preset: preset.key)
async def test_every_preset_has_both_names(
    service: httpx.AsyncClient, openai: Vendor, owner: Person, records: Records, preset: Any
) -> None:
    openai.fail("bad_key", times=2)
    for key in (preset.key, preset.slug):
        created = await create(service, owner, {"presetKey": key})
        assert records.run(created["runId"])["preset_key"] == preset.key


@pytest.mark.parametrize(
    "key",
    ["", "panique", "PANIQUE-ANXIETE", "02-panique-anxiete", "1-panique-anxiete", "../00", "é"],
)
async def test_an_unknown_preset_lists_those_there_are(
    service: httpx.AsyncClient, owner: Person, key: str
) -> None:
    answer = await service.post(CREATE, json={"presetKey": key}, headers=owner.headers)
    assert answer.status_code == 400
    keys = [preset.key for preset in all_presets()]
    assert all(known in answer.json()["error"] for known in keys)
    assert [fault["message"] for fault in answer.json()["details"]] == keys


@pytest.mark.parametrize(
    ("state", "emotion", "intensity"),
    [
        ("fear-0.8", "fear", 0.8),
        ("fear", "fear", None),
        ({"emotion": "Fear", "intensity": 1}, "fear", 1.0),
        ({"emotion": "fear"}, "fear", None),
        ({"intensity": 0}, "anxiety", 0.0),
        ({}, "anxiety", None),
        (None, "anxiety", None),
    ],
)
async def test_a_feeling_may_be_said_in_every_documented_way(
    service: httpx.AsyncClient,
    openai: Vendor,
    owner: Person,
    records: Records,
    state: object,
    emotion: str,
    intensity: float | None,
) -> None:
    openai.fail("bad_key")
    created = await create(service, owner, PANIC | {"emotionState": state})
    known = records.run(created["runId"])["metadata"]
    expected = emotion if emotion == "fear" else find_preset("panique-anxiete").emotion
    assert (known["emotion"], known["intensity"]) == (expected, intensity)


NO_TEXTS = ("fear-2", "fear--1", "fear-x", "-0.5", "two words", "x" * 41)
NO_OBJECTS: tuple[dict[str, object], ...] = (
    {"emotion": 5},
    {"emotion": "\x00"},
    {"emotion": "fear", "note": "secret"},
    {"intensity": "high"},
    {"intensity": 2},
    {"intensity": True},
)


@pytest.mark.parametrize("state", [*NO_TEXTS, *NO_OBJECTS, 5, True, []])
async def test_a_feeling_said_otherwise_is_told(
    service: httpx.AsyncClient, owner: Person, state: object
) -> None:
    body = PANIC | {"emotionState": state}
    answer = await service.post(CREATE, json=body, headers=owner.headers)
    assert answer.status_code == 400
    (fault,) = answer.json()["details"]
    assert fault["field"] == "emotionState" and fault["message"]


# Who may


async def test_only_a_user_may_create(service: httpx.AsyncClient, stack: LocalProject) -> None:
    for authorization in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer garbage",
        "Basic dXNlcjpzZWNyZXQ=",
        stack.anon_key,
        f"Bearer {stack.anon_key}",
        f"Bearer {stack.service_role_key}",
        "Bearer sb_publishable_x",
    ):
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = await service.post(
            CREATE, json=PANIC, headers=headers | {"apikey": stack.anon_key}
        )
        assert (answer.status_code, bool(answer.json()["error"])) == (401, True), authorization


async def test_the_scheme_of_a_token_is_not_case_sensitive(
    service: httpx.AsyncClient, openai: Vendor, owner: Person
) -> None:
    openai.fail("bad_key")
    headers = {"Authorization": f"bearer  {owner.token} "}
    assert (await service.post(CREATE, json=PANIC, headers=headers)).status_code == 200


async def test_an_anonymous_user_may_create(
    service: httpx.AsyncClient, openai: Vendor, stack: LocalProject, records: Records
) -> None:
    openai.fail("bad_key")
    somebody = await sign_up(stack, anonymous=True)
    created = await create(service, somebody)
    assert records.run(created["runId"])["user_id"] == somebody.id


# How much


async def test_the_daily_quota_says_when_to_come_back(
    make_settings: MakeSettings, stack: LocalProject, openai: Vendor, records: Records
) -> None:
    somebody, somebody_else = await sign_up(stack), await sign_up(stack)
    async with open_service(make_settings(daily_run_quota=2, openai_api_key=None)) as service:
        for _ in range(2):
            await create(service, somebody)
        records.do(
            "update public.parcours_runs set created_at = created_at - interval '20 hours'"
            " where user_id = %s",
            somebody.id,
        )
        answer = await service.post(CREATE, json=PANIC, headers=somebody.headers)
        assert answer.status_code == 429
        assert "2 journeys a day" in answer.json()["error"]
        assert 3.9 * 3600 < int(answer.headers["retry-after"]) <= 4 * 3600
        await create(service, somebody_else)
        records.do(
            "update public.parcours_runs set created_at = created_at - interval '4 hours'"
            " where user_id = %s",
            somebody.id,
        )
        await create(service, somebody)


async def test_nobody_is_asked_to_write_for_a_user_over_the_quota(
    make_settings: MakeSettings, openai: Vendor, owner: Person
) -> None:
    async with open_service(make_settings(daily_run_quota=1)) as service:
        await service.post(CREATE, json=PANIC, headers=owner.headers)
        asked = len(openai.state()["requests"])
        answer = await service.post(CREATE, json=PANIC, headers=owner.headers)
    assert answer.status_code == 429
    assert len(openai.state()["requests"]) == asked


async def test_a_quota_holds_against_many_at_once(
    make_settings: MakeSettings, stack: LocalProject, records: Records
) -> None:
    somebody = await sign_up(stack)
    async with open_service(make_settings(daily_run_quota=3, openai_api_key=None)) as service:
        answers = await asyncio.gather(
            *(service.post(CREATE, json=PANIC, headers=somebody.headers) for _ in range(10))
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 7
    runs = records.all("select id from public.parcours_runs where user_id = %s", somebody.id)
    assert len(runs) == 3


async def test_fifty_creates_at_once_ask_for_as_many_briefs_as_become_runs(
    make_settings: MakeSettings, stack: LocalProject, openai: Vendor, records: Records
) -> None:
    somebody = await sign_up(stack)
    asked = len(openai.state()["requests"])
    async with open_service(make_settings(daily_run_quota=10)) as service:
        answers = await asyncio.gather(
            *(service.post(CREATE, json=PANIC, headers=somebody.headers) for _ in range(50))
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 40
    assert len(openai.state()["requests"]) - asked <= 10
    assert not records.all("select from parcours.places where user_id = %s", somebody.id)


async def test_the_limit_of_all_users_is_told_with_its_time(
    make_settings: MakeSettings, stack: LocalProject, openai: Vendor, records: Records
) -> None:
    records.do("delete from parcours.recent_creations")
    async with open_service(make_settings(runs_daily_max=1, openai_api_key=None)) as service:
        for expected in (200, 429):
            somebody = await sign_up(stack)
            answer = await service.post(CREATE, json=PANIC, headers=somebody.headers)
            assert answer.status_code == expected
    assert answer.json()["error"].startswith("no more journeys can be made today")
    assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400


# Idempotency-Key


async def test_a_repeated_key_is_the_same_run_even_over_the_quota(
    make_settings: MakeSettings, stack: LocalProject, records: Records
) -> None:
    somebody = await sign_up(stack)
    settings = make_settings(daily_run_quota=1, openai_api_key=None)
    async with open_service(settings) as service:
        first = await create(service, somebody, headers={"Idempotency-Key": "tap-1"})
        again = await create(service, somebody, headers={"Idempotency-Key": "tap-1"})
        # The other name of the same preset is the same request.
        named = {"presetKey": "01-panique-anxiete", "emotionState": {}}
        assert await create(service, somebody, named, headers={"idempotency-key": "tap-1"}) == first
    assert again == first
    assert len(records.segments(first["runId"])) == first["segmentsCount"]


async def test_a_key_taken_by_another_request_is_told(
    service: httpx.AsyncClient, openai: Vendor, stack: LocalProject
) -> None:
    openai.fail("bad_key", times=2)
    somebody = await sign_up(stack)
    await create(service, somebody, headers={"Idempotency-Key": "k"})
    body = PANIC | {"emotionState": "fear-0.9"}
    answer = await service.post(
        CREATE, json=body, headers=somebody.headers | {"Idempotency-Key": "k"}
    )
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["error"]


async def test_a_key_is_its_users_own(
    service: httpx.AsyncClient, openai: Vendor, owner: Person, stranger: Person
) -> None:
    openai.fail("bad_key", times=2)
    key = {"Idempotency-Key": str(uuid4())}
    ours = await create(service, owner, headers=key)
    theirs = await create(service, stranger, headers=key)
    assert ours["runId"] != theirs["runId"]


async def test_two_taps_at_once_are_one_run(
    service: httpx.AsyncClient, openai: Vendor, owner: Person
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    created = await asyncio.gather(*(create(service, owner, headers=key) for _ in range(5)))
    assert len({UUID(run["runId"]) for run in created}) == 1


@pytest.mark.parametrize("key", ["", " ", "two words", "é", "x" * 201, "\t"])
async def test_a_broken_key_is_told(service: httpx.AsyncClient, owner: Person, key: str) -> None:
    named = {**owner.headers, "Idempotency-Key": key}
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    answer = await service.post(CREATE, json=PANIC, headers=headers)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["error"]


# Whatever OpenAI does


async def assert_curated(
    service: httpx.AsyncClient, owner: Person, records: Records, reason: str
) -> None:
    created = await create(service, owner)
    run, segments = records.run(created["runId"]), records.segments(created["runId"])
    assert run["metadata"]["brief_source"] == "curated"
    assert run["metadata"]["brief_reason"] == reason
    assert created["briefs"] == run["metadata"]["brief"] == CURATED.text.model_dump()
    assert (created["title"], created["brief"]) == (CURATED.title, CURATED.text.fr)
    assert [segment["metadata"]["planned_seconds"] for segment in segments] == [
        plan.planned_seconds for plan in CURATED.segments
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refusal", "refusal"),
        ("cut_off", "cut_off"),
        ("content_filter", "content_filter"),
        ("invalid_json", "bad_output"),
        ("violated_schema", "bad_output"),
        ("bad_key", "bad_key"),
        ("busy", "rate_limit"),
        ("server_error", "http_500"),
        ("no_answer", "connection"),
        ("model_withdrawn", "model_withdrawn"),
    ],
)
async def test_without_a_brief_the_presets_own_is_used_and_it_is_said_why(
    service: httpx.AsyncClient,
    openai: Vendor,
    owner: Person,
    records: Records,
    fault: str,
    reason: str,
) -> None:
    openai.fail(fault, times=0)
    await assert_curated(service, owner, records, reason)


async def test_without_a_key_the_presets_own_brief_is_used(
    make_settings: MakeSettings, owner: Person, records: Records
) -> None:
    async with open_service(make_settings(openai_api_key=None)) as service:
        await assert_curated(service, owner, records, "no_key")


async def test_a_slow_model_costs_the_budget_and_no_more(
    make_settings: MakeSettings, openai: Vendor, owner: Person, records: Records
) -> None:
    openai.fail("slow", delay_s=60, times=0)
    async with open_service(make_settings(brief_s_max=0.5)) as service:
        began = time.monotonic()
        await assert_curated(service, owner, records, "timeout")
        assert time.monotonic() - began < 20


async def test_a_withdrawn_model_is_followed_by_the_next_of_the_list(
    service: httpx.AsyncClient, openai: Vendor, owner: Person, records: Records
) -> None:
    openai.fail("model_withdrawn", match={"model": "gpt-4o-mini"})
    created = await create(service, owner)
    known = records.run(created["runId"])["metadata"]
    assert (known["brief_source"], known["brief_model"]) == ("openai", "gpt-6-luna")


def brief_saying(fr: str = "Vous êtes là.", en: str = "You are here.") -> Response:
    prompt = "Instrumental felt piano and strings, 60 BPM, dorian, slowly opening"
    segment = {"title": "Premier pas", "prompt": prompt, "seconds": 300}
    brief = {"title": "Un moment calme", "text": {"fr": fr, "en": en}, "segments": [segment] * 4}
    message = {"role": "assistant", "content": json.dumps(brief), "refusal": None}
    return JSONResponse(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (brief_saying("Inspirez, puis retenez votre souffle quatre secondes."), "unfit"),
        (brief_saying("Cette musique guérit l'anxiété."), "unfit"),
        (brief_saying(en="This music cures anxiety."), "unfit"),
        (brief_saying("Vous êtes là.\x00"), "unfit"),
        (HTMLResponse("<h1>Sign in to the Wi-Fi</h1>"), "bad_output"),
    ],
    ids=["breath-holding", "a-claim", "a-claim-in-english", "nul", "portal"],
)
async def test_a_brief_that_no_listener_should_read_is_replaced(
    make_settings: MakeSettings, owner: Person, records: Records, answer: Response, reason: str
) -> None:
    async def complete(_: Request) -> Response:
        return answer

    app = Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])
    with running(app) as url:
        async with open_service(make_settings(openai_base_url=f"{url}/v1")) as service:
            await assert_curated(service, owner, records, reason)


# The rollout


async def test_while_it_is_rolled_out_only_users_with_the_flag_create_runs(
    make_settings: MakeSettings, stack: LocalProject, records: Records
) -> None:
    person = await sign_up(stack)
    flag = "insert into public.feature_flags values (%s, true)"
    async with open_service(make_settings(rollout="flags")) as service:
        refused = await service.post(CREATE, json=PANIC, headers=person.headers)
        records.do(flag, person.id)
        await create(service, person)
    assert refused.status_code == 403
    assert "not open to this account yet" in refused.json()["error"]


async def test_a_user_whom_the_rollout_has_not_reached_costs_no_brief(
    make_settings: MakeSettings, stack: LocalProject, openai: Vendor
) -> None:
    person = await sign_up(stack)
    before = len(openai.state()["requests"])
    async with open_service(make_settings(rollout="flags")) as service:
        await service.post(CREATE, json=PANIC, headers=person.headers)
    assert len(openai.state()["requests"]) == before
