"""What the doctor may find: what it means for the listener, and how it is mended."""

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["trouble", "note"]

EXAMPLES_MAX = 5


@dataclass(frozen=True)
class Kind:
    """trouble: somebody should act; note: good to know."""

    severity: Severity
    means: str
    mend: str


KINDS = {
    "settings": Kind(
        "note",
        "the doctor cannot look at that part from here",
        "run it with the service's own environment (docs/settings.md)",
    ),
    "callback_base": Kind(
        "trouble",
        "Suno cannot call back: previews and tracks come minutes late, when Suno is asked",
        "set CALLBACK_BASE to the public https address of parcours-xl-callback, start anew",
    ),
    "callbacks_lost": Kind(
        "trouble",
        "previews and tracks come minutes late: Suno is asked for them after 90 and 240 s",
        "see whether a proxy, firewall or verify_jwt keeps Suno out; then ask Suno's support",
    ),
    "supabase": Kind(
        "trouble",
        "no journey begins, goes on or is played",
        "see status.supabase.com and the project's dashboard; everything goes on by itself after",
    ),
    "service_key": Kind(
        "trouble",
        "no journey begins, goes on or is played",
        "set SUPABASE_SERVICE_ROLE_KEY to the project's secret (or service_role) key, start anew",
    ),
    "migrations": Kind(
        "trouble",
        "what the service asks for is not there: journeys may fail",
        "supabase db push",
    ),
    "access": Kind(
        "trouble",
        "somebody may see or do too much, or the service too little",
        "undo the change in the dashboard; the migrations say how it is to be",
    ),
    "suno_key": Kind(
        "trouble", "no music is composed", "check SUNO_API_KEY, and the account at Suno"
    ),
    "suno_away": Kind(
        "trouble",
        "no music is composed until Suno is back; journeys under way wait or fail",
        "wait; then parcours doctor --fix makes again what has failed",
    ),
    "credits": Kind(
        "trouble",
        "journeys fail at once, or soon will",
        "buy Suno credits; then parcours doctor --fix",
    ),
    "openai": Kind(
        "note",
        "journeys get the preset's own brief; the music is as good",
        "check OPENAI_API_KEY, its credits, and OPENAI_MODELS",
    ),
    "queues": Kind(
        "trouble",
        "nothing is composed or stored: listeners wait",
        "start parcours worker, or look why the workers do not work",
    ),
    "no_caretaker": Kind(
        "note",
        "nobody mends unasked, and nobody is told of alerts",
        "start parcours worker, or the service with WORKER_IN_PROCESS=true",
    ),
    "unheld": Kind(
        "trouble",
        "the journey stands still",
        "--fix puts it in hand again",
    ),
    "stuck": Kind(
        "trouble",
        "the listener has waited for this piece for over five minutes",
        "--fix asks Suno, and has it composed anew when Suno knows nothing",
    ),
    "unstored": Kind(
        "trouble",
        "Suno has delivered the piece and nobody stores it",
        "--fix sends the job again",
    ),
    "not_stored": Kind(
        "trouble",
        "the piece plays from Suno's own address, which ends after 14 days",
        "--fix stores it",
    ),
    "expired": Kind(
        "trouble",
        "the piece cannot be played: Suno's own address has expired",
        "--fix asks Suno for another address, and stores it",
    ),
    "missing_file": Kind(
        "trouble",
        "the piece cannot be played: its file is gone",
        "--fix stores it again, while Suno still has it",
    ),
    "lost": Kind(
        "note",
        "the piece cannot be played, and cannot be had again: Suno keeps music for 14 days",
        "tell the listener; a new journey has new music",
    ),
    "failed": Kind(
        "trouble",
        "the journey lacks this piece",
        "--fix has it composed anew, with a new callback_token",
    ),
    "exhausted": Kind(
        "note",
        "the journey lacks this piece, and every attempt is used up",
        "tell the listener; ATTEMPTS_MAX allows more",
    ),
    "jobs_given_up": Kind(
        "trouble",
        "a step, a track or an erasure broke whatever worker took it: its journey stands still",
        "read the workers' logs (job.broke); once that is mended, --fix sends the jobs again",
    ),
    "jobs_unreadable": Kind(
        "trouble",
        "nothing by itself: but somebody writes into our queues, or loses what we wrote",
        "look at them (select * from parcours.jobs_given_up), find who sent them; --fix drops them",
    ),
    "orphaned_file": Kind(
        "note",
        "nothing: the file belongs to nobody, and costs storage",
        "--fix deletes it",
    ),
    "never_started": Kind(
        "note",
        "the listener left before the music was asked for",
        "nothing; parcours retry RUN starts it",
    ),
    "ownerless": Kind(
        "note",
        "nobody can listen: the user is no more",
        "parcours erase USER",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was found, so many times. done: what --fix did about it.

    left: how many it could not mend; None when it was not asked to.
    """

    kind: str
    says: str
    count: int = 1
    examples: tuple[str, ...] = ()
    done: str | None = None
    left: int | None = None

    @property
    def severity(self) -> Severity:
        return KINDS[self.kind].severity

    @property
    def burdens(self) -> bool:
        """Whether somebody still has to act."""
        return self.severity == "trouble" and self.left != 0

    def as_json(self) -> dict[str, Any]:
        kind = KINDS[self.kind]
        return {
            "kind": self.kind,
            "severity": kind.severity,
            "says": self.says,
            "count": self.count,
            "examples": list(self.examples),
            "means": kind.means,
            "mend": kind.mend,
            "done": self.done,
            "left": self.left,
        }


@dataclass(frozen=True)
class Checked:
    """One part of the examination. says: how it stands, when nothing is wrong with it.

    skipped: it could not be looked at just now; says tells why.
    """

    part: str
    says: str
    findings: tuple[Finding, ...] = ()
    skipped: bool = False
