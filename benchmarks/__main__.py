"""`python -m benchmarks latency`, `… capacity`. With `--json`, for machines."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.capacity import Crowd, measure_capacity
from benchmarks.house import running_house
from benchmarks.latency import Effort, measure_latencies
from benchmarks.machine import describe_machine
from benchmarks.memory import TRACKS, measure_memory
from benchmarks.stock import lay_in
from benchmarks.tables import show_capacity, show_latencies, show_memory

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]


@app.command()
def latency(
    as_json: AsJson = False,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often everything is measured.")
    ] = Effort.rounds,
) -> None:
    """Measure the functions beside PostgREST, and the service's memory. About three minutes."""
    console, report = _begin(as_json)
    with running_house() as house:
        rows = measure_latencies(house, Effort(rounds=rounds), console.print)
    if not as_json:
        show_latencies(console, rows)
    console.print(f"storing {TRACKS} large tracks")
    with running_house(TRANSFERS_MAX=str(TRACKS)) as house:
        memory = measure_memory(house, lay_in(house))
    if as_json:
        _print(report | {"latency": rows, "memory": memory})
        return
    show_memory(console, memory)


@app.command()
def capacity(
    as_json: AsJson = False,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long one worker, and four, are looked at.")
    ] = Crowd.measured_s,
) -> None:
    """Measure one worker, then four, on 1,000 runs in hand. About three minutes."""
    console, report = _begin(as_json)
    rows = measure_capacity(Crowd(measured_s=seconds), (1, 4), console.print)
    if as_json:
        _print(report | {"capacity": rows})
        return
    show_capacity(console, rows)


def _begin(as_json: bool) -> tuple[Console, dict[str, Any]]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Console(stderr=as_json, highlight=False), {"at": now} | describe_machine()


def _print(report: dict[str, Any]) -> None:
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    app()
