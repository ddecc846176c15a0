"""What vendors of Suno's music answered others, and what must come of it (tests/cases/suno.json).

Whole attempts: the worker submits to the simulated Suno over HTTP, the case's own callbacks reach
the service, and the database says how it ended. Only the ids and the addresses are the simulator's.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from parcours_xl.clients.clients import Clients
from parcours_xl.domain.presets import find_preset
from parcours_xl.domain.prompts import clean_prompt, suno_style
from parcours_xl.operations.doctor.examination import run_checks
from parcours_xl.settings import Settings
from parcours_xl.wiring import wire_doctor, wire_worker
from parcours_xl.worker.worker import Worker
from tests.fixtures.records import NewRun, Records
from tests.fixtures.service import MakeSettings, endpoint
from tests.fixtures.service_fixtures import TRACK_S, MakeRun
from tests.fixtures.vendors import FINISHED, Vendor
from tests.fixtures.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

FILE = Path(__file__).parents[1] / "cases" / "suno.json"
CASES: dict[str, dict[str, Any]] = {
    case["name"]: case for case in json.loads(FILE.read_text())["cases"]
}
PRESET = "00-universel-reset"
TURNS_MAX = 40
LONG_S = 300
"""Every track of the simulator's lasts longer than the cases announce."""


def turn(suno: Vendor, **wishes: object) -> None:
    suno.client.put(f"{suno.url}/_control/settings", json=wishes).raise_for_status()


@pytest.fixture
def long_tracks(suno: Vendor) -> Iterator[None]:
    """Tracks as long as a real one; tones are quickly made."""
    turn(suno, track_seconds=LONG_S, signal="tones")
    yield
    turn(suno, track_seconds=TRACK_S, signal="music")


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@dataclass
class Scenario:
    """One run and its music, as a worker brings it about."""

    run: NewRun
    worker: Worker
    records: Records
    suno: Vendor
    service: httpx.AsyncClient

    @property
    def row(self) -> dict[str, Any]:
        return self.records.segment(self.run.first)

    @property
    def metadata(self) -> dict[str, Any]:
        facts: dict[str, Any] = self.row["metadata"]
        return facts

    @property
    def tasks(self) -> list[dict[str, Any]]:
        return self.suno.tasks_of(self.run.first)

    @property
    def ids(self) -> list[str]:
        return [track["id"] for track in self.tasks[-1]["tracks"]]

    async def work(self) -> None:
        """Everything that is due, and everything that waits, once."""
        self.records.make_due(self.run.id)
        self.records.do(
            "update public.parcours_segments set metadata = metadata || jsonb_build_object("
            "'next_try_at', clock_timestamp()) where run_id = %s and metadata ? 'next_try_at'",
            self.run.id,
        )
        await self.worker.work_once()

    async def work_until(self, is_so: Callable[[], object]) -> None:
        for _ in range(TURNS_MAX):
            if is_so():
                return
            await self.work()
        pytest.fail(f"never so: {self.row}, {self.records.events(self.run.id)}")

    async def submit(self) -> None:
        await self.work_until(lambda: self.tasks)
        task = self.tasks[-1]["task"]
        await until(lambda: self.tasks[-1]["status"] in FINISHED)
        assert self.row["suno_task_id"] == task

    def told(self, event: dict[str, Any]) -> dict[str, Any]:
        """A case's event about this run's task, with addresses that exist."""
        a, b = self.ids
        said = (
            json.dumps(event)
            .replace("https://cdn1.suno.ai/a.mp3", f"{self.suno.url}/files/{a}.mp3")
            .replace("https://cdn1.suno.ai/b.mp3", f"{self.suno.url}/files/{b}.mp3")
            .replace("https://audiopipe.suno.ai/?item_id=a", f"{self.suno.url}/streams/{a}")
            .replace('"id": "a"', f'"id": "{a}"')
            .replace('"id": "b"', f'"id": "{b}"')
            .replace('"task_id": "T"', f'"task_id": "{self.tasks[-1]["task"]}"')
        )
        found: dict[str, Any] = json.loads(said)
        return found

    async def tell(self, event: dict[str, Any]) -> None:
        """Suno calls back."""
        answer = await self.service.post(
            endpoint("parcours-xl-callback"),
            params={"segment": str(self.run.first), "token": str(self.row["callback_token"])},
            json=self.told(event),
        )
        assert answer.status_code == 200, answer.text

    def let_pass(self, seconds: int) -> None:
        """So long ago did all this attempt's moments happen."""
        for name in ("claimed_at", "complete_received_at"):
            self.records.do(
                "update public.parcours_segments set metadata = metadata || jsonb_build_object("
                " %s::text, (metadata->>%s)::timestamptz - make_interval(secs => %s))"
                " where run_id = %s and metadata ? %s",
                name,
                name,
                seconds,
                self.run.id,
                name,
            )

    def is_complete(self) -> bool:
        return bool(self.row["status"] == "complete")


@pytest.fixture
async def scenario(
    make_run: MakeRun,
    clients: Clients,
    settings: Settings,
    records: Records,
    suno: Vendor,
    service: httpx.AsyncClient,
) -> Scenario:
    run = await make_run()
    await clients.database.start_run(run.id)
    return Scenario(run, wire_worker(clients, settings), records, suno, service)


def complete(*ids: str, duration: float = 240) -> dict[str, Any]:
    items = [
        {"id": name, "audio_url": f"https://cdn1.suno.ai/{name}.mp3", "duration": duration}
        for name in ids
    ]
    return {"code": 200, "data": {"callbackType": "complete", "task_id": "T", "data": items}}


def test_every_case_has_its_test() -> None:
    assert {f"test_{name}" for name in CASES} <= globals().keys()


@pytest.mark.usefixtures("long_tracks")
async def test_complete_but_forbidden_for_a_moment(scenario: Scenario) -> None:
    case = CASES["complete_but_forbidden_for_a_moment"]
    await scenario.submit()
    scenario.suno.fail("missing", status=403, times=2, match={"track": scenario.ids[0]})
    await scenario.tell(case["event"])
    await scenario.work_until(scenario.is_complete)

    assert scenario.row["storage_path"] and scenario.metadata["suno_track_id"] == scenario.ids[0]
    assert len(scenario.tasks) == 1


@pytest.mark.usefixtures("long_tracks")
async def test_first_choice_is_dead_second_track_lives(scenario: Scenario) -> None:
    case = CASES["first_choice_is_dead_second_track_lives"]
    await scenario.submit()
    a, b = scenario.ids
    first = CASES["error_after_a_whole_track"]["events"][0]
    await scenario.tell(first)
    preview = scenario.row["preview_url"]
    assert preview and a in preview
    scenario.suno.fail("missing", status=404, times=0, match={"track": a})
    await scenario.tell(case["event"])
    while not scenario.is_complete():
        assert scenario.row["preview_url"] == preview, "it is heard until b is there"
        await scenario.work()
        scenario.let_pass(30)

    assert scenario.row["storage_path"] and scenario.row["duration_seconds"] == 237
    assert scenario.metadata["suno_track_id"] == b
    assert len(scenario.tasks) == 1


async def test_nothing_is_bought_within_a_minute_of_a_missing_file(scenario: Scenario) -> None:
    await scenario.submit()
    scenario.suno.fail("missing", status=404, times=0, match={"media": "file"})
    await scenario.tell(complete("a", "b", duration=TRACK_S))
    for _ in range(10):
        await scenario.work()
    assert scenario.row["status"] == "generating" and len(scenario.tasks) == 1
    scenario.let_pass(60)
    await scenario.work_until(lambda: len(scenario.tasks) == 2)


async def test_task_failed_and_no_callback_came(scenario: Scenario) -> None:
    said = CASES["task_failed_and_no_callback_came"]["record_info"]["data"]
    await scenario.submit()
    scenario.suno.fail(
        "record_status",
        status=said["status"],
        message=said["errorMessage"],
        code=0,
        tracks=False,
        match={"task": scenario.tasks[0]["task"]},
    )
    scenario.let_pass(95)
    await scenario.work()
    failed = [e for e in scenario.records.events(scenario.run.id) if e == "segment.failed"]
    assert len(failed) == 1, "when it is read, not after GIVE_UP_S"
    await scenario.work_until(lambda: len(scenario.tasks) == 2)


async def test_same_rule_for_both_messengers(scenario: Scenario) -> None:
    said = CASES["same_rule_for_both_messengers"]["record_info"]["data"]
    await scenario.submit()
    sent = scenario.tasks[0]["payload"]["style"]
    scenario.suno.fail(
        "record_status",
        times=0,
        status=said["status"],
        message=said["errorMessage"],
        code=int(said["errorCode"]),
        tracks=False,
        match={"task": scenario.tasks[0]["task"]},
    )
    scenario.let_pass(95)
    await scenario.work_until(lambda: len(scenario.tasks) == 2)

    assert scenario.tasks[1]["payload"]["style"] == curated(0) != sent
    assert scenario.metadata["refused_prompts"][0]["message"] == said["errorMessage"]


async def test_http_says_rate_text_says_credits(
    make_run: MakeRun, clients: Clients, settings: Settings, suno: Vendor, records: Records
) -> None:
    said = CASES["http_says_rate_text_says_credits"]["submit"]
    run = await make_run(3)
    await clients.database.start_run(run.id)
    body = said["body"]
    suno.fail(
        "busy", status=said["http"], both=True, code=body["code"], message=body["msg"], times=0
    )
    submitted = suno.calls().count("submit")
    worker = wire_worker(clients, settings)
    for _ in range(5):
        records.make_due(run.id)
        await worker.work_once()

    assert suno.calls().count("submit") == submitted + 1
    reasons = [row["metadata"]["failure"]["reason"] for row in records.segments(run.id)]
    assert reasons == ["suno_account"] * 3, "which is what raises the alert `credits`"


async def test_created(scenario: Scenario) -> None:
    scenario.suno.fail("created", status=CASES["created"]["submit"]["http"])
    await scenario.submit()
    assert len(scenario.tasks) == 1


async def test_html_from_an_edge(scenario: Scenario) -> None:
    scenario.suno.fail("not_json", status=CASES["html_from_an_edge"]["submit"]["http"], times=3)
    await scenario.work()
    assert scenario.row["status"] == "generating"
    await scenario.submit()
    assert scenario.records.pauses(scenario.run.id) == [2, 4, 6]


@pytest.mark.usefixtures("long_tracks")
async def test_error_after_a_whole_track(scenario: Scenario) -> None:
    await scenario.submit()
    task = scenario.tasks[0]["task"]
    scenario.suno.fail(
        "record_status", times=0, status="FAILED", tracks=False, match={"task": task}
    )
    for event in CASES["error_after_a_whole_track"]["events"]:
        await scenario.tell(event)
    await scenario.work_until(scenario.is_complete)

    assert scenario.row["storage_path"] and scenario.metadata["suno_track_id"] == scenario.ids[0]
    assert len(scenario.tasks) == 1


# What Suno refuses to compose


ARTIST = "Slow felt piano, warm strings. In the style of Ludovico Einaudi, slow piano, 60 BPM"


def curated(index: int) -> str:
    preset = find_preset(PRESET)
    return clean_prompt(suno_style(preset, preset.segments[index].prompt))


async def artistic(make_run: MakeRun, scenario: Scenario, clients: Clients) -> Scenario:
    run = await make_run(prompt=ARTIST)
    await clients.database.start_run(run.id)
    return Scenario(run, scenario.worker, scenario.records, scenario.suno, scenario.service)


async def test_artist_in_the_prompt(
    scenario: Scenario, make_run: MakeRun, clients: Clients
) -> None:
    refusal = CASES["artist_in_the_prompt"]["submit"]["body"]
    scenario = await artistic(make_run, scenario, clients)
    await scenario.submit()
    sent = scenario.tasks[0]["payload"]["style"]
    assert sent == "Slow felt piano, warm strings., slow piano, 60 BPM"

    scenario = await artistic(make_run, scenario, clients)
    scenario.suno.fail("refused", code=refusal["code"], message=refusal["msg"])
    await scenario.submit()
    assert scenario.tasks[0]["payload"]["style"] == curated(0)
    assert refusal["msg"] in scenario.metadata["refused_prompts"][0]["message"]


async def test_what_suno_refused_is_told_and_never_sent_again(
    scenario: Scenario, clients: Clients, settings: Settings, make_run: MakeRun
) -> None:
    scenario = await artistic(make_run, scenario, clients)
    scenario.suno.fail(
        "refused",
        code=400,
        message="Your prompt contained an artist name",
        times=0,
        match={"segment": str(scenario.run.first)},
    )
    await scenario.work_until(lambda: scenario.records.run(scenario.run.id)["status"] == "failed")
    assert len(scenario.metadata["refused_prompts"]) == 3, "written, curated, bare facts"
    [fault] = scenario.suno.state()["faults"]
    assert fault["struck"] == 3

    # Repairs compose the failed runs of other tests again too, and those would fill Suno's quota.
    scenario.records.do("delete from public.parcours_runs where id <> %s", scenario.run.id)
    doctor_report = await run_checks(wire_doctor(clients, settings), fix=True)
    said = [one.message for one in doctor_report.findings]
    assert any("Your prompt contained an artist name" in words for words in said)
    await clients.queries.retry(scenario.run.first)
    # The doctor has put in hand what other tests left behind, too.
    await scenario.work_until(
        lambda: scenario.metadata.get("failure", {}).get("reason") == "prompts_used_up"
    )
    [fault] = scenario.suno.state()["faults"]
    assert fault["struck"] == 3, "no prompt is left to be sent"


# What cannot be heard


async def test_silent_file(scenario: Scenario) -> None:
    """A second task is bought when both tracks of the first stay silent, and only then."""
    await scenario.submit()
    a, b = scenario.ids
    scenario.suno.fail("silent", seconds=30, times=0, match={"track": a})
    scenario.suno.fail("silent", seconds=30, times=0, match={"track": b})
    asked = scenario.suno.calls().count("record-info")
    await scenario.tell(complete("a", "b", duration=TRACK_S))
    await scenario.work_until(lambda: len(scenario.tasks) == 2)

    assert scenario.suno.calls().count("record-info") == asked + 1, "a fresh address was asked for"
    assert not scenario.is_complete()


async def test_a_silent_track_makes_way_for_the_other(scenario: Scenario) -> None:
    await scenario.submit()
    a, b = scenario.ids
    scenario.suno.fail("silent", seconds=30, times=0, match={"track": a})
    await scenario.tell(complete("a", "b", duration=TRACK_S))
    await scenario.work_until(scenario.is_complete)

    assert scenario.metadata["suno_track_id"] == b
    assert len(scenario.tasks) == 1


async def test_silent_tail(scenario: Scenario) -> None:
    await scenario.submit()
    a, _ = scenario.ids
    scenario.suno.fail("silent_tail", sound_s=210, seconds=300, times=0, match={"track": a})
    await scenario.tell(complete("a", "b", duration=300))
    await scenario.work_until(scenario.is_complete)

    assert scenario.metadata["suno_track_id"] == a
    assert scenario.metadata["sound_end_seconds"] == pytest.approx(210, abs=0.3)
    assert scenario.row["duration_seconds"] == 300


async def test_a_silent_tail_beyond_what_was_announced_is_no_track(scenario: Scenario) -> None:
    await scenario.submit()
    a, b = scenario.ids
    scenario.suno.fail("silent_tail", sound_s=5, seconds=40, times=0, match={"track": a})
    await scenario.tell(complete("a", "b", duration=TRACK_S))
    await scenario.work_until(scenario.is_complete)

    assert scenario.metadata["suno_track_id"] == b
    assert "sound_end_seconds" not in scenario.metadata


@pytest.mark.parametrize(
    ("content", "noise"),
    [
        (b"ID3", 0),
        (b"ID3\4\0\0\0\0\0\0<!doctype html><title>Just a moment</title>" + b"<p>" * 5000, 0),
        (b"\xff\xfb<script>location = '/'</script>" + b" " * 5000, 0),
        (b"RIFF", 300_000),
        (b"\xff\xfb\x90\0\0", 0),
    ],
    ids=CASES["not_audio"]["download_bytes"],
)
async def test_not_audio(scenario: Scenario, content: bytes, noise: int) -> None:
    await scenario.submit()
    task = scenario.tasks[0]["task"]
    scenario.suno.fail("junk", hex=content.hex(), noise=noise, times=0, match={"task": task})
    await scenario.tell(complete("a", "b", duration=TRACK_S))
    await scenario.work_until(lambda: len(scenario.tasks) == 2)

    assert "segment.complete" not in scenario.records.events(scenario.run.id)


async def test_redirect_that_cannot_be_parsed(scenario: Scenario) -> None:
    location = CASES["redirect_that_cannot_be_parsed"]["download"]["location"]
    await scenario.submit()
    scenario.suno.fail("redirect", url=location, times=0, match={"media": "file"})
    asked = scenario.suno.calls().count("record-info")
    await scenario.tell(complete("a", duration=TRACK_S))
    await scenario.work_until(lambda: scenario.row["status"] == "failed")

    [fault] = [known for known in scenario.suno.state()["faults"] if known["fault"] == "redirect"]
    assert fault["struck"] == 1, "one try"
    assert scenario.suno.calls().count("record-info") == asked
    assert scenario.metadata["failure"]["reason"] == "url_refused"


async def test_a_large_file_is_handed_on_only_when_it_is_music(scenario: Scenario) -> None:
    await scenario.submit()
    a, _ = scenario.ids
    scenario.suno.fail("oversized", times=0, match={"track": a})
    await scenario.tell(complete("a", duration=TRACK_S))
    await scenario.work_until(scenario.is_complete)
    assert scenario.row["final_url"].endswith(f"{a}.mp3")
