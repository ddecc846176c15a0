"""What a check of the doctor is, and what it returns."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from parcours_xl.clients.database import Database
from parcours_xl.clients.downloads import Downloads
from parcours_xl.clients.operations_queries import OperationsQueries
from parcours_xl.clients.probes import Probes
from parcours_xl.clients.reserve import Reserve
from parcours_xl.clients.storage import TrackStorage
from parcours_xl.clients.suno import Suno
from parcours_xl.operations.repairs import Repaired, Repairs
from parcours_xl.settings import Settings

Severity = Literal["action", "note"]
Progress = Callable[[str, int, int], None]
"""Called with what is being looked at, how far the check is, and how far it will go."""

EXAMPLES_MAX = 5
RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True)
class Kind:
    """A finding that can occur, as docs/runbook.md describes it.

    severity: 'action' (action is required) or 'note'. impact: what listeners notice.
    advice: what to do. section: the anchor in docs/runbook.md.
    """

    name: str
    severity: Severity
    impact: str
    advice: str
    section: str


@dataclass(frozen=True)
class Finding:
    """One kind of fault that was found, `count` times.

    since: since when it lasts, where that is known. examples: ids, for `parcours logs`.
    advice: what to do for this reason; the kind's own where none is given.
    repaired: what `--fix` did; None when it was not asked to, or cannot.
    """

    kind: Kind
    message: str
    count: int = 1
    since: datetime | None = None
    examples: tuple[str, ...] = ()
    advice: str | None = None
    repair: Callable[["Context"], Awaitable[Repaired]] | None = field(
        default=None, repr=False, compare=False
    )
    repaired: Repaired | None = None

    @property
    def needs_action(self) -> bool:
        """Whether action is still required."""
        if self.kind.severity == "note":
            return False
        return self.repaired is None or self.repaired.left > 0

    @property
    def is_queued(self) -> bool:
        """Whether a repair was queued whose result is not known yet."""
        return self.repaired is not None and self.repaired.queued > 0

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.kind.name,
            "severity": self.kind.severity,
            "message": self.message,
            "count": self.count,
            "since": self.since.isoformat() if self.since else None,
            "examples": list(self.examples),
            "impact": self.kind.impact,
            "advice": self.advice or self.kind.advice,
            "runbook": f"{RUNBOOK}#{self.kind.section}",
            "repaired": self.repaired.message if self.repaired else None,
            "queued": self.repaired.queued if self.repaired else None,
            "left": self.repaired.left if self.repaired else None,
        }


@dataclass(frozen=True)
class Result:
    """What one check returned. message: how things stand when nothing was found.

    skipped: the check could not be carried out; `message` says why.
    """

    part: str
    message: str
    findings: tuple[Finding, ...] = ()
    skipped: bool = False


@dataclass(frozen=True)
class Context:
    """What a check works with.

    force: also compose again what Suno refused for good, or would refuse again.
    """

    settings: Settings
    database: Database
    queries: OperationsQueries
    reserve: Reserve
    storage: TrackStorage
    suno: Suno
    downloads: Downloads
    probes: Probes
    repairs: Repairs
    progress: Progress = lambda *_: None
    force: bool = False
    suno_accepts: bool = False
    """Whether the check of Suno has found a key that is accepted, and credits."""


class Check(ABC):
    """One thing that the doctor checks.

    part: its name on the screen. healthy: the message when nothing was found. kinds: every finding
    that it can return; each says what listeners notice, what to do, and where that is explained.
    """

    part: ClassVar[str]
    healthy: ClassVar[str] = ""
    kinds: ClassVar[Sequence[Kind]] = ()
    needs_supabase: ClassVar[bool] = True

    @abstractmethod
    async def find(self, context: Context) -> Result:
        """Look. Raises SupabaseUnavailable or APIError, which the examination reports."""

    def result(self, *findings: Finding, message: str | None = None) -> Result:
        return Result(self.part, message or self.healthy, findings)

    def skipped(self, why: str) -> Result:
        return Result(self.part, f"not checked: {why}", skipped=True)
