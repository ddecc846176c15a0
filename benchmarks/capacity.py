"""`make bench-capacity`: how many runs a worker holds, and what four of them add."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.deployment import Deployment, cpu_seconds, running_deployment, running_worker
from benchmarks.workload import create_workload, read_calls, read_served

CALLS_MAX, WINDOW_S = 20, 10.0
"""What Suno takes."""
SPEED = 30.0
"""A segment is complete after 5 s: then only Suno's quota limits how many are made."""


COMPLETE_S, COMPLETE_S_NEVER = 150, 1_000_000
"""When Suno delivers, in its own time: as usual, or not while anybody looks."""


@dataclass(frozen=True)
class Phase:
    """So many workers; storing: whether tracks are delivered meanwhile, or only composed."""

    workers: int
    storing: bool


PHASES = (Phase(1, False), Phase(1, True), Phase(4, True))


@dataclass(frozen=True)
class Workload:
    """runs: in hand at once. deadlines: how many of them come due by the clock.

    warming_s: until the quota is used to the full; measured_s: how long is looked on then.
    """

    runs: int = 1000
    deadlines: int = 120
    warming_s: float = 15.0
    measured_s: float = 45.0


def measure_capacity(
    workload: Workload, phases: Sequence[Phase], tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """One row a phase, all on the same runs in hand."""
    with running_deployment(speed=SPEED, WORKER_IN_PROCESS="false") as deployment:
        tell(f"putting {workload.runs} runs in hand")
        whole_s = (workload.warming_s + workload.measured_s) * len(phases)
        create_workload(deployment, workload.runs, workload.deadlines, whole_s)
        return [_measure(deployment, workload, phase, tell) for phase in phases]


def _measure(
    deployment: Deployment, workload: Workload, phase: Phase, tell: Callable[[str], None]
) -> dict[str, Any]:
    _set_delivery(deployment, COMPLETE_S if phase.storing else COMPLETE_S_NEVER)
    with ExitStack() as started:
        workers = range(phase.workers)
        pids = [started.enter_context(running_worker(deployment, number)) for number in workers]
        tell(f"{phase.workers} at work")
        time.sleep(workload.warming_s)
        since = deployment.query("select clock_timestamp() as now")[0]["now"]
        calls, cpu = Counter(read_calls(deployment)), [cpu_seconds(pid) for pid in pids]
        service_cpu, started_at = cpu_seconds(deployment.service_pid), time.monotonic()
        time.sleep(workload.measured_s)
        seconds = time.monotonic() - started_at
        shares = [
            (cpu_seconds(pid) - before) / seconds for pid, before in zip(pids, cpu, strict=True)
        ]
        called = Counter(read_calls(deployment)) - calls
        service_share = (cpu_seconds(deployment.service_pid) - service_cpu) / seconds
    arrivals = _arrivals(deployment)
    per_second = {name: round(count / seconds, 2) for name, count in called.most_common()}
    return {
        "workers": phase.workers,
        "storing": phase.storing,
        "runs_in_hand": deployment.query("select count(*) from parcours.active_runs")[0]["count"],
        "suno_calls_a_window": round(calls_a_window(arrivals, since.timestamp()), 2),
        "suno_calls_worst_window": worst_window(arrivals),
        "database_calls_a_second": round(sum(per_second.values()), 1),
        "database_calls": per_second,
        "worker_cpu_share": [round(share, 3) for share in shares],
        "service_cpu_share": round(service_share, 3),
        "served": read_served(deployment, since),
    }


def worst_window(arrivals: Sequence[float]) -> int:
    """The most calls that ever arrived within one window, by the simulated Suno's clock."""
    ordered, first, worst = sorted(arrivals), 0, 0
    for place, at in enumerate(ordered):
        while at - ordered[first] >= WINDOW_S:
            first += 1
        worst = max(worst, place - first + 1)
    return worst


def calls_a_window(arrivals: Sequence[float], since: float) -> float:
    """How many calls a window on average, by how long it took until as many more had come."""
    seen = [at for at in sorted(arrivals) if at >= since]
    periods = [later - at for at, later in zip(seen, seen[CALLS_MAX:], strict=False)]
    if not periods:
        return float(len(seen))
    return CALLS_MAX * WINDOW_S * len(periods) / sum(periods)


def _set_delivery(deployment: Deployment, seconds: float) -> None:
    address = f"{deployment.project.suno_url}/_control/settings"
    httpx.put(address, json={"complete_s": seconds}, trust_env=False).raise_for_status()


def _arrivals(deployment: Deployment) -> list[float]:
    answer = httpx.get(f"{deployment.project.suno_url}/_control", trust_env=False, timeout=30)
    return [arrival["at"] for arrival in answer.json()["window"]["arrivals"]]
