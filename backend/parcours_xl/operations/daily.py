"""What one day may cost, all users together, and what it has (RUNS_DAILY_MAX, …)."""

from dataclasses import dataclass

from parcours_xl.clients.operations_queries import Day
from parcours_xl.settings import SUNO_CREDITS_A_SEGMENT, Targets


@dataclass(frozen=True)
class DailyUse:
    """How much of a limit the last 24 hours have used. step: what comes next takes so much."""

    what: str
    used: int
    limit: int
    step: int = 1

    @property
    def is_reached(self) -> bool:
        return self.used + self.step > self.limit

    def __str__(self) -> str:
        return f"{self.used} of {self.limit} {self.what} in the last 24 hours"


def daily_uses(day: Day, targets: Targets) -> list[DailyUse]:
    """One for each limit that is set."""
    uses = []
    if targets.runs_daily_max is not None:
        uses.append(DailyUse("runs", day.runs, targets.runs_daily_max))
    if targets.suno_credits_daily_max is not None:
        limit = targets.suno_credits_daily_max
        uses.append(DailyUse("Suno credits", day.credits, limit, SUNO_CREDITS_A_SEGMENT))
    return uses
