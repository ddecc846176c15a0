"""`python -m benchmarks latency`, `capacity`, `page`, `growth`, …; `--json` for machines."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.capacity import PHASES, Workload, measure_capacity
from benchmarks.dataset import prepare_dataset
from benchmarks.deployment import running_deployment
from benchmarks.growth import measure_growth
from benchmarks.latency import Effort, measure_latencies
from benchmarks.machine import describe_machine
from benchmarks.memory import TRACK_BYTES, TRACKS, measure_memory
from benchmarks.page import ROUNDS, measure_page
from benchmarks.preview import Effort as PreviewEffort
from benchmarks.preview import measure_preview
from benchmarks.starvation import Attack, measure_starvation
from benchmarks.tables import (
    show_capacity,
    show_growth,
    show_latencies,
    show_memory,
    show_page,
    show_preview,
    show_starvation,
)
from parcours_dev.player_build import build_player

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

TINY_EFFORT = Effort(requests_alone=3, requests_together=32, rounds=1, settled=False)
TINY_WORKLOAD = Workload(runs=12, deadlines=2, warming_s=1, measured_s=2)
TINY_TRACKS, TINY_TRACK_BYTES = 2, 200_000
TINY_PREVIEW = PreviewEffort(taps=2, apart_s=0.1, speed=10)
TINY_GROWTH = 2000

Tiny = Annotated[
    bool, typer.Option("--tiny", help="See that everything works; the figures mean nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]


@app.command()
def latency(
    as_json: AsJson = False,
    tiny: Tiny = False,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often everything is measured.")
    ] = Effort.rounds,
) -> None:
    """Measure the functions beside PostgREST, and the service's memory. About three minutes."""
    console, report = _begin(as_json)
    with running_deployment() as deployment:
        effort = TINY_EFFORT if tiny else Effort(rounds=rounds)
        rows = measure_latencies(deployment, effort, console.print)
    if not as_json:
        show_latencies(console, rows)
    tracks, track_bytes = (TINY_TRACKS, TINY_TRACK_BYTES) if tiny else (TRACKS, TRACK_BYTES)
    console.print(f"storing {tracks} tracks")
    with running_deployment(TRANSFERS_MAX=str(tracks)) as deployment:
        memory = measure_memory(deployment, prepare_dataset(deployment), tracks, track_bytes)
    if as_json:
        _print(report | {"latency": rows, "memory": memory})
        return
    show_memory(console, memory)


@app.command()
def capacity(
    as_json: AsJson = False,
    tiny: Tiny = False,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long each number of workers is looked at.")
    ] = Workload.measured_s,
) -> None:
    """Measure one worker, then four, on 1,000 runs in hand. About four minutes."""
    console, report = _begin(as_json)
    workload = TINY_WORKLOAD if tiny else Workload(measured_s=seconds)
    rows = measure_capacity(workload, PHASES[1:2] if tiny else PHASES, console.print)
    if as_json:
        _print(report | {"capacity": rows})
        return
    show_capacity(console, rows)


@app.command()
def page(
    as_json: AsJson = False,
    tiny: Tiny = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often the page is opened.")] = ROUNDS,
) -> None:
    """Measure a first visit to the page on a slow line, in Chromium. About one minute."""
    console, report = _begin(as_json)
    build_player()
    # Suno as quick as it is: nothing but the bed can be heard first.
    with running_deployment(speed=1) as deployment:
        figures = measure_page(f"{deployment.project.url}/", 1 if tiny else rounds)
    if as_json:
        _print(report | {"page": figures})
        return
    show_page(console, figures)


@app.command()
def preview(
    as_json: AsJson = False,
    tiny: Tiny = False,
    taps: Annotated[int, typer.Option(min=1, help="How many listeners.")] = PreviewEffort.taps,
) -> None:
    """Measure tap to preview, FIRST_SEGMENT_EARLY off and on. About five minutes."""
    console, report = _begin(as_json)
    rows = measure_preview(TINY_PREVIEW if tiny else PreviewEffort(taps=taps), console.print)
    if as_json:
        _print(report | {"preview": rows})
        return
    show_preview(console, rows)


@app.command()
def starvation(as_json: AsJson = False, tiny: Tiny = False) -> None:
    """Measure one run alone, then beside 25 users who forge callbacks. About three minutes."""
    console, report = _begin(as_json)
    attack = Attack(users=2, runs=1, warming_s=1, speed=100) if tiny else Attack()
    figures = measure_starvation(attack, console.print)
    if as_json:
        _print(report | {"starvation": figures})
    else:
        show_starvation(console, figures)
    too_slow = figures["ratio"] > figures["ratio_max"] and not tiny
    if too_slow or figures["questions_about_the_unsubmitted"]:
        raise typer.Exit(1)


@app.command()
def growth(
    as_json: AsJson = False,
    tiny: Tiny = False,
    runs: Annotated[
        int, typer.Option(min=1000, help="Finished runs, four segments and 30 events each.")
    ] = 100_000,
) -> None:
    """Measure what the database reads when it holds a lot. About six minutes."""
    console, report = _begin(as_json)
    with running_deployment() as deployment:
        figures = measure_growth(deployment, TINY_GROWTH if tiny else runs, console.print)
    if as_json:
        _print(report | {"growth": figures})
    else:
        show_growth(console, figures)
    if figures["over"] and not tiny:
        raise typer.Exit(1)


def _begin(as_json: bool) -> tuple[Console, dict[str, Any]]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Console(stderr=as_json, highlight=False), {"at": now} | describe_machine()


def _print(report: dict[str, Any]) -> None:
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    app()
