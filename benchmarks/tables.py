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
