"""`python -m benchmarks`: latency, throughput and memory. With `--json`, for machines."""

import json
import sys
from datetime import UTC, datetime

import typer
from rich.console import Console

from benchmarks.house import running_house
from benchmarks.latency import Effort, measure_latencies
from benchmarks.machine import describe_machine
from benchmarks.memory import TRACKS, measure_memory
from benchmarks.stock import lay_in
from benchmarks.tables import show_latencies, show_memory


def run(
    as_json: bool = typer.Option(False, "--json", help="Print figures as JSON."),
    rounds: int = typer.Option(Effort.rounds, min=1, help="How often everything is measured."),
) -> None:
    """Measure the functions beside PostgREST, and the service's memory. About three minutes."""
    console = Console(stderr=as_json, highlight=False)
    report = {"command": "make bench", "at": datetime.now(UTC).isoformat(timespec="seconds")}
    report |= describe_machine()
    with running_house() as house:
        latencies = measure_latencies(house, Effort(rounds=rounds), console.print)
    console.print("storing tracks")
    with running_house(TRANSFERS_MAX=str(TRACKS)) as house:
        memory = measure_memory(house, lay_in(house))
    if as_json:
        json.dump(report | {"latency": latencies, "memory": memory}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        show_latencies(console, latencies)
        show_memory(console, memory)


if __name__ == "__main__":
    typer.run(run)
