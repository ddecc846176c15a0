"""The figures as people read them."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


def show_latencies(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """One line a call; milliseconds, requests a second, and both beside the state-changing call."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("call")
    for heading in ("at once", "p50 ms", "p99 ms", "a second", "p50 is", "throughput is"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["call"],
            str(row["concurrent"]),
            f"{row['p50_ms']:.2f}",
            f"{row['p99_ms']:.2f}",
            f"{row['per_second']:.0f}",
            f"{row['p50_ratio']:.2f} x",
            f"{row['throughput_ratio']:.2f} x",
        )
    console.print(table)


def show_memory(console: Console, memory: dict[str, Any]) -> None:
    """One sentence."""
    console.print(
        f"{memory['tracks']} tracks of {memory['track_mb']:.0f} MB at once, stored in"
        f" {memory['seconds']:.0f} s: peak {memory['peak_mb']:.0f} MB of memory"
        f" (before: {memory['idle_mb']:.0f} MB).\n"
    )


def show_page(console: Console, page: dict[str, Any]) -> None:
    """What arrived before Start, and before the first sound."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("what arrived")
    table.add_column("bytes", justify="right")
    for name, size in page["before_sound"].items():
        when = "" if name in page["before_start"] else " (after Start)"
        table.add_row(f"{name}{when}", str(size))
    console.print(table)
    console.print(
        f"Start after {page['start_s']:.1f} s and {page['bytes_before_start']} bytes;"
        f" a sound {page['tap_to_sound_s']:.1f} s after the tap,"
        f" {page['bytes_before_sound']} bytes in all.\n"
    )


def show_preview(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """One column a setting; seconds since the tap, medians."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("after the tap")
    for row in rows:
        heading = "early" if row["early"] else "by the runner"
        table.add_column(heading, justify="right")
    for name, key, shown in (
        ("create answers", "create_s", "{:.2f} s"),
        ("Suno has the first segment", "submitted_s", "{:.2f} s"),
        ("its preview is there", "arrived_s", "{:.2f} s"),
        ("the page has read it", "read_s", "{:.2f} s"),
        ("that is over Suno's own time", "over_s", "{:.2f} s"),
        ("at worst", "over_s_max", "{:.2f} s"),
        ("reading it, with pauses of 750 ms", "reading_slow_ms", "{:.0f} ms"),
        ("reading it, as the page does", "reading_ms", "{:.0f} ms"),
    ):
        table.add_row(name, *(shown.format(row[key]) for row in rows))
    console.print(table)
    console.print(f"Suno's own time is {rows[0]['suno_s']:.1f} s; the aim is {rows[0]['aim_s']} s.")


def show_growth(console: Console, growth: dict[str, Any]) -> None:
    """One line a query, then the commands of operators."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("query")
    for heading in ("buffers", "at most", "ms"):
        table.add_column(heading, justify="right")
    for row in growth["queries"]:
        limit = str(growth["buffers_max"]) if row["bounded"] else ""
        table.add_row(row["query"], str(row["buffers"]), limit, f"{row['ms']:.1f}")
    console.print(table)
    for command, took in growth["commands"].items():
        console.print(f"{command}: {took['s']:.2f} s (at most {took['s_max']} s)")
    console.print(f"Over a limit: {', '.join(growth['over']) or 'nothing'}.")


def show_capacity(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """One column a number of workers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for row in rows:
        doing = "storing" if row["storing"] else "nothing to store"
        table.add_column(f"{row['workers']} at work, {doing}", justify="right")
    lines = {
        "runs in hand": "runs_in_hand",
        "Suno calls a window, average": "suno_calls_a_window",
        "Suno calls a window, worst": "suno_calls_worst_window",
        "database calls a second": "database_calls_a_second",
        "of a core, the service": "service_cpu_share",
    }
    for name, key in lines.items():
        table.add_row(name, *(f"{row[key]:g}" for row in rows))
    table.add_row(
        "of a core, each worker",
        *(", ".join(f"{share:.1%}" for share in row["worker_cpu_share"]) for row in rows),
    )
    for action in sorted({action for row in rows for action in row["served"]}):
        table.add_row(
            f"{action}: worst delay", *(_delay(row["served"].get(action)) for row in rows)
        )
    console.print(table)


def _delay(served: dict[str, float] | None) -> str:
    return f"{served['worst_late_s']:.2f} s of {served['served']}" if served else "-"


def show_starvation(console: Console, figures: dict[str, Any]) -> None:
    """One sentence for the neighbour, one for what the attack came to."""
    console.print(
        f"One run alone: {figures['alone_s']:.1f} s. Beside {figures['users']} users who forge"
        f" callbacks for {figures['runs']} runs: {figures['beside_s']:.1f} s,"
        f" {figures['ratio']:.2f} x (at most {figures['ratio_max']} x).\n"
        f"Forged callbacks by answer: {figures['forged']}. Segments submitted: {figures['claims']}."
        f" Questions to Suno: {figures['questions']}, of segments never submitted:"
        f" {figures['questions_about_the_unsubmitted']}. Jobs to store:"
        f" {figures['tracks_queue']}."
    )
