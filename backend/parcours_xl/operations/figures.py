"""The figures of a time, which add up: a week is the sum of its slices."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pydantic

from parcours_xl.clients.operations_queries import OperationsQueries
from parcours_xl.clients.sql_functions import SupabaseUnavailable

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


class Figures(pydantic.BaseModel):
    """What report_slice counts. suno: from a claim; listener: from the run's creation.

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

    @classmethod
    def read(cls, answer: dict[str, Any]) -> "Figures":
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
        """Runs whose brief OpenAI was to write: without a key it is not asked."""
        not_asked = self.briefs_curated["no_key"]
        return self.briefs_written + self.briefs_curated.total() - not_asked

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
