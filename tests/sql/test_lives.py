"""Any life a run can have: whatever is called, in whatever order, the invariants hold."""

from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

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
SEGMENTS, RUNS_MAX = 2, 3

ANSWERS = st.sampled_from(["taken", "taken", "silent", "later", "for_good", "account"])
SAYINGS = st.sampled_from(
    ["text", "first", "complete", "complete", "no music", "refused", "untrusted", "error", "final"]
)
SECONDS = st.sampled_from([1, 3, 11, 61, 95, 245, 305, 3700])
PLACES = st.integers(0, SEGMENTS - 1)


def say(attempt: Attempt, saying: str, **others: Any) -> Any:
    """An event of Suno's."""
    match saying:
        case "text" | "pending":
            return other(saying, attempt, **others)
        case "first":
            return first(attempt, **others)
        case "complete":
            return complete(attempt, **others)
        case "no music":
            return complete(attempt, track(download_url=None), **others)
        case "refused":
            host = {"download_url": None, "refused_host": "10.0.0.1"}
            return complete(attempt, track(**host), **others)
        case "untrusted":
            return complete(attempt, track(trusted=False), **others)
        case _:
            return error(attempt, again=saying == "error", **others)


class Lives(RuleBasedStateMachine):
    """Runs, and everybody who touches them. Each example begins with an empty database."""

    world: World

    runs = Bundle("runs")
    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.world.erase()
        self.worker = Worker(self.world.service, TIGHT)
        self.alive: list[Journey] = []
        self.tokens: dict[UUID, UUID] = {}
        self.tokens_ever: set[UUID] = set()

    @initialize(target=runs)
    def begin(self) -> Journey:
        return self._create()

    # Users

    @rule(target=runs)
    def create(self) -> Any:
        return self._create() if len(self.alive) < RUNS_MAX else multiple()

    @rule(run=runs)
    def start(self, run: Journey) -> None:
        self.world.service.attempt("start_run", run_id=run.id, limits=TIGHT)

    @rule(run=runs)
    def ask_again(self, run: Journey) -> None:
        asked = {"run_id": run.id, "limits": TIGHT, "user_id": OWNER}
        self.world.service.attempt("start_run", **asked)

    @rule(run=runs)
    def give_up(self, run: Journey) -> None:
        self.world.service.attempt("cancel_run", run_id=run.id, user_id=OWNER)

    @rule(run=runs)
    def erase(self, run: Journey) -> None:
        if len(self.alive) > 1 and run in self.alive:
            self.alive.remove(run)
            self.world.postgres.do("delete from public.parcours_runs where id = %s", run.id)

    # The service

    @rule(target=attempts, run=runs, place=PLACES, answer=ANSWERS)
    def generate(self, run: Journey, place: int, answer: str) -> Any:
        return self._submit(run.segment_id(place), None, answer)

    @rule(target=attempts, answer=ANSWERS, heard=st.sampled_from(["pending", "first", "complete"]))
    def work(self, answer: str, heard: str) -> Any:
        for step in self.worker.take_steps(quantity=1):
            if step["action"] == "submit":
                return self._submit(UUID(step["segment_id"]), step["callback_token"], answer)
            self.worker.do(step, lambda attempt: say(attempt, heard, source="record_info"))
        return multiple()

    @rule()
    def die_with_a_step(self) -> None:
        self.worker.take_steps(quantity=1)

    @rule(how=st.sampled_from(["stored", "stored", "linked", "failed", "died"]))
    def store(self, how: str) -> None:
        for job in self.worker.take_jobs(quantity=1):
            if how == "linked" and job["current"] and job["kind"] == "store":
                names = {"segment_id": job["segment_id"], "token": job["callback_token"]}
                url = {"storage_path": None, "final_url": job["download_url"]}
                self.world.service.call("record_track", **names, **url)
            elif how != "died":
                self.worker.store(job, well=how != "failed")

    # Suno, and who pretends to be Suno

    @rule(attempt=attempts, saying=SAYINGS)
    def call_back(self, attempt: Attempt, saying: str) -> None:
        self.worker.tell(attempt, say(attempt, saying))

    @rule(attempt=attempts, saying=SAYINGS)
    def call_back_in_the_runbook_s_shape(self, attempt: Attempt, saying: str) -> None:
        self.worker.tell(attempt, say(attempt, saying, task_id=None))

    @rule(attempt=attempts, saying=SAYINGS)
    def forge(self, attempt: Attempt, saying: str) -> None:
        forged = Attempt(attempt.segment_id, uuid4(), attempt.task_id, 0)
        answer = self.worker.tell(forged, say(forged, saying))
        assert answer == {"outcome": "skipped"} or answer.sqlstate == "PT401"

    @rule(attempt=attempts)
    def record_task_late(self, attempt: Attempt) -> None:
        self.world.service.call("record_task", **attempt.names, task_id=attempt.task_id)

    # Operators

    @rule(run=runs, place=PLACES)
    def retry(self, run: Journey, place: int) -> None:
        segment_id = run.segment_id(place)
        self.world.service.attempt("retry_segment", segment_id=segment_id, limits=TIGHT)

    @rule(run=runs)
    def release(self, run: Journey) -> None:
        self.world.service.attempt("release_run", run_id=run.id)

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
            if self.tokens.get(row["id"]) != row["token"]:
                assert row["token"] not in self.tokens_ever
            self.tokens[row["id"]] = row["token"]
            self.tokens_ever.add(row["token"])

    def teardown(self) -> None:
        """Every life can be brought to its end: all the music, or no attempt left."""
        if not self.alive:
            return
        bring_to_an_end(self.world, self.alive)
        check(self.world.postgres)
        for run in self.alive:
            assert run.status in ("ready", "failed")
            for segment in run.segments:
                exhausted = segment["metadata"]["attempts"] >= TIGHT["attempts_max"]
                assert segment["status"] == "complete" or exhausted
        left = "select count(*) from pgmq.q_parcours_tracks"
        assert self.world.postgres.value(left) == 0

    def _create(self) -> Journey:
        run = create_journey(self.world, SEGMENTS, TIGHT)
        self.alive.append(run)
        return run

    def _submit(self, segment_id: UUID, token: str | None, answer: str) -> Any:
        """Claims; Suno answers, or does not. The attempt, when there is one."""
        if answer == "taken":
            return self.worker.submit(segment_id, token) or multiple()
        claim = self.world.service.attempt("claim_segment", limits=TIGHT, segment_id=segment_id)
        if isinstance(claim, Refusal) or claim["outcome"] == "skipped":
            return multiple()
        attempt = Attempt(segment_id, UUID(claim["callback_token"]), str(uuid4()), claim["slot"])
        if answer != "silent":
            self.world.service.call("answer_suno_request", slot=attempt.slot)
            refusal = {"kind": answer, "limits": TIGHT, "code": 500}
            self.world.service.call("record_refusal", **attempt.names, **refusal)
        return attempt


def test_whatever_is_called_in_whatever_order_everything_agrees(world: World) -> None:
    Lives.world = world
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
