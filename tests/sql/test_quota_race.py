"""However many ask, Suno never gets more than its quota in any window, by the database's clock."""

import threading
import time
from datetime import datetime
from functools import partial

import pytest

from tests.sql.callers import Caller, Refusal
from tests.sql.concurrency import at_once
from tests.sql.journeys import create_journey
from tests.sql.world import LIMITS, World

REQUESTS_MAX, WINDOW_S = 5, 0.5
QUOTA = LIMITS | {"requests_max": REQUESTS_MAX, "requests_window_s": WINDOW_S}
CALLERS, HAMMER_S = 8, 4
# Questions may take all of this quota.
QUESTIONS_ONLY = QUOTA | {"questions_share": 1.0}

CLOCK = "select clock_timestamp()"


class Suno:
    """Notes when each request reached it, by the database's clock."""

    def __init__(self) -> None:
        self.arrivals: list[datetime] = []
        self._lock = threading.Lock()

    def receive(self, caller: Caller, takes_s: float) -> None:
        """A request arrives at some moment while it is under way."""
        time.sleep(takes_s / 2)
        arrived = caller.value(CLOCK)
        with self._lock:
            self.arrivals.append(arrived)
        time.sleep(takes_s / 2)

    @property
    def most_in_a_window(self) -> int:
        arrivals = sorted(self.arrivals)
        return max(
            sum(1 for other in arrivals[place:] if (other - start).total_seconds() < WINDOW_S)
            for place, start in enumerate(arrivals)
        )


@pytest.mark.parametrize("takes_s", [0.0, 0.12])
def test_eight_callers_hammering_never_exceed_the_quota(world: World, takes_s: float) -> None:
    suno, until = Suno(), time.monotonic() + HAMMER_S

    def hammer(caller: Caller) -> int:
        refusals = 0
        while time.monotonic() < until:
            slot = caller.attempt("reserve_suno_request", limits=QUESTIONS_ONLY)
            if isinstance(slot, Refusal):
                refusals += 1
                time.sleep(min(0.05, slot.wait_s))
            else:
                suno.receive(caller, takes_s)
                caller.call("answer_suno_request", slot=slot)
        return refusals

    callers = [world.another("service_role") for _ in range(CALLERS)]
    refusals = at_once([partial(hammer, caller) for caller in callers])
    assert sum(refusals) > 0
    assert suno.most_in_a_window <= REQUESTS_MAX
    assert len(suno.arrivals) > 2 * REQUESTS_MAX, "a slot is free again a window after its answer"


def test_claims_and_questions_share_one_quota(world: World) -> None:
    journeys = [create_journey(world) for _ in range(CALLERS // 2)]
    claims = [{"limits": QUOTA, "segment_id": journey.segment_id()} for journey in journeys]
    asked = [("claim_segment", claim) for claim in claims]
    asked += [("reserve_suno_request", {"limits": QUESTIONS_ONLY})] * (CALLERS // 2)
    answers = at_once(
        [
            partial(world.another("service_role").attempt, function, **arguments)
            for function, arguments in asked
        ]
    )
    let_through = [not isinstance(answer, Refusal) for answer in answers]
    assert sum(let_through) == REQUESTS_MAX
    generating = [journey.segment()["status"] == "generating" for journey in journeys]
    assert generating == let_through[: len(journeys)]
