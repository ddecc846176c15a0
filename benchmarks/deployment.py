"""The deployment that is measured: a whole one, each part a process, on this machine only."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parcours_dev import deployment
from parcours_dev.deployment import (
    Simulation,
    listens,
    supabase_environment,
    temporary_state,
    vendor_environment,
)
from parcours_dev.ports import choose_free_ports
from parcours_dev.processes import Server, running_server, wait_until_ready
from parcours_dev.supabase.project import LocalProject
from parcours_dev.supabase.stack import running_stack

Rows = list[dict[str, Any]]

ROOT = Path(__file__).parents[1]
QUICK = 100_000.0
"""The simulated vendors answer at once."""


@dataclass(frozen=True)
class Deployment(deployment.Deployment):
    """tracks_port: where tracks can be fetched."""

    tracks_port: int

    @property
    def service_pid(self) -> int:
        """The process of `parcours serve`."""
        return find_child(self.service)


@contextmanager
def running_deployment(speed: float = QUICK, **settings: str) -> Iterator[Deployment]:
    """`parcours serve` with these settings, its Supabase and its vendors."""
    with ExitStack() as started:
        folder = started.enter_context(temporary_state("parcours-bench-"))
        project = started.enter_context(running_stack(folder, durable=True))
        simulation = Simulation(speed=speed, track_seconds=8, signal="tones")
        tracks_port = started.enter_context(running_tracks(project))
        environment = (
            supabase_environment(project)
            | vendor_environment(project)
            | {
                # As the image sets them.
                "LOG_FORMAT": "json",
                "MALLOC_ARENA_MAX": "2",
                "DAILY_RUN_QUOTA": "10000",
                "TRACK_HOSTS_EXACT": f"127.0.0.1:{project.suno_port},127.0.0.1:{tracks_port}",
            }
            | settings
        )
        running = deployment.running_deployment(project, simulation, environment)
        begun = started.enter_context(running)
        yield Deployment(project, environment, begun.simulators, begun.service, tracks_port)


@contextmanager
def running_tracks(project: LocalProject) -> Iterator[int]:
    """A host of tracks of any size: the port where it answers."""
    [port] = choose_free_ports(1)
    command = [sys.executable, "-m", "benchmarks.tracks", str(port)]
    with running_server(
        "The host of tracks", command, log=project.logs_dir / "tracks.log", folder=ROOT
    ) as server:
        wait_until_ready(server, lambda: listens(port))
        yield port


@contextmanager
def running_worker(begun: Deployment, number: int) -> Iterator[int]:
    """One `parcours worker`: its process."""
    log = begun.project.logs_dir / f"worker-{number}.log"
    command = [sys.executable, "-m", "parcours_xl.cli.main", "worker"]
    environment = {"PATH": os.environ["PATH"], **begun.environment}
    with running_server("A worker", command, log=log, environment=environment) as server:
        wait_until_ready(server, lambda: "worker.started" in log.read_text())
        yield find_child(server)


def find_child(server: Server) -> int:
    """The process that a supervisor keeps."""
    supervisor = server.supervisor.pid
    [child] = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return int(child)


def cpu_seconds(pid: int) -> float:
    """How long a process has used a core, its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid: int) -> int:
    """The most memory that a process has held so far (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    [peak] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(peak) * 1024


class Generator:
    """The load generator, in its own process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.generator"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def load(self, port: int, requests: list[str], concurrent: int) -> dict[str, Any]:
        """What `generator.load` saw. AssertionError when the generator has died."""
        assert self._process.stdin and self._process.stdout, "both ends are pipes"
        order = {"port": port, "requests": requests, "concurrent": concurrent}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the load generator ended"
        return dict(json.loads(line))

    def close(self) -> None:
        """End it."""
        self._process.communicate()
