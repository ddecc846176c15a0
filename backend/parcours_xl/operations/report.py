"""The report: how the deployment has done against its targets (docs/specification.md#report)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from parcours_xl.clients.operations_queries import Day, OperationsQueries, TopUser
from parcours_xl.operations.figures import Figures, Timing, cut, read_figures
from parcours_xl.targets import Targets

SLICES = 28
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
    slices = []
    for place, (start, until) in enumerate(cut(end - period, end, SLICES)):
        progress(place, SLICES)
        figures = await read_figures(queries, start, until, targets.targets)
        slices.append(Slice(start, until, figures))
    total = sum((piece.figures for piece in slices), Figures())
    top_users = await queries.report_top_users(end - TOP_USERS_PERIOD)
    day = (await queries.read_gauges(end)).day
    progress(SLICES, SLICES)
    return Report(slices, total, top_users, day, targets)


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
        "ttfp_p95_s": figures.ttfp.percentile(0.95),
        "ttfc_p95_s": figures.ttfc.percentile(0.95),
    }
