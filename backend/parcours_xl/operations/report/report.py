"""The report: how the deployment has done against its targets (docs/specification.md#targets).

Its figures add up: a week is the sum of its slices.
"""

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pydantic

from parcours_xl.clients.database import SupabaseUnavailable
from parcours_xl.clients.operations_queries import Day, OperationsQueries, TopUser
from parcours_xl.settings import Targets

BRIEFS_NOT_OPENAIS = ("no_key", "cancelled", "late")
"""Why a brief is the preset's own although OpenAI has not failed: it was not asked, or wrote for a
run that was cancelled or went on meanwhile."""

SLICE_MIN = timedelta(minutes=5)


class Timing(pydantic.BaseModel):
    """How long something took. seconds: how often each; late: not there, and the target is over."""

    seconds: Counter[float] = pydantic.Field(default_factory=Counter)
    late: int = 0

    def __add__(self, other: "Timing") -> "Timing":
        return Timing(seconds=self.seconds + other.seconds, late=self.late + other.late)

    @property
    def measured(self) -> int:
        return self.seconds.total() + self.late

    def percentile(self, share: float) -> float | None:
        """The least time within which so many had arrived; None when that many never did."""
        rank = math.ceil(share * self.measured)
        for seconds in sorted(self.seconds):
            rank -= self.seconds[seconds]
            if rank <= 0:
                return seconds
        return None

    def within(self, target_s: float) -> float | None:
        """The share that arrived within the target; None when nothing was measured."""
        if not self.measured:
            return None
        in_time = sum(many for seconds, many in self.seconds.items() if seconds <= target_s)
        return in_time / self.measured


class Costs(pydantic.BaseModel):
    """What was spent, and on what. runs: created, and music was asked for; put_off: runs that wait.

    Suno's credits by what became of the attempt, and those of the reserve, which are no run's;
    OpenAI's tokens by whether their brief was used.
    """

    runs: int = 0
    credits_kept: int = 0
    credits_under_way: int = 0
    credits_wasted: Counter[str] = Counter()
    credits_reserve: int = 0
    tokens_used: int = 0
    tokens_wasted: Counter[str] = Counter()
    put_off: Counter[str] = Counter()

    @classmethod
    def read(cls, answer: dict[str, Any]) -> "Costs":
        suno, briefs = answer["costs"], answer["briefs"]
        return cls(
            runs=suno["runs"],
            credits_kept=suno["kept"],
            credits_under_way=suno["under_way"],
            credits_wasted=suno["wasted"],
            # Of the whole slice: the hours that were rolled up have none of their own.
            credits_reserve=answer.get("reserve", 0),
            tokens_used=briefs["tokens_used"],
            tokens_wasted=briefs["tokens_wasted"],
            put_off=answer["outcomes"]["put_off"],
        )

    def __add__(self, other: "Costs") -> "Costs":
        return Costs(
            **{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        )

    @property
    def credits(self) -> int:
        return self.credits_of_runs + self.credits_reserve

    @property
    def credits_of_runs(self) -> int:
        return self.credits_kept + self.credits_under_way + self.credits_wasted.total()

    @property
    def tokens(self) -> int:
        return self.tokens_used + self.tokens_wasted.total()

    def a_run(self, spent: int) -> float | None:
        """Of what was spent, the share of one run; None without a run."""
        return spent / self.runs if self.runs else None

    def as_json(self, days: float) -> dict[str, Any]:
        return {
            "suno_credits": {
                "total": self.credits,
                "kept": self.credits_kept,
                "under_way": self.credits_under_way,
                "wasted": self.credits_wasted.total(),
                "wasted_by_reason": dict(self.credits_wasted),
                "reserve": self.credits_reserve,
                "per_run": self.a_run(self.credits_of_runs),
                "per_day": self.credits / days,
            },
            "openai_tokens": {
                "total": self.tokens,
                "used": self.tokens_used,
                "wasted": self.tokens_wasted.total(),
                "wasted_by_reason": dict(self.tokens_wasted),
                "per_run": self.a_run(self.tokens),
                "per_day": self.tokens / days,
            },
            "runs": self.runs,
            "runs_put_off_by_reason": dict(self.put_off),
        }


class Figures(pydantic.BaseModel):
    """What report_slice counts. suno: from a claim; listener: from create.

    messengers: who told of previews and tracks: 'callback', or 'record_info' when Suno was asked.
    briefs_curated: runs with their preset's own brief, by the reason that OpenAI wrote none.
    """

    suno_ttfp: Timing = Timing()
    suno_ttfc: Timing = Timing()
    suno_ready: Timing = Timing()
    ttfp: Timing = Timing()
    ttfc: Timing = Timing()
    ready: Timing = Timing()
    submissions: int = 0
    retries: int = 0
    ttfc_slow: int = 0
    ttfc_measured: int = 0
    runs_measured: int = 0
    runs_timed_out: int = 0
    complete: int = 0
    linked: int = 0
    errors: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    refused_words: Counter[str] = Counter()
    messengers: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    segments: Counter[str] = Counter()
    briefs_written: int = 0
    briefs_curated: Counter[str] = Counter()
    costs: Costs = Costs()

    @classmethod
    def read(cls, answer: dict[str, Any]) -> "Figures":
        """A slice, and the hours of it whose events are rolled up."""
        hours = [cls._read_events(hour) for hour in answer["rolled_up"]]
        return sum(hours, cls._read_events(answer))

    @classmethod
    def _read_events(cls, answer: dict[str, Any]) -> "Figures":
        suno, listener, outcomes = answer["suno"], answer["listener"], answer["outcomes"]
        return cls(
            suno_ttfp=suno["ttfp"],
            suno_ttfc=suno["ttfc"],
            suno_ready=listener["suno_ready"],
            ttfp=listener["ttfp"],
            ttfc=listener["ttfc"],
            ready=listener["ready"],
            submissions=suno["submissions"],
            retries=suno["retries"],
            ttfc_slow=suno["ttfc_slow"],
            ttfc_measured=suno["ttfc_measured"],
            runs_measured=answer["timeouts"]["measured"],
            runs_timed_out=answer["timeouts"]["timed_out"],
            **outcomes,
            **answer["statuses"],
            **answer["briefs"],
            costs=Costs.read(answer),
        )

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            **{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        )

    @property
    def errors_share(self) -> float | None:
        """Attempts that failed, among those that ended; None when none did."""
        ended = self.errors.total() + self.complete
        return self.errors.total() / ended if ended else None

    @property
    def asked_share(self) -> float | None:
        """Previews and tracks of which Suno had to be asked; None when there were none."""
        told = self.messengers.total()
        return self.messengers["record_info"] / told if told else None

    @property
    def briefs_asked(self) -> int:
        """Runs whose brief OpenAI was to write, and would have been used."""
        not_its_fault = sum(self.briefs_curated[reason] for reason in BRIEFS_NOT_OPENAIS)
        return self.briefs_written + self.briefs_curated.total() - not_its_fault

    @property
    def briefs_curated_share(self) -> float | None:
        """Of the briefs that OpenAI was to write, those it did not; None when it was not asked."""
        if not self.briefs_asked:
            return None
        return 1 - self.briefs_written / self.briefs_asked

    @property
    def ttfc_slow_share(self) -> float | None:
        return self.ttfc_slow / self.ttfc_measured if self.ttfc_measured else None

    @property
    def timeouts_share(self) -> float | None:
        return self.runs_timed_out / self.runs_measured if self.runs_measured else None


async def read_figures(
    queries: OperationsQueries, start: datetime, end: datetime, targets: dict[str, Any]
) -> Figures:
    """The figures from one moment to another; a time too long for one call is halved."""
    try:
        return Figures.read(await queries.report_slice(start, end, targets))
    except SupabaseUnavailable:
        if end - start <= SLICE_MIN:
            raise
    middle = start + (end - start) / 2
    first = await read_figures(queries, start, middle, targets)
    return first + await read_figures(queries, middle, end, targets)


def cut(start: datetime, end: datetime, pieces: int) -> Sequence[tuple[datetime, datetime]]:
    """A time in equal pieces, from the oldest."""
    step = (end - start) / pieces
    edges = [start + step * place for place in range(pieces)] + [end]
    return list(itertools.pairwise(edges))


SLICES = 28
SLICES_AT_ONCE = 4
TOP_USERS_PERIOD = timedelta(days=7)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Latency:
    """One of the three latencies that have a target. suno: Suno's share of it."""

    name: str
    meaning: str
    target_s: float
    listener: Timing
    suno: Timing


@dataclass(frozen=True)
class Slice:
    """A part of the report's time, and its figures."""

    start: datetime
    end: datetime
    figures: Figures


@dataclass(frozen=True)
class Report:
    """A time, in slices from the oldest; total: their sum."""

    slices: list[Slice]
    total: Figures
    top_users: list[TopUser]
    day: Day
    targets: Targets

    @property
    def start(self) -> datetime:
        return self.slices[0].start

    @property
    def end(self) -> datetime:
        return self.slices[-1].end

    @property
    def days(self) -> float:
        return (self.end - self.start) / timedelta(days=1)

    @property
    def latencies(self) -> list[Latency]:
        total, targets = self.total, self.targets
        return [
            Latency("TTFP", "first sound", targets.ttfp_target_s, total.ttfp, total.suno_ttfp),
            Latency(
                "TTFC",
                "first whole track",
                targets.ttfc_target_s,
                total.ttfc,
                total.suno_ttfc,
            ),
            Latency(
                "Run ready",
                "all tracks",
                targets.ready_target_s,
                total.ready,
                total.suno_ready,
            ),
        ]

    def as_json(self) -> dict[str, Any]:
        total = self.total
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "latencies": {
                latency.name: {"target_s": latency.target_s}
                | {"listener": _timing(latency.listener, latency.target_s)}
                | {"suno": _timing(latency.suno, latency.target_s)}
                for latency in self.latencies
            },
            "runs": dict(total.runs),
            "segments": dict(total.segments),
            "errors": {"share": total.errors_share, "by_cause": dict(total.errors)},
            "submissions": total.submissions,
            "retries": total.retries,
            "refusals_by_code": dict(total.refusals),
            "refused_words": dict(total.refused_words),
            "told_by": dict(total.messengers),
            "briefs": {
                "written": total.briefs_written,
                "curated_share": total.briefs_curated_share,
                "curated_by_reason": dict(total.briefs_curated),
            },
            "cost": total.costs.as_json(self.days),
            "complete": total.complete,
            "complete_without_file": total.linked,
            "runner_timeouts": {
                "share": total.timeouts_share,
                "timed_out": total.runs_timed_out,
                "measured": total.runs_measured,
            },
            "last_24_hours": self.day.model_dump()
            | {
                "runs_max": self.targets.runs_daily_max,
                "credits_max": self.targets.suno_credits_daily_max,
            },
            "top_users": [user.model_dump(mode="json") for user in self.top_users],
            "slices": [_slice(piece) for piece in self.slices],
        }


async def make_report(
    queries: OperationsQueries, targets: Targets, period: timedelta, progress: Progress
) -> Report:
    """The report of so long until now. progress: is told how many slices of all are done."""
    end = datetime.now(UTC)
    slices = await _read_slices(queries, targets, cut(end - period, end, SLICES), progress)
    total = sum((piece.figures for piece in slices), Figures())
    top_users = await queries.report_top_users(end - TOP_USERS_PERIOD)
    day = (await queries.read_gauges(end)).day
    progress(SLICES, SLICES)
    return Report(slices, total, top_users, day, targets)


async def _read_slices(
    queries: OperationsQueries,
    targets: Targets,
    times: Sequence[tuple[datetime, datetime]],
    progress: Progress,
) -> list[Slice]:
    at_once = asyncio.Semaphore(SLICES_AT_ONCE)
    done = itertools.count()

    async def read(start: datetime, end: datetime) -> Slice:
        async with at_once:
            figures = await read_figures(queries, start, end, targets.targets)
            progress(next(done), len(times))
            return Slice(start, end, figures)

    return await asyncio.gather(*(read(start, end) for start, end in times))


def _timing(timing: Timing, target_s: float) -> dict[str, Any]:
    return {
        "p50_s": timing.percentile(0.50),
        "p95_s": timing.percentile(0.95),
        "within_target": timing.within(target_s),
        "measured": timing.measured,
    }


def _slice(piece: Slice) -> dict[str, Any]:
    figures = piece.figures
    return {
        "from": piece.start.isoformat(),
        "to": piece.end.isoformat(),
        "runs": dict(figures.runs),
        "complete": figures.complete,
        "errors": figures.errors.total(),
        "suno_credits": figures.costs.credits,
        "suno_credits_wasted": figures.costs.credits_wasted.total(),
        "openai_tokens": figures.costs.tokens,
        "ttfp_p95_s": figures.ttfp.percentile(0.95),
        "ttfc_p95_s": figures.ttfc.percentile(0.95),
    }
