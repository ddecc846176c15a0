"""The doctor's examination: every check, and what `--fix` repairs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from parcours_xl.clients.database import APIError, KeyRefused, SupabaseUnavailable
from parcours_xl.clients.supabase_errors import NOT_ALLOWED, FunctionUnknown
from parcours_xl.errors import ParcoursError
from parcours_xl.operations.doctor.deployment import (
    MIGRATIONS,
    NOT_CONFIGURED,
    Access,
    CallbackBase,
    Migrations,
    OpenAI,
    Queues,
    Suno,
    Supabase,
)
from parcours_xl.operations.doctor.findings import (
    Check,
    Context,
    Finding,
    Kind,
    Result,
)
from parcours_xl.operations.doctor.records import (
    FailedSegments,
    MissingFiles,
    NeverStartedRuns,
    OrphanedFiles,
    RunsWithoutOwner,
    StuckSegments,
    UnscheduledRuns,
    UnstoredTracks,
)
from parcours_xl.operations.doctor.reserve import ReservePieces
from parcours_xl.operations.repairs import Repaired

CHECK_S_MAX = 20
"""No part of a deployment may keep the doctor waiting for longer."""

DEPLOYMENT: tuple[Check, ...] = (
    CallbackBase(),
    Supabase(),
    Migrations(),
    Access(),
    Suno(),
    OpenAI(),
    Queues(),
    ReservePieces(),
)
RECORDS: tuple[Check, ...] = (
    UnscheduledRuns(),
    NeverStartedRuns(),
    RunsWithoutOwner(),
    StuckSegments(),
    UnstoredTracks(),
    FailedSegments(),
    MissingFiles(),
    OrphanedFiles(),
)
FAILED = Kind(
    "check_failed",
    "action",
    "not known: this part could not be checked",
    "parcours doctor again; if it repeats, report it with the message",
    "the-five-minute-look",
)
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        NOT_CONFIGURED,
        FAILED,
        *(kind for check in (*DEPLOYMENT, *RECORDS) for kind in check.kinds),
    )
}


class Verdict(StrEnum):
    """'queued': repairs were queued, whose result is known in some minutes."""

    HEALTHY = "healthy"
    QUEUED = "queued"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True)
class DoctorReport:
    """The results of all checks, in the order of the screen."""

    results: Sequence[Result]

    @property
    def findings(self) -> list[Finding]:
        return [finding for result in self.results for finding in result.findings]

    @property
    def verdict(self) -> Verdict:
        if any(finding.needs_action for finding in self.findings):
            return Verdict.ACTION_REQUIRED
        if any(finding.is_queued for finding in self.findings):
            return Verdict.QUEUED
        return Verdict.HEALTHY

    @property
    def queued(self) -> int:
        """How many repairs were queued."""
        return sum(finding.repaired.queued for finding in self.findings if finding.repaired)

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "queued": self.queued,
            "parts": [
                {
                    "part": result.part,
                    "message": None if result.findings else result.message,
                    "skipped": result.skipped,
                    "findings": [finding.as_json() for finding in result.findings],
                }
                for result in self.results
            ],
        }


async def run_checks(context: Context, *, fix: bool) -> DoctorReport:
    """Carry out every check; with `fix`, repair what can be repaired.

    What cannot be checked is a finding of its own: Supabase may be what is wrong, so it is checked
    first.
    """
    context.progress("Supabase", 0, 1)
    supabase = await _run(Supabase(), context)
    deployment = await asyncio.gather(
        *(_run_after(supabase, check, context) for check in DEPLOYMENT)
    )
    by_part = {result.part: result for result in deployment}
    context = replace(context, suno_accepts=_accepts(by_part[Suno.part]))
    records = [await _run_after(supabase, check, context) for check in RECORDS]
    results = [*deployment, _merge(records)]
    if fix:
        results = [await _repair(result, context) for result in results]
    return DoctorReport(results)


async def _run_after(supabase: Result, check: Check, context: Context) -> Result:
    """The result of Supabase's own check, or of one that may depend on it."""
    if check.part == supabase.part:
        return supabase
    if check.needs_supabase and supabase.findings:
        is_refused = any(one.kind is Supabase.key for one in supabase.findings)
        return check.skipped(
            "the service key is refused" if is_refused else "Supabase is unavailable"
        )
    return await _run(check, context)


async def _run(check: Check, context: Context) -> Result:
    limit_s = None if check in RECORDS else CHECK_S_MAX
    try:
        async with asyncio.timeout(limit_s):
            return await check.find(context)
    except FunctionUnknown as error:
        return check.result(Finding(MIGRATIONS, f"not checked: {error.message}"))
    except SupabaseUnavailable as unavailable:
        is_refused = isinstance(unavailable, KeyRefused)
        return check.skipped(
            "the service key is refused" if is_refused else "Supabase is unavailable"
        )
    except TimeoutError:
        return check.skipped(f"no answer within {CHECK_S_MAX} s")
    except APIError as error:
        if error.code == NOT_ALLOWED:
            return check.skipped("the service key has not the rights of a service key")
        return check.result(Finding(FAILED, f"Supabase refuses the check: {error.message}"))
    except Exception as error:
        return check.result(Finding(FAILED, f"the check failed: {type(error).__name__}"))


def _accepts(suno: Result) -> bool:
    return not suno.skipped and not suno.findings


def _merge(results: Sequence[Result]) -> Result:
    """The checks of records are one part on the screen."""
    findings = tuple(finding for result in results for finding in result.findings)
    skipped = next((result for result in results if result.skipped), None)
    if skipped is not None and not findings:
        return skipped
    return Result(results[0].part, RECORDS[0].healthy, findings)


async def _repair(result: Result, context: Context) -> Result:
    return replace(result, findings=tuple([await _apply(one, context) for one in result.findings]))


async def _apply(finding: Finding, context: Context) -> Finding:
    if finding.repair is None:
        return finding
    try:
        return replace(finding, repaired=await finding.repair(context))
    except ParcoursError as error:
        failed = Repaired(f"not repaired: {error.message}", left=finding.count)
        return replace(finding, repaired=failed)
