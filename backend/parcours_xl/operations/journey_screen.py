"""A journey on a terminal: live where there is one, plain lines otherwise."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from parcours_xl.operations.smoke import JourneyReport
from parcours_xl.operations.wording import seconds

Segments = list[dict[str, Any]]

COLOURS = {
    "queued": "dim",
    "generating": "yellow",
    "first": "cyan",
    "complete": "green",
    "failed": "red",
}
NOW = {
    "queued": "waits for its turn",
    "generating": "is being composed",
    "first": "can be heard (preview)",
    "complete": "is stored",
    "failed": "has failed",
}


@contextmanager
def following(console: Console) -> Iterator[Callable[[Segments], None]]:
    """A function that shows how far the segments are, for as long as the block lasts."""
    started_at = time.monotonic()
    if not console.is_terminal:
        yield _plain_lines(console, started_at)
        return
    with Live(console=console, transient=True) as live:
        yield lambda segments: live.update(_progress(segments, time.monotonic() - started_at))


def show_journey(console: Console, report: JourneyReport) -> None:
    """What was written and composed, and where each track was fetched."""
    if report.title:
        console.print(f"\n[bold]{report.title}[/]\n[italic]{report.brief}[/]\n")
    console.print(_tracks_table(report))
    console.print("\n[bold]Signed URLs that were fetched[/] (their tokens are not shown)")
    for track in report.tracks:
        # One line each however narrow the terminal is: an address is there to be copied.
        console.print(f"  {track.index + 1}  {track.url}", soft_wrap=True)
    console.print()


def show_facts(console: Console, facts: Mapping[str, str]) -> None:
    """Names and what is said of them, in two columns."""
    table = Table.grid(padding=(0, 2))
    for name, said in facts.items():
        table.add_row(name, said)
    console.print(table)


def name_times(report: JourneyReport) -> dict[str, str]:
    """The latencies (docs/specification.md#targets), and how long the music is."""
    return {
        "First preview (TTFP)": seconds(report.first_preview_s),
        "First complete (TTFC)": seconds(report.first_complete_s),
        "Run ready": seconds(report.ready_s),
        "Journey": f"{report.planned_s / 60:.1f} min in {len(report.tracks)} segments",
    }


def _plain_lines(console: Console, started_at: float) -> Callable[[Segments], None]:
    seen: dict[int, str] = {}

    def show(segments: Segments) -> None:
        for segment in segments:
            index, status = segment["segment_index"], segment["status"]
            if seen.get(index) != status:
                seen[index] = status
                elapsed_s = time.monotonic() - started_at
                console.print(f"{elapsed_s:6.1f} s  segment {index + 1} {NOW[status]}")

    return show


def _progress(segments: Segments, elapsed_s: float) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(f"[bold]{elapsed_s:5.1f} s[/]", "")
    for segment in segments:
        status = segment["status"]
        title = segment["metadata"].get("title", "")
        colour = COLOURS[status]
        table.add_row(
            f"[{colour}]segment {segment['segment_index'] + 1}[/]",
            f"[{colour}]{NOW[status]}[/]",
            f"[dim]{title}[/]",
        )
    return table


def _tracks_table(report: JourneyReport) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Segment", "State"):
        table.add_column(heading)
    for heading in ("Preview", "Complete", "Planned", "Fetched", "Size", "Range"):
        table.add_column(heading, justify="right")
    for track in report.tracks:
        table.add_row(
            track.title,
            f"[green]{track.status}[/]",
            seconds(track.preview_after_s),
            seconds(track.complete_after_s),
            f"{track.planned_s} s",
            f"{track.seconds:.0f} s",
            f"{track.bytes / 1e6:.1f} MB",
            str(track.range_status),
        )
    return table
