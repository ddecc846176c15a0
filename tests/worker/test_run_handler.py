"""What a worker does for a run in hand: segment after segment, question after question."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import anyio
import pytest

from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.clients.suno_events import Source, SunoError, SunoEvent, SunoTrack
from parcours_xl.settings import Settings
from parcours_xl.wiring import wire_worker
from parcours_xl.worker import handlers
from parcours_xl.worker.worker import Worker
from tests.fixtures.delivery import compose, deliver
from tests.fixtures.records import NewRun, Records
from tests.fixtures.service import MakeSettings
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.vendors import FINISHED, Vendor
from tests.fixtures.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet", "suno")]

QUEUE = "parcours_generation"


@pytest.fixture
async def run(clients: Clients, make_run: MakeRun) -> NewRun:
    """In hand, nothing done yet."""
    run = await make_run(2)
    await clients.database.start_run(run.id)
    return run


class Hand:
    """Looks at one run, and lets time pass for it."""

    def __init__(self, worker: Worker, clients: Clients, records: Records, run: NewRun):
        self._worker = worker
        self._clients = clients
        self._records = records
        self.run = run

    async def work(self) -> dict[str, int]:
        """Have the worker do what is due, as if it were looked at just now."""
        self._records.make_due(self.run.id)
        return dict(await self._worker.work_once())

    async def later(self, seconds: float, place: int = 0) -> dict[str, int]:
        self._records.age(self.run.segment_ids[place], seconds)
        return await self.work()

    def row(self, place: int = 0) -> dict[str, Any]:
        return self._records.segment(self.run.segment_ids[place])

    def facts(self, place: int = 0) -> dict[str, Any]:
        facts: dict[str, Any] = self.row(place)["metadata"]
        return facts

    def failure(self, place: int = 0) -> dict[str, Any]:
        assert self.row(place)["status"] == "failed"
        failure: dict[str, Any] = self.facts(place)["failure"]
        return failure

    def in_hand(self) -> bool:
        return bool(self._records.jobs(QUEUE, self.run.id))

    async def hear(
        self, stage: str, *, place: int = 0, token: UUID | None = None, **track: Any
    ) -> bool:
        row = self.row(place)
        error = SunoError(500, "no", again=True) if stage == "error" else None
        tracks = () if error else (SunoTrack(**track),)
        # Only Suno's own record fails an attempt.
        source: Source = "record_info" if error else "callback"
        event = SunoEvent(stage, source, row["suno_task_id"], tracks, error)
        return await self._clients.database.record_callback(
            row["id"], token or row["callback_token"], event
        )


@pytest.fixture
def hand(worker: Worker, clients: Clients, records: Records, run: NewRun) -> Hand:
    return Hand(worker, clients, records, run)


# One after the other


async def test_segments_are_composed_one_after_the_other_until_the_run_is_ready(
    hand: Hand, suno: Vendor, records: Records, run: NewRun
) -> None:
    for place in (0, 1):
        assert await hand.work() == {"submitted": 1}
        assert hand.row(place)["status"] == "generating"
        assert await hand.work() == {}, "nothing is due while Suno composes"
        music = compose(suno)
        await hand.hear("first", place=place, stream_url="https://suno.ai/1")
        assert await hand.work() == {}, "a preview is not yet a track"
        await hand.hear("complete", place=place, download_url=music.urls[0], trusted=True)
        # The steps are looked at before the tracks: the next segment waits for this one's track.
        assert await hand.work() == {"stored": 1}
        assert hand.row(place)["status"] == "complete"
    assert records.run(run.id)["status"] == "ready"
    assert hand.in_hand()
    assert await hand.work() == {"settled": 1}
    assert not hand.in_hand()
    assert records.events(run.id).count("segment.claimed") == 2
    assert [len(suno.tasks_of(segment)) for segment in run.segment_ids] == [1, 1]


async def test_a_single_segment_that_was_asked_for_is_watched_and_no_more(
    worker: Worker, clients: Clients, make_run: MakeRun, records: Records, suno: Vendor
) -> None:
    run = await make_run(2)
    hand = Hand(worker, clients, records, run)
    await deliver(clients, run, compose(suno))
    assert await hand.work() == {"stored": 1}
    assert await hand.work() == {"settled": 1}
    assert hand.row(1)["status"] == "queued" and not hand.in_hand()


async def test_an_erased_run_is_let_go(hand: Hand, records: Records, run: NewRun) -> None:
    records.do("delete from public.parcours_runs where id = %s", run.id)
    assert "submitted" not in await hand.work()
    assert not hand.in_hand()


async def test_two_workers_submit_a_segment_once(
    hand: Hand, worker: Worker, settings: Settings, clients: Clients, suno: Vendor, run: NewRun
) -> None:
    step = (await clients.database.next_steps(1, 60))[0]
    # The lease of the first has run out while it was at it.
    other = wire_worker(clients, settings)
    hand._records.make_due(run.id)
    assert dict(await other.work_once()) == {"submitted": 1}
    assert await handlers.RunHandler(clients.database, clients.suno, settings).do(step) == "skipped"
    assert len(suno.tasks_of(run.first)) == 1


# What Suno refuses


async def test_a_segment_refused_for_good_does_not_stop_the_others(
    hand: Hand, suno: Vendor, records: Records, run: NewRun
) -> None:
    suno.fail("refused")
    assert await hand.work() == {"refused": 1}
    assert (hand.failure()["reason"], hand.failure()["again"]) == ("suno_refused", False)
    assert await hand.work() == {"submitted": 1}
    await hand.hear("complete", place=1, download_url=compose(suno).urls[0], trusted=True)
    assert await hand.work() == {"stored": 1}
    assert records.run(run.id)["status"] == "failed"
    assert await hand.work() == {"settled": 1}


@pytest.mark.parametrize("fault", ["no_credits", "bad_key"])
async def test_without_credits_or_a_key_the_run_ends_at_once(
    hand: Hand, suno: Vendor, records: Records, run: NewRun, fault: str
) -> None:
    suno.fail(fault)
    asked = len(suno.calls())
    assert await hand.work() == {"refused": 1}
    assert [hand.failure(place)["reason"] for place in (0, 1)] == ["suno_account"] * 2
    assert records.run(run.id)["status"] == "failed"
    assert await hand.work() == {"settled": 1}
    assert len(suno.calls()) == asked + 1


async def test_a_passing_refusal_is_tried_again_after_2_4_and_6_seconds(
    hand: Hand, suno: Vendor, records: Records, run: NewRun
) -> None:
    suno.fail("maintenance", times=4)
    assert await hand.work() == {"refused": 1}
    for pause_s in (2, 4, 6):
        assert hand.row()["status"] == "generating"
        assert await hand.later(pause_s) == {"refused": 1}
    assert records.pauses(run.id) == [2, 4, 6]
    assert (hand.failure()["reason"], hand.failure()["again"]) == ("suno_busy", True)
    assert hand.facts()["attempts"] == 1
    facts = records.run(run.id)["metadata"]
    assert facts["retry_at"] and facts["retry_reason"] == "suno_busy", "its owner is told"
    assert await hand.work() == {}, "and waits for a minute"


async def test_a_refusal_is_not_tried_again_before_it_is_due(
    make_settings: MakeSettings, clients: Clients, make_run: MakeRun, records: Records, suno: Vendor
) -> None:
    run = await make_run()
    settings = make_settings(retry_pauses_s=(60,))
    async with open_clients(settings) as patient:
        await patient.database.start_run(run.id)
        hand = Hand(wire_worker(patient, settings), patient, records, run)
        suno.fail("maintenance")
        assert await hand.work() == {"refused": 1}
        assert await hand.later(40) == {}
        assert await hand.later(20) == {"submitted": 1}


async def test_a_refusal_that_passes_is_one_attempt(hand: Hand, suno: Vendor, run: NewRun) -> None:
    suno.fail("rate_limited", times=2)
    assert await hand.work() == {"refused": 1}
    assert await hand.later(2) == {"refused": 1}
    assert await hand.later(4) == {"submitted": 1}
    assert hand.facts()["attempts"] == 1
    assert len(suno.tasks_of(run.first)) == 1


# What Suno never answers


async def test_a_submission_without_an_answer_is_a_new_attempt_after_90_seconds(
    hand: Hand, suno: Vendor, run: NewRun
) -> None:
    suno.fail("no_answer")
    assert await hand.work() == {"refused": 1}
    token = hand.row()["callback_token"]
    assert await hand.later(70) == {}
    assert hand.row()["callback_token"] == token
    assert await hand.later(20) == {"queued": 1}
    assert hand.row()["callback_token"] != token
    assert await hand.work() == {"submitted": 1}
    assert hand.facts()["attempts"] == 2


async def test_a_callback_proves_that_suno_took_what_it_never_answered(
    hand: Hand, suno: Vendor, run: NewRun
) -> None:
    suno.fail("no_answer")
    await hand.work()
    await hand.hear("first", id="a", stream_url="https://suno.ai/1")
    assert await hand.later(120) == {}
    assert hand.row()["status"] == "first"
    assert len(suno.tasks_of(run.first)) == 1


async def test_an_answer_that_comes_too_late_is_of_no_attempt(
    hand: Hand, suno: Vendor, clients: Clients
) -> None:
    suno.fail("no_answer")
    await hand.work()
    token = hand.row()["callback_token"]
    await hand.later(90)
    assert await clients.database.record_task(hand.row()["id"], token, "late-task") == "late"
    assert hand.row()["suno_task_id"] is None


# What is asked, and when


@pytest.fixture
async def under_way(hand: Hand, suno: Vendor) -> Hand:
    """Submitted; Suno composes, and says nothing."""
    assert await hand.work() == {"submitted": 1}
    suno.fail("record_status", status="PENDING", times=0)
    return hand


def questions(suno: Vendor) -> int:
    return suno.calls().count("record-info")


def is_finished(suno: Vendor, run: NewRun) -> bool:
    return suno.task_of(run.first)["status"] in FINISHED


async def test_suno_is_asked_at_90_at_240_and_at_300_seconds_and_then_given_up(
    under_way: Hand, suno: Vendor, records: Records, run: NewRun
) -> None:
    before = questions(suno)
    token = under_way.row()["callback_token"]
    for wait_s in (90, 150, 60):
        assert await under_way.later(wait_s - 20) == {}
        assert await under_way.later(20) == {"asked": 1}
        assert await under_way.work() == ({} if wait_s != 60 else {"failed": 1})
    assert questions(suno) == before + 3
    assert (under_way.failure()["reason"], under_way.failure()["again"]) == ("timeout", False)
    assert under_way.row()["callback_token"] == token, "music that comes later is welcome"


async def test_music_that_comes_after_the_time_out_heals_the_run(
    under_way: Hand, suno: Vendor, records: Records, run: NewRun
) -> None:
    for _ in range(3):
        await under_way.later(300)
    assert under_way.failure()["reason"] == "timeout"
    suno.recover()
    music = compose(suno)
    assert await under_way.hear("complete", download_url=music.urls[0], trusted=True)
    assert (await under_way.work())["stored"] == 1
    row = under_way.row()
    assert row["status"] == "complete" and "failure" not in row["metadata"]


async def test_with_a_preview_suno_is_asked_at_240_seconds_only(
    under_way: Hand, suno: Vendor
) -> None:
    await under_way.hear("first", id="a", stream_url="https://suno.ai/1")
    assert await under_way.later(220) == {}
    assert await under_way.later(20) == {"asked": 1}
    assert await under_way.later(30) == {}


async def test_what_suno_says_is_learned(under_way: Hand, suno: Vendor, run: NewRun) -> None:
    suno.recover()
    await until(lambda: is_finished(suno, run))
    assert await under_way.later(90) == {"learned": 1, "stored": 1}
    assert under_way.row()["status"] == "complete"


async def test_a_failure_that_suno_admits_is_a_new_attempt(
    under_way: Hand, suno: Vendor, run: NewRun
) -> None:
    suno.recover()
    suno.fail("record_status", status="GENERATE_AUDIO_FAILED", tracks=False)
    assert await under_way.later(90) == {"learned": 1}
    assert under_way.failure()["again"] is True
    assert await under_way.work() == {"queued": 1}
    assert await under_way.work() == {"submitted": 1}


async def test_forbidden_words_are_tried_again_in_other_words(
    under_way: Hand, suno: Vendor
) -> None:
    suno.recover()
    suno.fail("record_status", status="SENSITIVE_WORD_ERROR", tracks=False)
    assert await under_way.later(90) == {"learned": 1}
    assert (under_way.failure()["reason"], under_way.failure()["again"]) == ("suno_content", True)


async def test_a_suno_that_cannot_be_asked_is_asked_at_the_next_time(
    under_way: Hand, suno: Vendor, run: NewRun
) -> None:
    suno.recover()
    await until(lambda: is_finished(suno, run))
    suno.fail("server_error", match={"call": "record-info"})
    assert await under_way.later(90) == {"asked": 1}
    assert await under_way.later(150) == {"learned": 1, "stored": 1}


async def test_a_complete_without_music_is_asked_about_and_not_believed(
    under_way: Hand, suno: Vendor, run: NewRun
) -> None:
    await until(lambda: is_finished(suno, run))
    await under_way.hear("complete")
    assert under_way.row()["status"] == "generating"
    suno.recover()
    assert await under_way.work() == {"learned": 1, "stored": 1}


async def test_nobody_is_asked_about_what_has_meanwhile_ended(
    under_way: Hand, clients: Clients, settings: Settings, records: Records, run: NewRun
) -> None:
    records.age(run.first, 90)
    records.make_due(run.id)
    (step,) = await clients.database.next_steps(1, 60)
    await under_way.hear("error")
    await clients.database.retry_segment(run.first)
    assert await handlers.RunHandler(clients.database, clients.suno, settings).do(step) == "asked"


# How often


async def test_three_attempts_are_automatic_and_then_it_is_for_somebody_to_ask(
    hand: Hand, clients: Clients, suno: Vendor, records: Records, run: NewRun
) -> None:
    for attempt in (1, 2, 3):
        assert await hand.work() == {"submitted": 1}
        assert hand.facts()["attempts"] == attempt
        await hand.hear("error")
        if attempt < 3:
            assert hand.failure()["again"] is True
            assert records.run(run.id)["status"] == "creating"
            assert await hand.work() == {"queued": 1}
    assert hand.failure()["again"] is False
    assert await hand.work() == {"submitted": 1}, "the second segment has its turn"
    await hand.hear("complete", place=1, download_url=compose(suno).urls[0], trusted=True)
    await hand.work()
    assert records.run(run.id)["status"] == "failed"
    assert await hand.work() == {"settled": 1}
    await clients.database.start_run(run.id)
    assert await hand.work() == {"submitted": 1}
    assert hand.facts()["attempts"] == 4


async def test_when_every_attempt_is_used_up_the_run_is_let_go(
    make_settings: MakeSettings, clients: Clients, records: Records, make_run: MakeRun, suno: Vendor
) -> None:
    """A deployment lowered its limit while the run was in hand."""
    run = await make_run()
    await clients.database.start_run(run.id)
    settings = make_settings(attempts_max=1, attempts_automatic=1)
    async with open_clients(settings) as stricter:
        hand = Hand(wire_worker(clients, make_settings()), clients, records, run)
        await hand.work()
        await hand.hear("error")
        assert await hand.work() == {"queued": 1}
        strict = Hand(wire_worker(stricter, settings), stricter, records, run)
        assert await strict.work() == {"failed": 1}
        assert strict.failure()["reason"] == "attempts_used_up"
        assert await strict.work() == {"settled": 1}
    assert records.run(run.id)["status"] == "failed"
    assert len(suno.tasks_of(run.first)) == 1


# How many


@pytest.fixture
async def narrow(make_settings: MakeSettings) -> AsyncIterator[tuple[Settings, Clients]]:
    """One request of Suno a second."""
    settings = make_settings(suno_requests_max=1, suno_requests_window_s=0.4)
    async with open_clients(settings) as clients:
        yield settings, clients


async def test_a_full_quota_hands_the_step_back_to_whoever_is_next(
    narrow: tuple[Settings, Clients], make_run: MakeRun, records: Records
) -> None:
    settings, clients = narrow
    runs = [await make_run(), await make_run()]
    for run in runs:
        await clients.database.start_run(run.id)
    worker = wire_worker(clients, settings)
    assert dict(await worker.work_once()) == {"submitted": 1, "handed_back": 1}
    ended = Counter[str]()
    while not ended["submitted"]:
        await anyio.sleep(0.1)
        ended += await worker.work_once()
    assert {records.segment(run.first)["status"] for run in runs} == {"generating"}


async def test_while_the_quota_is_full_the_step_waits_for_a_slot(
    make_settings: MakeSettings, make_run: MakeRun, records: Records
) -> None:
    settings = make_settings(suno_requests_max=1, suno_requests_window_s=30)
    run = await make_run()
    async with open_clients(settings) as clients:
        await clients.database.start_run(run.id)
        await clients.database.reserve_suno_request()
        assert dict(await wire_worker(clients, settings).work_once()) == {}
    (job,) = records.jobs(QUEUE, run.id)
    assert 25 < job["waits_s"] <= 31
    assert records.segment(run.first)["status"] == "queued"


async def test_a_worker_takes_a_step_for_no_more_runs_than_it_may(
    make_settings: MakeSettings, clients: Clients, make_run: MakeRun
) -> None:
    for _ in range(3):
        await clients.database.start_run((await make_run()).id)
    worker = wire_worker(clients, make_settings(steps_max=2))
    assert dict(await worker.work_once()) == {"submitted": 2}
    assert dict(await worker.work_once()) == {"submitted": 1}


async def test_a_step_that_only_the_worker_cannot_read_stops_no_other(
    worker: Worker, clients: Clients, make_run: MakeRun, records: Records, run: NewRun
) -> None:
    other = await make_run()
    for one in (run, other):
        await clients.database.start_run(one.id)
    records.do(
        "update pgmq.q_parcours_generation set message = message || '{\"request_id\": 5}'"
        " where message->>'run_id' = %s",
        str(run.id),
    )
    assert dict(await worker.work_once()) == {"submitted": 1}
    assert records.segment(other.first)["suno_task_id"]
