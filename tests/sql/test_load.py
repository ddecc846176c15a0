"""Everything at once, over the same few runs: no deadlock, and in the end everything agrees."""

import random
import threading
import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest

from tests.sql.callers import OWNER, Caller
from tests.sql.concurrency import at_once
from tests.sql.invariants import check
from tests.sql.journeys import Attempt, Journey, complete, create_journey, error, first
from tests.sql.worker import Worker, bring_to_an_end
from tests.sql.world import LIMITS, World

RUNS, SEGMENTS, LOAD_S = 4, 3, 4
CALLS_MIN, LOAD_S_MAX = 1000, 60
# No waiting: every deadline comes at once, and Suno takes whatever it is given.
HASTY = LIMITS | {
    "first_s": 0.02,
    "complete_s": 0.05,
    "give_up_s": 0.3,
    "unanswered_s": 0.02,
    "retry_s": [0, 0, 0],
    "attempts_max": 100_000,
    "requests_max": 100_000,
}


class LoadRun:
    """Callers who do not know of one another, until the time is over."""

    def __init__(self, world: World, journeys: list[Journey], seed: int) -> None:
        self.world = world
        self.users = world.twin()
        self.journeys = journeys
        self.seed = seed
        self.began = time.monotonic()
        self.calls = self.made_ready = 0
        self._counting = threading.Lock()

    def run(self) -> None:
        doers = [
            *(self.step, self.step, self.store, self.store),
            *(self.say, self.say, self.start, self.meddle, self.live),
        ]
        at_once([partial(self._repeat, do, place) for place, do in enumerate(doers)])

    def _repeat(self, do: Callable[[Worker, random.Random], None], place: int) -> None:
        chance = random.Random(self.seed * 100 + place)
        worker = Worker(self.world.another("service_role"), HASTY)
        while self._goes_on():
            do(worker, chance)
            with self._counting:
                self.calls += 1

    def _goes_on(self) -> bool:
        """For a while, and on a slow machine until enough has happened."""
        took_s = time.monotonic() - self.began
        enough = self.calls > CALLS_MIN and self.made_ready > RUNS
        return took_s < LOAD_S or (not enough and took_s < LOAD_S_MAX)

    def step(self, worker: Worker, chance: random.Random) -> None:
        for step in worker.take_steps(lease_s=chance.choice([0, 1])):
            worker.do(step)

    def store(self, worker: Worker, chance: random.Random) -> None:
        for job in worker.take_jobs(lease_s=chance.choice([0, 1])):
            worker.store(job, well=chance.random() < 0.8)

    def say(self, worker: Worker, chance: random.Random) -> None:
        segment = self._any_segment(worker.service, chance)
        if segment is not None:
            event = chance.choice([first, first, complete, complete, error])
            worker.tell(segment, event(segment))

    def start(self, worker: Worker, chance: random.Random) -> None:
        run_id = chance.choice(self.journeys).id
        worker.service.attempt("start_run", run_id=run_id, limits=HASTY, user_id=OWNER)

    def meddle(self, worker: Worker, chance: random.Random) -> None:
        """An operator: retries, generates, lets go."""
        journey = chance.choice(self.journeys)
        segment_id = journey.segment_id(chance.randrange(SEGMENTS))
        match chance.randrange(3):
            case 0:
                worker.service.attempt("retry_segment", segment_id=segment_id, limits=HASTY)
            case 1:
                worker.submit(segment_id)
            case 2:
                worker.service.attempt("release_run", run_id=journey.id)

    def live(self, worker: Worker, chance: random.Random) -> None:
        """A user: says how they feel, gives up, has a run that is ready (or any) erased."""
        place = chance.randrange(RUNS)
        run_id = self.journeys[place].id
        worker.service.do(
            "update public.parcours_runs set suds_mid = 4 where id = %s and status <> 'ready'",
            run_id,
        )
        if chance.random() < 0.1:
            worker.service.attempt("cancel_run", run_id=run_id, user_id=OWNER)
        ready = "select from public.parcours_runs where id = %s and status = 'ready'"
        is_ready = bool(worker.service.rows(ready, run_id))
        self.made_ready += is_ready
        if is_ready or chance.random() < 0.01:
            self.journeys[place] = create_journey(self.users, SEGMENTS, HASTY)
            worker.service.do("delete from public.parcours_runs where id = %s", run_id)

    def _any_segment(self, service: Caller, chance: random.Random) -> Attempt | None:
        rows = service.rows(
            "select id, callback_token, suno_task_id from public.parcours_segments"
            " where run_id = %s and callback_token is not null and metadata ? 'claimed_at'",
            chance.choice(self.journeys).id,
        )
        if not rows:
            return None
        row = chance.choice(rows)
        return Attempt(row["id"], row["callback_token"], row["suno_task_id"] or str(uuid4()), 0)


@pytest.fixture
def journeys(world: World) -> list[Journey]:
    return [create_journey(world, SEGMENTS, HASTY) for _ in range(RUNS)]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_of_calls_deadlocks_nowhere_and_leaves_everything_agreed(
    world: World, journeys: list[Journey], seed: int
) -> None:
    load_run = LoadRun(world, journeys, seed)
    load_run.run()
    assert load_run.calls > CALLS_MIN
    assert load_run.made_ready > RUNS
    check(world.postgres)
    bring_to_an_end(world, journeys)
    check(world.postgres)
    assert [journey.status for journey in journeys] == ["ready"] * RUNS
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    assert world.postgres.value(deadlocks) == 0
