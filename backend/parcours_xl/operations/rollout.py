"""The canary rollout: a share of the users that only grows, or ends, and the gate before each step.

Source: docs/specification.md#rollout.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from parcours_xl.clients.operations_queries import OperationsQueries
from parcours_xl.clients.rollout import Rollout, RolloutState, Step
from parcours_xl.errors import PermanentError
from parcours_xl.operations.report.report import Figures, read_figures
from parcours_xl.operations.wording import share as percent
from parcours_xl.settings import (
    GOAL_ERRORS_SHARE_MAX,
    GOAL_HEARD_SHARE_MIN,
    OperatorSettings,
    Targets,
)

OnProgress = Callable[[int, int], None]
"""Is told after each call how many users are done, and how many are still to come."""


async def read_rollout(rollout: Rollout, settings: OperatorSettings) -> tuple[RolloutState, str]:
    """Who has Parcours XL, and ROLLOUT, which may open it to everybody whatever the flags say."""
    return await rollout.read(), settings.rollout


async def grow_rollout(
    rollout: Rollout, share: int, on_progress: OnProgress, seen: int | None = None
) -> int:
    """Give Parcours XL to more users until a share of them has it; how many got it now.

    seen: the share that the decision was made on. Raises PermanentError (409) when the share has
    changed since, or would shrink.
    """
    return await _repeat(lambda: rollout.grow(share, seen), on_progress)


async def end_rollout(rollout: Rollout, on_progress: OnProgress) -> int:
    """Take Parcours XL from everybody; from how many."""
    return await _repeat(rollout.end, on_progress)


async def _repeat(call: Callable[[], Awaitable[Step]], on_progress: OnProgress) -> int:
    done = 0
    while True:
        step = await call()
        done += step.done
        if not step.remaining or not step.done:
            return done
        on_progress(done, step.remaining)


WINDOW = timedelta(hours=48)
STAGES = (5, 25, 100)


@dataclass(frozen=True)
class Check:
    """One condition of the gate. said: what was found, and what is needed."""

    name: str
    passed: bool
    said: str


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a time. share: what was set when it was judged; timed_out: runs."""

    share: int
    start: datetime
    end: datetime
    checks: Sequence[Check]
    timed_out: int

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def next_share(self) -> int | None:
        """The next of 5, 25 and 100 %; None when everybody has it."""
        return next((stage for stage in STAGES if stage > self.share), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "share": self.share,
            "next_share": self.next_share,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "checks": [asdict(check) for check in self.checks],
            "runner_timeouts": self.timed_out,
        }


async def judge_rollout(rollout: Rollout, queries: OperationsQueries, targets: Targets) -> Verdict:
    """Judge the last 48 hours, or since the share was set: a share is judged by its own runs."""
    state = await rollout.read()
    end = datetime.now(UTC)
    start = _begin(state, end)
    limits = targets.targets | {"ttfp_s": targets.gate_ttfp_s}
    figures = await read_figures(queries, start, end, limits)
    return Verdict(state.share, start, end, _check(figures, targets), figures.runs_timed_out)


async def advance_rollout(rollout: Rollout, verdict: Verdict, on_progress: OnProgress) -> int:
    """Let the next share have it, once the gate has passed; how many users got it.

    Raises PermanentError when there is no share to go on from, or it has changed since the verdict.
    """
    assert verdict.passed and verdict.next_share, "only an open gate with a share behind it"
    if verdict.share == 0:
        raise PermanentError("the rollout has not begun: parcours rollout set 5")
    return await grow_rollout(rollout, verdict.next_share, on_progress, seen=verdict.share)


def _begin(state: RolloutState, end: datetime) -> datetime:
    window_start = end - WINDOW
    return max(window_start, state.since) if state.share else window_start


def _check(figures: Figures, targets: Targets) -> list[Check]:
    heard, runs = figures.ttfp.within(targets.gate_ttfp_s), figures.ttfp.measured
    errors = figures.errors_share
    return [
        Check(
            "runs",
            runs >= targets.gate_runs_min,
            f"{runs} runs can be judged; {targets.gate_runs_min} are needed",
        ),
        Check(
            "ttfp",
            heard is not None and heard >= GOAL_HEARD_SHARE_MIN,
            f"{percent(heard)} were heard within {targets.gate_ttfp_s:g} s; "
            f"{percent(GOAL_HEARD_SHARE_MIN)} are needed",
        ),
        Check(
            "errors",
            errors is not None and errors < GOAL_ERRORS_SHARE_MAX,
            f"{percent(errors)} of the attempts failed; "
            f"under {percent(GOAL_ERRORS_SHARE_MAX)} is needed",
        ),
    ]
