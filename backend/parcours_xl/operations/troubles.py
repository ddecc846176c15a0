"""Runs, segments and files that are not as they should be, all of them, page by page."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from parcours_xl.adapters.downloads import Downloads
from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.oversight import FoundRun, FoundSegment, Oversight

PAGE, SCAN, PROBES_AT_ONCE = 200, 2000, 16

Progress = Callable[[str, int, int], None]


@dataclass
class Troubles:
    """What was found, by kind (findings.py says what each kind means)."""

    segments: dict[str, list[FoundSegment]] = field(default_factory=dict)
    runs: dict[str, list[FoundRun]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


async def find_troubles(outside: Outside, attempts_max: int, progress: Progress) -> Troubles:
    """Everything there is, however much. progress: is told what is looked at, and how far."""
    found, oversight = Troubles(), outside.oversight
    for kind in ("unheld", "never_started", "ownerless"):
        found.runs[kind] = [run async for run in find_runs(oversight, kind)]
    for kind in ("stuck", "unstored", "failed"):
        found.segments[kind] = [one async for one in find_segments(oversight, kind)]
    failed = found.segments["failed"]
    found.segments["exhausted"] = [one for one in failed if one.attempts >= attempts_max]
    found.segments["failed"] = [one for one in failed if one.attempts < attempts_max]
    await _scan_segments(oversight, found, progress)
    await _scan_files(oversight, found, progress)
    await _find_expired(outside.downloads, found, progress)
    return found


async def find_segments(oversight: Oversight, kind: str) -> AsyncIterator[FoundSegment]:
    after = None
    while True:
        page = await oversight.find_segments(kind, after, PAGE)
        for segment in page:
            yield segment
            after = segment.id
        if len(page) < PAGE:
            return


async def find_runs(oversight: Oversight, kind: str) -> AsyncIterator[FoundRun]:
    after = None
    while True:
        page = await oversight.find_runs(kind, after, PAGE)
        for run in page:
            yield run
            after = run.id
        if len(page) < PAGE:
            return


async def _scan_segments(oversight: Oversight, found: Troubles, progress: Progress) -> None:
    """Every complete segment has its file."""
    expected = (await oversight.count_scans())["segments"]
    without: list[FoundSegment] = []
    looked, after = 0, None
    while True:
        page = await oversight.scan_segments(after, SCAN)
        without += page.found
        looked += page.looked
        progress("segments", looked, max(looked, expected))
        if (after := page.next) is None:
            break
    found.segments["lost"] = [one for one in without if one.lost]
    alive = [one for one in without if not one.lost]
    found.segments["not_stored"] = [one for one in alive if one.storage_path is None]
    found.segments["missing_file"] = [one for one in alive if one.storage_path is not None]


async def _scan_files(oversight: Oversight, found: Troubles, progress: Progress) -> None:
    """Every file has its segment."""
    expected = (await oversight.count_scans())["files"]
    looked, after = 0, None
    while True:
        page = await oversight.scan_files(after, SCAN)
        found.files += page.found
        looked += page.looked
        progress("files", looked, max(looked, expected))
        if (after := page.next) is None:
            return


async def _find_expired(downloads: Downloads, found: Troubles, progress: Progress) -> None:
    """Whatever plays from Suno's own address can still be played."""
    linked = found.segments["not_stored"]
    alive: list[bool] = []
    for start in range(0, len(linked), PROBES_AT_ONCE):
        progress("addresses", start, len(linked))
        some = linked[start : start + PROBES_AT_ONCE]
        alive += await asyncio.gather(*(_lives(downloads, segment) for segment in some))
    told = list(zip(linked, alive, strict=True))
    found.segments["expired"] = [segment for segment, lives in told if not lives]
    found.segments["not_stored"] = [segment for segment, lives in told if lives]


async def _lives(downloads: Downloads, segment: FoundSegment) -> bool:
    return segment.final_url is not None and await downloads.lives(segment.final_url)
