"""`make bench`: how quick the functions are, beside one state-changing UPDATE."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.calls import STATE_CHANGING, Call, calls
from benchmarks.dataset import Dataset, prepare_dataset
from benchmarks.deployment import Deployment, Generator, cpu_seconds
from benchmarks.figures import Figures, compare, middle

CONCURRENT = (1, 32)
IDLE_SHARE, IDLE_LOOK_S, IDLE_S_MAX = 0.1, 0.2, 60

FORGET_WORK = """
delete from pgmq.q_parcours_tracks;
delete from pgmq.q_parcours_generation;
delete from parcours.active_runs;
"""


@dataclass(frozen=True)
class Effort:
    """How much is asked: requests a round, one at a time and 32 at once, and how many rounds.

    settled: a round before them does not count, and the service rests between calls.
    """

    requests_alone: int = 60
    requests_together: int = 192
    rounds: int = 5
    settled: bool = True

    def requests(self, call: Call, concurrent: int) -> int:
        whole = self.requests_alone if concurrent == 1 else self.requests_together
        return max(concurrent, round(whole * call.share))


Rounds = dict[tuple[str, int], list[Figures]]


def measure_latencies(
    deployment: Deployment, effort: Effort, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Every call at both concurrencies; one row each. AssertionError when an answer is no success.

    Rounds go through all calls in turn.
    """
    dataset, generator, rounds = prepare_dataset(deployment), Generator(), Rounds()
    try:
        for number in range(0 if effort.settled else 1, effort.rounds + 1):
            tell(f"round {number} of {effort.rounds}" if number else "warming up")
            for call in calls():
                for concurrent in CONCURRENT:
                    figures = _measure(dataset, generator, call, concurrent, effort)
                    if number:
                        rounds.setdefault((call.name, concurrent), []).append(figures)
    finally:
        generator.close()
    return [
        {"call": name, "concurrent": concurrent, **middle(found).as_json()}
        | compare(found, rounds[STATE_CHANGING, concurrent])
        for (name, concurrent), found in rounds.items()
    ]


def _measure(
    dataset: Dataset, generator: Generator, call: Call, concurrent: int, effort: Effort
) -> Figures:
    requests = call.make(dataset, effort.requests(call, concurrent))
    seen = generator.load(call.port(dataset), requests, concurrent)
    assert set(seen["statuses"]) == {"200"}, f"{call.name} was answered {seen['statuses']}"
    if effort.settled:
        _let_go(dataset.deployment)
    return Figures.of(seen["ms"], seen["seconds"])


def _let_go(deployment: Deployment) -> None:
    """Forget the work that is left, and wait until the service rests."""
    deployment.query(FORGET_WORK)
    deadline = time.monotonic() + IDLE_S_MAX
    used = cpu_seconds(deployment.service_pid)
    while time.monotonic() < deadline:
        time.sleep(IDLE_LOOK_S)
        before, used = used, cpu_seconds(deployment.service_pid)
        if used - before < IDLE_SHARE * IDLE_LOOK_S:
            return
