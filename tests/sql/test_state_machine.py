"""Stateful tests: whatever is called, in whatever order, the invariants hold."""

import os
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from parcours_xl.clients.suno_events import SunoEvent
from tests.sql.callers import OWNER, Refusal
from tests.sql.invariants import check
from tests.sql.journeys import (
    Attempt,
    Journey,
    complete,
    create_journey,
    error,
    first,
    other,
    track,
)
from tests.sql.worker import Worker, bring_to_an_end
from tests.sql.world import LIMITS, World

# The bounds are low, so that a life comes to them.
TIGHT = LIMITS | {"attempts_automatic": 2, "attempts_max": 4, "requests_max": 3}
CARE = {"stuck_s": 300, "failed_age_s": 86_400, "restore_pause_s": 3600}
SEGMENTS, RUNS_MAX = 2, 3

DELIVERIES_MAX = 9
"""A job that was taken so often, and never done, is a dead letter when it is taken once more."""

# A longer search: STATEFUL_EXAMPLES=2000 takes about 100,000 steps.
EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "60"))

ANSWERS = st.sampled_from(["taken"] * 5 + ["silent", "later", "for_good", "account"])
SAYINGS = st.sampled_from(
    [
        *("complete", "complete", "first", "first", "text"),
        *("no music", "refused", "untrusted", "error", "final"),
    ]
)
HEARD = st.sampled_from(["complete", "first", "pending", "no music"])
STORED = st.sampled_from(["well", "well", "well", "linked", "failed", "died"])
SECONDS = st.sampled_from([3, 11, 61, 95, 245, 305])
ANY = st.integers(0, 5)
"""Which one of several: 0 is the newest."""


def say(attempt: Attempt, saying: str, **others: Any) -> SunoEvent:
    """An event of Suno's."""
    match saying:
        case "first":
            return first(attempt, **others)
        case "complete":
            return complete(attempt, **others)
        case "no music":
            return complete(attempt, track(download_url=None), **others)
        case "refused":
            no_url = track(download_url=None, refused_host="10.0.0.1")
            return complete(attempt, no_url, **others)
        case "untrusted":
            return complete(attempt, track(trusted=False), **others)
        case "error" | "final":
            source = others.pop("source", "callback")
            return error(attempt, again=saying == "error", source=source, **others)
        case _:
            return other(saying, attempt, **others)


class SegmentStateMachine(RuleBasedStateMachine):
    """Runs, and everybody who touches them. Each example begins with an empty database."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.erase()
        self.worker = Worker(self.world.service, TIGHT)
        self.runs: list[Journey] = []
        self.attempts: list[Attempt] = []
        self.tokens_now: dict[UUID, UUID] = {}
        self.tokens_ever: set[UUID] = set()

    # Users

    @initialize(started=st.booleans(), answer=ANSWERS)
    def begin(self, started: bool, answer: str) -> None:
        self.create()
        if started:
            self.start(0)
        self.generate(0, 0, answer)

    @precondition(lambda self: len(self.runs) < RUNS_MAX)
    @rule()
    def create(self) -> None:
        self.runs.append(create_journey(self.world, SEGMENTS, TIGHT))

    @rule(which=ANY)
    def start(self, which: int) -> None:
        self._ask("start_run", run_id=self._run(which).id, limits=TIGHT)

    @rule(which=ANY)
    def ask_again(self, which: int) -> None:
        self._ask("start_run", run_id=self._run(which).id, limits=TIGHT, user_id=OWNER)

    @rule(which=ANY)
    def give_up(self, which: int) -> None:
        self._ask("cancel_run", run_id=self._run(which).id, user_id=OWNER)

    @precondition(lambda self: len(self.runs) == RUNS_MAX)
    @rule(which=ANY)
    def erase(self, which: int) -> None:
        run = self._run(which)
        self.runs.remove(run)
        self.world.postgres.do("delete from public.parcours_runs where id = %s", run.id)

    # The service

    @rule(answer=ANSWERS, heard=HEARD)
    def work(self, answer: str, heard: str) -> None:
        for step in self.worker.take_steps(quantity=1):
            if step["action"] == "submit":
                self._submit(UUID(step["segment_id"]), step["callback_token"], answer)
            else:
                self.worker.do(step, lambda attempt: say(attempt, heard, source="record_info"))

    @rule(which=ANY, place=st.integers(0, SEGMENTS - 1), answer=ANSWERS)
    def generate(self, which: int, place: int, answer: str) -> None:
        self._submit(self._run(which).segment_id(place), None, answer)

    @rule(how=STORED)
    def store(self, how: str) -> None:
        for job in self.worker.take_jobs(quantity=1):
            if how == "linked" and job["current"] and job["kind"] == "store":
                names = {"segment_id": job["segment_id"], "token": job["callback_token"]}
                url = {"storage_path": None, "final_url": job["download_url"]}
                self.world.service.call("record_track", **names, **url)
            elif how != "died":
                self.worker.store(job, well=how != "failed")

    @rule()
    def die_with_a_step(self) -> None:
        self.worker.take_steps(quantity=1)

    @rule(of_tracks=st.booleans())
    def die_with_everything_until_it_is_given_up(self, of_tracks: bool) -> None:
        for _ in range(DELIVERIES_MAX + 1):
            taken = self.worker.take_jobs() if of_tracks else self.worker.take_steps()
            if not taken:
                return
            self.world.let_pass_of_queues(61)

    @rule()
    def repair(self) -> None:
        self._ask("requeue_dead_letters")

    # Suno, and who pretends to be Suno

    @precondition(lambda self: self.attempts)
    @rule(which=ANY, saying=SAYINGS, names_the_task=st.booleans())
    def call_back(self, which: int, saying: str, names_the_task: bool) -> None:
        attempt = self._attempt(which)
        named = {} if names_the_task else {"task_id": None}
        self.worker.tell(attempt, say(attempt, saying, **named))

    @precondition(lambda self: self.attempts)
    @rule(which=ANY, heard=st.booleans(), twice=st.booleans())
    def all_goes_well(self, which: int, heard: bool, twice: bool) -> None:
        self.work("taken", "complete")
        attempt = self._attempt(which)
        for saying in ["first"] * heard + ["complete"] * (1 + twice):
            self.worker.tell(attempt, say(attempt, saying))
        self.store("well")

    @precondition(lambda self: self.attempts)
    @rule(which=ANY, saying=SAYINGS)
    def forge(self, which: int, saying: str) -> None:
        attempt = self._attempt(which)
        forged = Attempt(attempt.segment_id, uuid4(), attempt.task_id, 0)
        answer = self.worker.tell(forged, say(forged, saying))
        assert answer == {"outcome": "skipped"} or answer.sqlstate == "PT401"

    @rule(which=ANY, place=st.integers(0, SEGMENTS - 1), saying=SAYINGS, named=st.booleans())
    def forge_as_the_owner(self, which: int, place: int, saying: str, named: bool) -> None:
        """An owner can read the token of every segment of theirs, claimed or not."""
        segment = self._run(which).segment(place)
        token = segment["callback_token"] or uuid4()
        forged = Attempt(segment["id"], token, "invented" if named else "", 0)
        answer = self.worker.tell(
            forged, say(forged, saying, task_id="invented" if named else None)
        )
        if segment["status"] == "queued":
            assert answer.sqlstate == "PT401"
            assert self._run(which).segment(place) == segment

    @rule(which=ANY, how=st.sampled_from(["finish_job", "postpone_job", "handed_back"]))
    def meddle_with_a_message(self, which: int, how: str) -> None:
        """Whoever has the service key, with a receipt of whatever job."""
        for queue, kind in (("parcours_generation", "generation"), ("parcours_tracks", "tracks")):
            rows = self.world.postgres.rows(
                "select msg_id, read_ct from pgmq.q_parcours_generation where %s = 'generation'"
                " union all select msg_id, read_ct from pgmq.q_parcours_tracks where %s = 'tracks'",
                kind, kind,
            )  # fmt: skip
            if not rows or (kind, how) == ("tracks", "finish_job"):
                continue
            receipt = rows[which % len(rows)] | {"queue": queue}
            if how != "finish_job":
                receipt |= {"seconds": 0, "handed_back": how == "handed_back"}
            self._ask("finish_job" if how == "finish_job" else "postpone_job", **receipt)

    @rule(which=ANY, place=st.integers(0, SEGMENTS - 1))
    def doctor(self, which: int, place: int) -> None:
        run = self._run(which)
        segment = run.segment(place)
        self._ask("reactivate_run", run_id=run.id, limits=TIGHT | CARE)
        self._ask("requeue_track", segment_id=segment["id"], token=segment["callback_token"])
        self._ask("retry", id=segment["id"], limits=TIGHT | CARE)

    @precondition(lambda self: self.attempts)
    @rule(which=ANY)
    def ask(self, which: int) -> None:
        attempt = self._attempt(which)
        self._ask("reserve_question", **attempt.names, limits=TIGHT)

    @precondition(lambda self: self.attempts)
    @rule(which=ANY)
    def record_task_late(self, which: int) -> None:
        attempt = self._attempt(which)
        self.world.service.call("record_task", **attempt.names, task_id=attempt.task_id)

    # Operators, and time

    @rule(which=ANY, place=st.integers(0, SEGMENTS - 1))
    def retry(self, which: int, place: int) -> None:
        segment_id = self._run(which).segment_id(place)
        self._ask("retry_segment", segment_id=segment_id, limits=TIGHT)

    @rule(which=ANY)
    def release(self, which: int) -> None:
        self._ask("release_run", run_id=self._run(which).id)

    @rule(seconds=SECONDS)
    def let_pass(self, seconds: int) -> None:
        self.world.let_pass(seconds)

    # What must hold

    @invariant()
    def everything_agrees(self) -> None:
        check(self.world.postgres)

    @invariant()
    def a_token_never_comes_back(self) -> None:
        rows = self.world.postgres.rows(
            "select id, callback_token as token from public.parcours_segments"
            " where callback_token is not null"
        )
        for row in rows:
            if self.tokens_now.get(row["id"]) != row["token"]:
                assert row["token"] not in self.tokens_ever
                self.tokens_now[row["id"]] = row["token"]
                self.tokens_ever.add(row["token"])

    def teardown(self) -> None:
        """Every life can be brought to its end: all the music, or no attempt left."""
        if not self.runs:
            return
        bring_to_an_end(self.world, self.runs)
        check(self.world.postgres)
        for run in self.runs:
            assert run.status in ("ready", "failed")
            for segment in run.segments:
                exhausted = segment["metadata"]["attempts"] >= TIGHT["attempts_max"]
                assert segment["status"] == "complete" or exhausted
        jobs = "select count(*) from pgmq.q_parcours_tracks"
        assert self.world.postgres.value(jobs) == 0

    def _run(self, which: int) -> Journey:
        return self.runs[-1 - which % len(self.runs)]

    def _attempt(self, which: int) -> Attempt:
        return self.attempts[-1 - which % len(self.attempts)]

    def _ask(self, function: str, **arguments: Any) -> Any:
        return self.world.service.attempt(function, **arguments)

    def _submit(self, segment_id: UUID, token: str | None, answer: str) -> None:
        """A claim; Suno takes it, refuses it, or says nothing."""
        if answer == "taken":
            attempt = self.worker.submit(segment_id, token)
            self.attempts += [attempt] if attempt else []
            return
        claim = self._ask("claim_segment", limits=TIGHT, segment_id=segment_id)
        if isinstance(claim, Refusal) or claim["outcome"] == "skipped":
            return
        attempt = Attempt(segment_id, UUID(claim["callback_token"]), str(uuid4()), claim["slot"])
        self.attempts.append(attempt)
        if answer != "silent":
            self.world.service.call("answer_suno_request", slot=attempt.slot)
            refusal = {"kind": answer, "limits": TIGHT, "code": 500}
            self.world.service.call("record_refusal", **attempt.names, **refusal)


def test_whatever_is_called_in_whatever_order_everything_agrees(world: World) -> None:
    SegmentStateMachine.world = world
    run_state_machine_as_test(
        SegmentStateMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=50,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
