"""The doctor: looks at everything, says what it means for the listener, mends what can be."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.oversight import FoundRun, FoundSegment
from parcours_xl.adapters.sql_functions import APIError, KeyRefused, SupabaseAway
from parcours_xl.adapters.supabase_errors import NOT_ALLOWED, FunctionUnknown
from parcours_xl.operations.checkup import CHECKS
from parcours_xl.operations.findings import EXAMPLES_MAX, Checked, Finding
from parcours_xl.operations.mending import Mended, Mender
from parcours_xl.operations.troubles import Progress, Troubles, find_troubles
from parcours_xl.operations.wording import cause
from parcours_xl.settings import Settings
from parcours_xl.trouble import Trouble

SAYS = {
    "unheld": "runs begun that nobody looks after",
    "never_started": "runs created today and never started",
    "ownerless": "runs of nobody who is still a user",
    "stuck": "segments composed for too long",
    "unstored": "segments delivered and not being stored",
    "failed": "segments failed within a day",
    "exhausted": "segments with every attempt used up",
    "not_stored": "segments complete without a file",
    "expired": "segments with an address that has expired",
    "missing_file": "segments with a file that is missing",
    "lost": "segments with music that is lost",
}


@dataclass(frozen=True)
class Examination:
    """Everything that was looked at, in order."""

    parts: Sequence[Checked]

    @property
    def findings(self) -> list[Finding]:
        return [finding for part in self.parts for finding in part.findings]

    @property
    def healthy(self) -> bool:
        """Whether nobody has to act (any more)."""
        return not any(finding.burdens for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "healthy": self.healthy,
            "parts": [
                {
                    "part": part.part,
                    "says": part.says if not part.findings else None,
                    "findings": [finding.as_json() for finding in part.findings],
                }
                for part in self.parts
            ],
        }


async def examine(
    outside: Outside, settings: Settings, *, fix: bool, progress: Progress
) -> Examination:
    """Look at every part; with `fix`, mend what can be mended.

    A part that cannot be looked at is a finding of its own: Supabase may be what is wrong.
    """
    parts = [part async for part in _check(outside, settings, progress)]
    try:
        found = await find_troubles(outside, settings.attempts_max, progress)
    except FunctionUnknown as error:
        return Examination([*parts, _blame("runs", error)])
    except SupabaseAway as away:
        return Examination([*parts, _skip("runs", away)])
    except Exception as error:
        return Examination([*parts, _blame("runs", error)])
    runs = Checked("runs", "every run and every segment is as it should be", tuple(_say(found)))
    parts.append(runs)
    if fix:
        parts = await _mend(outside, found, parts)
    return Examination(parts)


async def _check(
    outside: Outside, settings: Settings, progress: Progress
) -> AsyncIterator[Checked]:
    for place, (part, check) in enumerate(CHECKS):
        progress(part, place, len(CHECKS))
        try:
            yield await check(outside, settings)
        except FunctionUnknown as error:
            yield _blame(part, error)
        except SupabaseAway as away:
            yield _skip(part, away)
        except Exception as error:
            yield _blame(part, error)


def _blame(part: str, error: Exception) -> Checked:
    """A function that is missing, a key that may not."""
    if isinstance(error, APIError) and error.code == NOT_ALLOWED:
        return Checked(part, "not looked at: the service key may not", skipped=True)
    says = f"this could not be looked at: {type(error).__name__}"
    return Checked(part, "", (Finding("migrations", says),))


def _skip(part: str, away: SupabaseAway) -> Checked:
    why = "the service key is refused" if isinstance(away, KeyRefused) else "Supabase is away"
    return Checked(part, f"not looked at: {why}", skipped=True)


def _say(found: Troubles) -> list[Finding]:
    """One finding a kind, with a few examples."""
    every: dict[str, Sequence[FoundSegment] | Sequence[FoundRun]] = {**found.runs, **found.segments}
    findings = [
        Finding(
            kind,
            f"{_count(every[kind], words)}{_causes(every[kind])}",
            len(every[kind]),
            tuple(_name(one) for one in every[kind][:EXAMPLES_MAX]),
        )
        for kind, words in SAYS.items()
        if every[kind]
    ]
    if found.files:
        count = len(found.files)
        examples = tuple(found.files[:EXAMPLES_MAX])
        findings.append(Finding("orphaned_file", f"{count} files of nobody's", count, examples))
    return findings


def _count(found: Sequence[object], words: str) -> str:
    """1 run …, 2 runs …: the words begin with a plural."""
    noun, rest = words.split(" ", 1)
    return f"{len(found)} {noun.removesuffix('s') if len(found) == 1 else noun} {rest}"


def _name(one: FoundSegment | FoundRun) -> str:
    """As the other commands want it: logs takes a run, retry either."""
    if isinstance(one, FoundSegment):
        return f"run {one.run_id}, segment {one.id}"
    return f"run {one.id}"


def _causes(found: Sequence[FoundSegment] | Sequence[FoundRun]) -> str:
    """Why segments failed, the commonest cause first; nothing for what has not."""
    reasons = [one.reason for one in found if isinstance(one, FoundSegment) and one.reason]
    counted = Counter(reasons).most_common()
    said = ", ".join(f"{cause(reason)} ({count})" for reason, count in counted)
    refused = Counter(one.refused for one in found if isinstance(one, FoundSegment) and one.refused)
    if refused:
        said += "; Suno refused the words: " + ", ".join(
            f'"{message}" ({count})' for message, count in refused.most_common(EXAMPLES_MAX)
        )
    return f": {said}" if said else ""


async def _mend(outside: Outside, found: Troubles, parts: Sequence[Checked]) -> list[Checked]:
    mender, segments = Mender(outside), found.segments
    remedies: dict[str, Callable[[], Awaitable[Mended]]] = {
        "unheld": lambda: mender.hold(found.runs["unheld"]),
        "stuck": lambda: mender.unstick(segments["stuck"]),
        "unstored": lambda: mender.store(segments["unstored"]),
        "not_stored": lambda: mender.restore(segments["not_stored"]),
        "expired": lambda: mender.restore(segments["expired"]),
        "missing_file": lambda: mender.restore(segments["missing_file"]),
        "failed": lambda: mender.compose(segments["failed"]),
        "orphaned_file": lambda: mender.delete(found.files),
        "jobs_given_up": mender.send_jobs,
        "jobs_unreadable": mender.send_jobs,
    }
    return [
        replace(part, findings=tuple([await _treat(one, remedies) for one in part.findings]))
        for part in parts
    ]


async def _treat(finding: Finding, remedies: dict[str, Callable[[], Awaitable[Mended]]]) -> Finding:
    remedy = remedies.get(finding.kind)
    if remedy is None:
        return finding
    try:
        mended = await remedy()
    except Trouble as trouble:
        return replace(finding, done=f"not mended: {trouble.message}", left=finding.count)
    return replace(finding, done=mended.done, left=mended.left)
