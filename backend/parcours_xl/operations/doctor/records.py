"""Checks of every run, segment and file, page by page, however many there are."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from parcours_xl.clients.operations_queries import FoundRun, FoundSegment, Scan
from parcours_xl.domain.failures import failure_of
from parcours_xl.operations.doctor.findings import (
    EXAMPLES_MAX,
    Check,
    Context,
    Finding,
    Kind,
    Result,
)
from parcours_xl.operations.repairs import Repaired, Repairs

PAGE, SCAN_PAGE, PROBES_AT_ONCE = 200, 2000, 16

Record = TypeVar("Record", FoundRun, FoundSegment)
Scanned = TypeVar("Scanned", str, FoundSegment)
Repair = Callable[[Repairs, Sequence[Record]], Awaitable[Repaired]]


class Records(Check):
    """What the checks of runs, segments and files share."""

    part = "runs"
    healthy = "every run and every segment is as it should be"


class UnscheduledRuns(Records):
    kind = Kind(
        "unscheduled",
        "action",
        "the journey stands still",
        "--fix queues it again",
        "runner-timeouts",
    )
    kinds = (kind,)

    async def find(self, context: Context) -> Result:
        found = await _every(context.queries.find_runs, "unheld")
        what = "runs begun that no worker will look at"
        return self.result(*_report(self.kind, found, what, Repairs.schedule))


class NeverStartedRuns(Records):
    kind = Kind(
        "never_started",
        "note",
        "the listener left before the music was asked for",
        "nothing; parcours retry RUN starts it",
        "runner-timeouts",
    )
    kinds = (kind,)

    async def find(self, context: Context) -> Result:
        found = await _every(context.queries.find_runs, "never_started")
        what = "runs created today and never started"
        return self.result(*_report(self.kind, found, what))


class RunsWithoutOwner(Records):
    kind = Kind(
        "ownerless",
        "note",
        "nobody can listen: the user was deleted",
        "parcours erase USER",
        "a-user-asks-for-their-data-or-to-be-forgotten",
    )
    kinds = (kind,)

    async def find(self, context: Context) -> Result:
        found = await _every(context.queries.find_runs, "ownerless")
        what = "runs whose user was deleted"
        return self.result(*_report(self.kind, found, what))


class StuckSegments(Records):
    kind = Kind(
        "stuck",
        "action",
        "the listener waits for this piece for longer than STUCK_S",
        "--fix asks Suno, and queues it to be composed again when Suno does not know it",
        "tracks-are-slow",
    )
    kinds = (kind,)

    async def find(self, context: Context) -> Result:
        found = await _every(context.queries.find_segments, "stuck")
        what = "segments composed for too long"
        return self.result(*_report(self.kind, found, what, Repairs.unstick))


class UnstoredTracks(Records):
    kind = Kind(
        "unstored",
        "action",
        "Suno has delivered the piece and no worker stores it",
        "--fix queues the job again",
        "a-job-was-given-up",
    )
    kinds = (kind,)

    async def find(self, context: Context) -> Result:
        found = await _every(context.queries.find_segments, "unstored")
        what = "segments delivered and not being stored"
        return self.result(*_report(self.kind, found, what, Repairs.store))


class FailedSegments(Records):
    """One finding a reason: what to do differs."""

    failed = Kind(
        "failed",
        "action",
        "the journey lacks this piece; without its first piece it cannot begin",
        "--fix queues it to be composed again, with a new callback_token",
        "errors",
    )
    exhausted = Kind(
        "exhausted",
        "note",
        "the journey lacks this piece, and every attempt is used up",
        "tell the listener; ATTEMPTS_MAX allows more",
        "errors",
    )
    kinds = (failed, exhausted)

    async def find(self, context: Context) -> Result:
        found = await _every(context.queries.find_segments, "failed")
        attempts_max = context.settings.attempts_max
        exhausted = [one for one in found if one.attempts >= attempts_max]
        failed = [one for one in found if one.attempts < attempts_max]
        return self.result(
            *(self._describe(self.failed, group) for group in _by_reason(failed)),
            *(self._describe(self.exhausted, group) for group in _by_reason(exhausted)),
        )

    def _describe(self, kind: Kind, segments: Sequence[FoundSegment]) -> Finding:
        failure = failure_of(segments[0].reason)
        message = f"{_count(segments, 'segments failed within a day')}: {failure.summary}"
        if said := _suno_says(segments):
            message += f" (Suno: {said})"
        if kind is self.exhausted:
            return _finding(kind, segments, f"{message}; every attempt is used up")

        async def compose(context: Context) -> Repaired:
            if failure.remedy == "force" and not context.force:
                return Repaired("not composed again without --force", left=len(segments))
            if failure.remedy == "retry_when_suno_accepts" and not context.suno_accepts:
                why = "Suno does not accept the key, or its credits are low"
                return Repaired(f"not composed again: {why}", left=len(segments))
            return await context.repairs.compose(segments)

        return _finding(kind, segments, message, repair=compose, advice=failure.advice)


class MissingFiles(Records):
    """Complete segments have their file, or an address that still plays."""

    not_stored = Kind(
        "not_stored",
        "action",
        "the piece plays from Suno's own address, which ends after 14 days",
        "--fix stores it",
        "failed-to-sign-url",
    )
    expired = Kind(
        "expired",
        "action",
        "the piece cannot be played: Suno's own address has expired",
        "--fix asks Suno for another address, and stores it",
        "failed-to-sign-url",
    )
    missing = Kind(
        "missing_file",
        "action",
        "the piece cannot be played: its file is gone",
        "--fix stores it again, while Suno still has it",
        "failed-to-sign-url",
    )
    lost = Kind(
        "lost",
        "note",
        "the piece cannot be played, and cannot be had again: Suno keeps music for 14 days",
        "tell the listener; a new journey has new music",
        "failed-to-sign-url",
    )
    kinds = (not_stored, expired, missing, lost)

    async def find(self, context: Context) -> Result:
        without = await _scan(context, "segments", context.queries.scan_segments)
        lost = [one for one in without if one.lost]
        missing = [one for one in without if not one.lost and one.storage_path is not None]
        linked = [one for one in without if not one.lost and one.storage_path is None]
        plays = await self._probe(context, linked)
        not_stored = [one for one in linked if one.id in plays]
        expired = [one for one in linked if one.id not in plays]
        return self.result(
            *_report(
                self.not_stored, not_stored, "segments complete without a file", Repairs.restore
            ),
            *_report(
                self.expired, expired, "segments with an address that has expired", Repairs.restore
            ),
            *_report(
                self.missing, missing, "segments with a file that is missing", Repairs.restore
            ),
            *_report(self.lost, lost, "segments with music that is lost"),
        )

    async def _probe(self, context: Context, linked: Sequence[FoundSegment]) -> set[object]:
        """Ids of the segments whose address at Suno still plays."""
        downloads = context.downloads
        playing: set[object] = set()
        for start in range(0, len(linked), PROBES_AT_ONCE):
            context.progress("addresses", start, len(linked))
            some = [one for one in linked[start : start + PROBES_AT_ONCE] if one.final_url]
            alive = await asyncio.gather(
                *(downloads.is_available(one.final_url or "") for one in some)
            )
            playing |= {
                one.id for one, is_available in zip(some, alive, strict=True) if is_available
            }
        return playing


class OrphanedFiles(Records):
    kind = Kind(
        "orphaned_file",
        "note",
        "nothing: no segment refers to the file, which costs storage",
        "--fix deletes it",
        "a-job-was-given-up",
    )
    kinds = (kind,)

    async def find(self, context: Context) -> Result:
        paths = await _scan(context, "files", context.queries.scan_files)
        if not paths:
            return self.result()

        async def delete(context: Context) -> Repaired:
            return await context.repairs.delete(paths)

        message = _count(paths, "orphaned files, which no segment refers to")
        examples = tuple(paths[:EXAMPLES_MAX])
        return self.result(
            Finding(self.kind, message, len(paths), examples=examples, repair=delete)
        )


async def _every(
    find: Callable[[str, UUID | None, int], Awaitable[list[Record]]], query: str
) -> list[Record]:
    """All that a paged query of OperationsQueries finds."""
    found: list[Record] = []
    while True:
        page = await find(query, found[-1].id if found else None, PAGE)
        found += page
        if len(page) < PAGE:
            return found


async def _scan(
    context: Context,
    what: str,
    scan: Callable[[str | None, int], Awaitable[Scan[Scanned]]],
) -> list[Scanned]:
    """All that a scan of OperationsQueries finds. what: 'segments' or 'files'."""
    expected = (await context.queries.count_scans())[what]
    found: list[Scanned] = []
    looked, after = 0, None
    while True:
        page = await scan(after, SCAN_PAGE)
        found += page.found
        looked += page.looked
        context.progress(what, looked, max(looked, expected))
        if (after := page.next) is None:
            return found


def _report(
    kind: Kind, found: Sequence[Record], what: str, repair: Repair[Record] | None = None
) -> list[Finding]:
    """One finding for all of them; none when there are none."""
    if not found:
        return []
    if repair is None:
        return [_finding(kind, found, _count(found, what))]

    async def carry_out(context: Context) -> Repaired:
        return await repair(context.repairs, found)

    return [_finding(kind, found, _count(found, what), repair=carry_out)]


def _finding(
    kind: Kind,
    found: Sequence[FoundRun] | Sequence[FoundSegment],
    message: str,
    *,
    repair: Callable[[Context], Awaitable[Repaired]] | None = None,
    advice: str | None = None,
) -> Finding:
    moments = [one.since for one in found if one.since is not None]
    return Finding(
        kind,
        message,
        len(found),
        since=min(moments, default=None),
        examples=tuple(_name(one) for one in found[:EXAMPLES_MAX]),
        advice=advice,
        repair=repair,
    )


def _count(found: Sequence[object], words: str) -> str:
    """1 run …, 2 runs …: the words begin with a plural noun, after an adjective perhaps."""
    if len(found) != 1:
        return f"{len(found)} {words}"
    singular = words.replace("segments", "segment").replace("runs", "run").replace("files", "file")
    return f"1 {singular}"


def _name(one: FoundSegment | FoundRun) -> str:
    """As the other commands take it: logs takes a run, retry either."""
    if isinstance(one, FoundSegment):
        return f"run {one.run_id}, segment {one.id}"
    return f"run {one.id}"


def _by_reason(segments: Iterable[FoundSegment]) -> list[list[FoundSegment]]:
    """Grouped by why they failed, the commonest reason first."""

    def reason(segment: FoundSegment) -> str:
        return segment.reason or ""

    groups = [list(group) for _, group in groupby(sorted(segments, key=reason), key=reason)]
    return sorted(groups, key=len, reverse=True)


def _suno_says(segments: Iterable[FoundSegment]) -> str:
    """Suno's own codes and messages, the commonest first; empty when it gave none."""
    said: Counter[str] = Counter()
    for one in segments:
        code = f"code {one.code}" if one.code is not None else ""
        message = one.message or one.refused
        if words := " ".join(filter(None, (code, f'"{message}"' if message else ""))):
            said[words] += 1
    return ", ".join(f"{words} ({count})" for words, count in said.most_common(EXAMPLES_MAX))
