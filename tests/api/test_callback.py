"""parcours-xl-callback: Suno reports progress, in either shape, however often and late."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours_xl.clients import suno_events
from parcours_xl.clients.clients import Clients
from parcours_xl.logging import hide_tokens
from tests.fixtures.records import NewRun, Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

CALLBACK = endpoint("parcours-xl-callback")
STREAM = "https://audiopipe.suno.ai/?item_id=1"
FILE = "https://cdn1.suno.ai/1.mp3"
OK, SKIPPED = {"ok": True}, {"ok": True, "skipped": True}


def vendor(stage: str, *items: dict[str, Any], task_id: str = "task-1") -> dict[str, Any]:
    data = {"callbackType": stage, "task_id": task_id, "data": list(items)}
    return {"code": 200, "msg": "All generated successfully.", "data": data}


FIRST = {
    "runbook": {"stage": "first", "streamUrl": STREAM},
    "vendor": vendor(
        "first",
        {"id": "a", "audio_url": "", "stream_audio_url": STREAM, "createTime": 1759000000000},
        {"id": "b", "audio_url": "", "stream_audio_url": f"{STREAM}2"},
    ),
}
COMPLETE = {
    "runbook": {"stage": "complete", "downloadUrl": FILE, "duration": 198},
    "vendor": vendor(
        "complete",
        {"id": "a", "audio_url": FILE, "stream_audio_url": STREAM, "duration": 198.44},
        {"id": "b", "audio_url": f"{FILE}?2", "stream_audio_url": f"{STREAM}2", "duration": 170},
    ),
}
FAILURE = {
    "runbook": {"stage": "error", "error": "out of tune"},
    "vendor": {
        "code": 501,
        "msg": "out of tune",
        "data": {"callbackType": "error", "task_id": "task-1", "data": None},
    },
    "vendor without data": {"code": 501, "msg": "out of tune", "data": None},
}
SHAPES = ("runbook", "vendor")


class Segment:
    """One segment under way, and Suno's way to call back about it."""

    def __init__(self, service: httpx.AsyncClient, records: Records, run: NewRun):
        self._service = service
        self._records = records
        self.run_id = run.id
        self.id = run.first

    @property
    def token(self) -> UUID:
        """What the segment's owner can read, and what Suno is told."""
        token: UUID = self.row["callback_token"]
        return token

    @property
    def row(self) -> dict[str, Any]:
        return self._records.segment(self.id)

    @property
    def params(self) -> dict[str, str]:
        return {"segment": str(self.id), "token": str(self.token)}

    async def hears(self, body: object) -> dict[str, Any]:
        answer = await self._service.post(CALLBACK, params=self.params, json=body)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def jobs(self) -> list[dict[str, Any]]:
        return self._records.jobs("parcours_tracks", self.run_id)


@pytest.fixture
async def segment(
    service: httpx.AsyncClient, records: Records, make_run: MakeRun, clients: Clients
) -> Segment:
    """Claimed, and submitted to Suno as task-1."""
    segment = Segment(service, records, await make_run(2))
    await clients.database.start_run(segment.run_id)
    await clients.database.claim_segment(segment.id)
    await clients.database.record_task(segment.id, segment.token, "task-1")
    return segment


# What each stage does


@pytest.mark.parametrize("shape", SHAPES)
async def test_first_is_a_preview(segment: Segment, shape: str) -> None:
    assert await segment.hears(FIRST[shape]) == OK
    row = segment.row
    assert (row["status"], row["preview_url"]) == ("first", STREAM)
    assert row["metadata"]["first_received_at"]
    assert row["storage_path"] is None and not segment.jobs()


@pytest.mark.parametrize("shape", SHAPES)
async def test_complete_is_acknowledged_and_storing_is_a_job(segment: Segment, shape: str) -> None:
    assert await segment.hears(FIRST[shape]) == OK
    assert await segment.hears(COMPLETE[shape]) == OK
    row = segment.row
    assert (row["status"], row["duration_seconds"]) == ("first", 198)
    assert row["metadata"]["complete_received_at"]
    assert row["metadata"]["suno_download_url"] == FILE
    (job,) = segment.jobs()
    assert job["message"]["download_url"] == FILE
    assert job["message"]["callback_token"] == str(segment.token)


async def test_both_tracks_of_a_task_are_remembered_and_what_was_known_stays(
    segment: Segment,
) -> None:
    await segment.hears(FIRST["vendor"])
    await segment.hears(COMPLETE["vendor"])
    known = segment.row["metadata"]
    assert known["suno_track_id"] == "a"
    assert known["suno_second_track_id"] == "b"
    assert known["suno_second_stream_url"] == f"{STREAM}2"
    assert known["suno_second_download_url"] == f"{FILE}?2"
    assert known["first_received_at"] < known["complete_received_at"]
    assert known["planned_seconds"] == 300 and known["title"] and known["attempts"] == 1


@pytest.mark.parametrize("shape", FAILURE)
async def test_an_error_is_asked_about_before_the_attempt_fails(
    segment: Segment, clients: Clients, shape: str
) -> None:
    assert await segment.hears(FAILURE[shape]) == OK
    assert await segment.hears(FAILURE[shape]) == SKIPPED
    assert segment.row["status"] == "generating"
    (step,) = await clients.database.next_steps(1, 60)
    assert (step.action, step.segment_id, step.task_id) == ("ask", segment.id, "task-1")


@pytest.mark.parametrize("body", [vendor("text"), {"stage": "text"}, vendor("new"), {}])
async def test_an_unknown_stage_is_acknowledged_and_changes_nothing(
    segment: Segment, body: dict[str, Any]
) -> None:
    before = segment.row
    assert await segment.hears(body) == OK
    assert segment.row == before


async def test_a_callback_may_be_quicker_than_we_are(
    service: httpx.AsyncClient, records: Records, make_run: MakeRun, clients: Clients
) -> None:
    segment = Segment(service, records, await make_run())
    await clients.database.claim_segment(segment.id)
    assert await segment.hears(FIRST["vendor"]) == OK
    assert (segment.row["status"], segment.row["suno_task_id"]) == ("first", "task-1")


async def test_first_may_never_come(segment: Segment) -> None:
    assert await segment.hears(COMPLETE["vendor"]) == OK
    assert segment.row["preview_url"] == STREAM
    assert len(segment.jobs()) == 1


# Repeated, late, regressing


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_repeated_callback_is_skipped(segment: Segment, shape: str) -> None:
    for body in (FIRST[shape], COMPLETE[shape]):
        assert await segment.hears(body) == OK
        before = segment.row
        assert await segment.hears(body) == SKIPPED
        assert segment.row == before
    assert len(segment.jobs()) == 1


async def test_twenty_equal_callbacks_at_once_are_one(segment: Segment) -> None:
    answers = await asyncio.gather(*(segment.hears(COMPLETE["vendor"]) for _ in range(20)))
    assert sorted(answers, key=len) == [OK] + [SKIPPED] * 19
    assert len(segment.jobs()) == 1


async def test_nothing_goes_back_while_the_track_is_stored(segment: Segment) -> None:
    await segment.hears(FIRST["vendor"])
    await segment.hears(COMPLETE["vendor"])
    before = segment.row
    for body in (FIRST["vendor"], FAILURE["vendor"], FAILURE["runbook"]):
        assert await segment.hears(body) == SKIPPED
    assert segment.row == before


async def test_a_late_first_only_fills_an_empty_preview(segment: Segment) -> None:
    await segment.hears(COMPLETE["runbook"])
    assert segment.row["preview_url"] is None
    assert await segment.hears(FIRST["runbook"]) == OK
    row = segment.row
    assert (row["status"], row["preview_url"]) == ("generating", STREAM)
    assert await segment.hears(FIRST["runbook"]) == SKIPPED


async def test_the_event_of_another_task_is_skipped(segment: Segment) -> None:
    before = segment.row
    items = COMPLETE["vendor"]["data"]["data"]
    assert await segment.hears(vendor("complete", *items, task_id="task-2")) == SKIPPED
    assert segment.row == before and not segment.jobs()


async def test_after_completion_every_token_is_skipped(
    segment: Segment, service: httpx.AsyncClient, clients: Clients
) -> None:
    await segment.hears(COMPLETE["vendor"])
    old = segment.token
    await clients.database.record_track(segment.id, old, "runs/a/b.mp3")
    before = segment.row
    assert (before["status"], before["callback_token"]) == ("complete", None)
    for body in (FIRST["vendor"], COMPLETE["vendor"], FAILURE["vendor"], vendor("text")):
        for token in (old, uuid4()):
            params = {"segment": str(segment.id), "token": str(token)}
            answer = await service.post(CALLBACK, params=params, json=body)
            assert (answer.status_code, answer.json()) == (200, SKIPPED)
    assert segment.row == before


async def test_music_that_comes_after_the_time_out_is_still_welcome(
    segment: Segment, clients: Clients, records: Records
) -> None:
    await clients.database.fail_segment(segment.id, segment.token, "timeout")
    assert segment.row["status"] == "failed"
    assert await segment.hears(FIRST["vendor"]) == SKIPPED
    assert await segment.hears(FAILURE["vendor"]) == SKIPPED
    assert await segment.hears(COMPLETE["vendor"]) == OK
    await clients.database.record_track(segment.id, segment.token, "runs/a/b.mp3")
    assert segment.row["status"] == "complete"


# Who may call, and how


async def test_unknown_segment_and_wrong_token_cannot_be_told_apart(
    segment: Segment, service: httpx.AsyncClient, records: Records, make_run: MakeRun
) -> None:
    """Nor from the token of a segment that is not claimed: no attempt has it yet."""
    queued = Segment(service, records, await make_run())
    answers = [
        await service.post(CALLBACK, params=params, json=COMPLETE["vendor"])
        for params in (
            {"segment": str(segment.id), "token": str(uuid4())},
            {"segment": str(uuid4()), "token": str(segment.token)},
            {"segment": str(uuid4()), "token": str(uuid4())},
            {"segment": str(segment.token), "token": str(segment.id)},
            queued.params,
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["error"]
    headers = [
        {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        for answer in answers
    ]
    assert all(each == headers[0] for each in headers)
    assert segment.row["status"] == "generating"


async def test_the_token_of_an_earlier_attempt_is_wrong(
    segment: Segment, service: httpx.AsyncClient, clients: Clients
) -> None:
    old = segment.params
    await clients.database.fail_segment(segment.id, segment.token, "suno_error")
    await clients.database.retry_segment(segment.id)
    answer = await service.post(CALLBACK, params=old, json=COMPLETE["vendor"])
    assert answer.status_code == 401
    assert segment.row["status"] == "queued"


@pytest.mark.parametrize("missing", ["segment", "token"])
@pytest.mark.parametrize("value", [None, "", "1", "undefined", "' or 1=1", "é", "\x00", "a" * 5000])
async def test_a_missing_or_broken_parameter_is_told(
    segment: Segment, service: httpx.AsyncClient, missing: str, value: str | None
) -> None:
    params = segment.params
    del params[missing]
    if value is not None:
        params[missing] = value
    answer = await service.post(CALLBACK, params=params, json=FIRST["vendor"])
    assert answer.status_code == 400
    assert missing in answer.json()["error"]
    assert [fault["field"] for fault in answer.json()["details"]] == [missing]


# Addresses that lead elsewhere


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_refused_address_is_stored_nowhere(
    segment: Segment, records: Records, shape: str
) -> None:
    secret = uuid4().hex
    url = f"http://127.0.0.1:9/{secret}.mp3"
    item = {"id": "a", "audio_url": url, "stream_audio_url": url}
    bodies = {
        "runbook": [
            {"stage": "first", "streamUrl": url},
            {"stage": "complete", "downloadUrl": url, "streamUrl": url},
        ],
        "vendor": [vendor("first", item), vendor("complete", item)],
    }
    first, complete = bodies[shape]
    assert await segment.hears(first) == SKIPPED
    assert segment.row["status"] == "generating"
    assert await segment.hears(complete) == SKIPPED
    assert segment.row["status"] == "generating", "anybody may have written that: Suno is asked"
    assert segment.row["metadata"]["ask_at"]
    assert not segment.jobs()
    assert records.places_of(secret) == []


async def test_an_address_on_an_unknown_host_is_kept_only_until_suno_confirms_it(
    segment: Segment, records: Records
) -> None:
    secret = uuid4().hex
    url = f"https://cdn.example.com/{secret}.mp3"
    assert await segment.hears({"stage": "complete", "downloadUrl": url}) == OK
    assert "suno_download_url" not in segment.row["metadata"]
    assert records.places_of(secret) == ["pgmq.q_parcours_tracks"]
    (job,) = segment.jobs()
    assert job["message"]["trusted"] is False


# One round trip


async def test_a_callback_is_one_round_trip_to_the_database(
    segment: Segment, make_settings: MakeSettings, relay: Relay
) -> None:
    settings = make_settings(supabase_url=relay.url, postgrest_url=f"{relay.url}/rest/v1")
    async with open_service(settings) as service:
        for body in (FIRST["vendor"], COMPLETE["vendor"], COMPLETE["vendor"]):
            relay.asked.clear()
            await service.post(CALLBACK, params=segment.params, json=body)
            assert relay.asked == [("POST", "/rest/v1/rpc/record_callback")]


async def test_what_is_wrong_at_sight_never_reaches_the_database(
    make_settings: MakeSettings, relay: Relay
) -> None:
    settings = make_settings(supabase_url=relay.url, postgrest_url=f"{relay.url}/rest/v1")
    good = {"segment": str(uuid4()), "token": str(uuid4())}
    async with open_service(settings) as service:
        await service.post(CALLBACK, params=good, content=b"x" * 70_000)
        await service.post(CALLBACK, params=good, content=b"not json")
        await service.post(CALLBACK, params=good | {"token": "1"}, json=FIRST["vendor"])
        await service.post(CALLBACK, params=good, json={"stage": 1})
    assert relay.asked == []


# Whatever comes

TEXT = st.text(st.characters(), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
URLS = JSON | st.sampled_from([STREAM, FILE, "https://cdn.example.com/1", "http://10.0.0.1/"])
ITEMS = st.fixed_dictionaries(
    {}, optional={"id": JSON, "audio_url": URLS, "stream_audio_url": URLS, "duration": JSON}
)
DATA = st.fixed_dictionaries(
    {},
    optional={
        "callbackType": JSON | st.sampled_from(["text", "first", "complete", "error"]),
        "task_id": JSON | st.just("task-1"),
        "error": JSON,
        "data": JSON | st.lists(ITEMS | JSON, max_size=3),
    },
)
CALLBACKS = JSON | st.one_of(
    st.fixed_dictionaries({}, optional={"code": JSON, "msg": JSON, "data": JSON | DATA}),
    st.fixed_dictionaries(
        {"stage": JSON | st.sampled_from(["first", "complete", "error"])},
        optional={"streamUrl": URLS, "downloadUrl": URLS, "duration": JSON, "error": JSON},
    ),
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(bodies=st.lists(CALLBACKS, min_size=1, max_size=3))
async def test_no_callback_is_ever_our_fault(
    service: httpx.AsyncClient,
    records: Records,
    make_run: MakeRun,
    clients: Clients,
    bodies: list[object],
) -> None:
    segment = Segment(service, records, await make_run())
    records.do("delete from parcours.suno_requests")
    await clients.database.claim_segment(segment.id)
    params = segment.params
    for body in bodies:
        content = json.dumps(body).encode()
        answer = await service.post(CALLBACK, params=params, content=content)
        assert answer.status_code in (200, 400), answer.text
        assert answer.json().get("ok") or answer.json()["error"]


# Before the sender is known


HUGE = [
    {"code": 500, "msg": "-eyJ" * 16_000},
    {"stage": "error", "error": "-eyJ" * 16_000},
    {"code": 200, "data": {"callbackType": "error", "error": "?token=" * 9_000}},
]


@pytest.mark.parametrize("body", HUGE, ids=["code", "stage", "type"])
async def test_the_sender_is_judged_before_a_message_is_read(
    service: httpx.AsyncClient,
    segment: Segment,
    body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def noted(text: str) -> str:
        read.append(text)
        return hide_tokens(text)

    monkeypatch.setattr("parcours_xl.clients.suno_events.hide_tokens", noted)
    unknown = {"segment": str(uuid4()), "token": str(segment.token)}
    wrong = {"segment": str(segment.id), "token": str(uuid4())}
    answers = [await service.post(CALLBACK, params=who, json=body) for who in (unknown, wrong)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content
    assert read == []
    assert await segment.hears(body) == OK
    assert max(map(len, read)) <= suno_events.MESSAGE_READ_CHARS_MAX
