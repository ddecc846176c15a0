"""The demonstration on a terminal: live where there is one, plain lines otherwise."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from parcours_xl.local.demonstration.report import JourneyReport

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


def show_report(console: Console, report: JourneyReport) -> None:
    """The closing tables, and what is not as it must be."""
    console.print(f"\n[bold]{report.title}[/]\n[italic]{report.brief}[/]\n")
    console.print(_tracks_table(report))
    console.print("\n[bold]Signed URLs that were fetched[/] (their tokens are not shown)")
    for track in report.tracks:
        # One line each however narrow the terminal is: an address is there to be copied.
        console.print(f"  {track.index + 1}  {track.url}", soft_wrap=True)
    console.print()
    console.print(_times_table(report))
    for fault in report.faults:
        console.print(f"[bold red]Not so:[/] {fault}")
    if not report.faults:
        count = len(report.tracks)
        console.print(f"[bold green]The run is ready: {count} tracks signed and fetched.[/]")


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
            _seconds(track.preview_after_s),
            _seconds(track.complete_after_s),
            f"{track.planned_s} s",
            f"{track.seconds:.0f} s",
            f"{track.bytes / 1e6:.1f} MB",
            str(track.range_status),
        )
    return table


def _times_table(report: JourneyReport) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("First preview (TTFP)", _seconds(report.first_preview_s))
    table.add_row("First complete (TTFC)", _seconds(report.first_complete_s))
    table.add_row("Run ready", _seconds(report.ready_s))
    table.add_row("Journey", f"{report.planned_s / 60:.1f} min in {len(report.tracks)} segments")
    table.add_row("Another user", f"refused, {report.stranger}")
    table.add_row("Anonymous caller", f"refused, {report.anonymous}")
    if report.speed != 1:
        table.add_row("", f"[dim]The simulated Suno waited {report.speed:g} times less.[/]")
    return table


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
