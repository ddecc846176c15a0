"""A whole deployment for a browser: Supabase, the service with its worker, Suno and OpenAI."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from parcours_dev import deployment as development
from parcours_dev.deployment import Simulation, supabase_environment, vendor_environment
from parcours_dev.supabase.project import LocalProject
from tests.browser.page_proxy import PageProxy
from tests.browser.tcp_proxy import TcpProxy, running_tcp_proxy
from tests.fixtures.servers import running

TRACK_S = 14
FIRST_S, COMPLETE_S = 35, 150
SPEED = 30.0
"""A first preview after some 1.2 s, a whole track after 5 s."""

SHORT = Simulation(speed=SPEED, track_seconds=TRACK_S)
WHOLE = Simulation(speed=SPEED)
"""Journeys of 18 to 24 minutes."""


@dataclass(frozen=True)
class Deployment(development.Deployment):
    """tcp_proxy: all connections of the browser; its address is the page's. page_proxy: behind it,
    before the gateway; it can refuse single requests."""

    tcp_proxy: TcpProxy
    page_proxy: PageProxy

    @property
    def url(self) -> str:
        return f"{self.tcp_proxy.url}/"

    def count_runs(self) -> int:
        """Of everybody."""
        return int(self.query("select count(*) as runs from parcours_runs")[0]["runs"])

    def last_run(self) -> dict[str, Any]:
        [run] = self.query("select * from parcours_runs order by created_at desc limit 1")
        return run

    def moment(self, timestamp: str) -> float:
        """What the database wrote down, in seconds since 1970."""
        [row] = self.query("select extract(epoch from %s::timestamptz)::float as at", timestamp)
        return float(row["at"])

    def segments(self) -> list[dict[str, Any]]:
        """Those of the last run, in order."""
        return self.query(
            "select * from parcours_segments where run_id = %s order by segment_index",
            self.last_run()["id"],
        )

    def tune(self, **changes: object) -> None:
        """What the simulated Suno composes from now on, and how quickly."""
        self.control("PUT", "/settings", changes)

    def fail(self, fault: str, **how: object) -> None:
        """Have the simulated Suno misbehave."""
        self.control("POST", "/faults", {"fault": fault} | how)

    def recover(self) -> None:
        """Everything as it should be again, and nothing more composed for those who have left.

        Their runs would take the next listener's share of Suno's quota, and their tones. They are
        cancelled: the worker looks for runs that nobody holds, and takes them up again.
        """
        self.tcp_proxy.recover()
        self.page_proxy.recover()
        self.control("DELETE", "/faults")
        self.query("select cancel_run(id) from parcours_runs where status <> 'ready'")
        self.tune(signal="tones", uneven_db=0, track_seconds=TRACK_S)
        self.tune(speed=SPEED, first_s=FIRST_S, complete_s=COMPLETE_S)

    def bought(self) -> list[int]:
        """How many tasks Suno was given for each segment of the last run."""
        named = [task["segment"] for task in self.control("GET")["tasks"]]
        return [named.count(str(segment["id"])) for segment in self.segments()]

    def tones(self, place: int = 0) -> tuple[float, float]:
        """What the preview and the final of the last run's nth segment sound like, in Hz."""
        segment = str(self.segments()[place]["id"])
        [*_, task] = [task for task in self.control("GET")["tasks"] if task["segment"] == segment]
        track = task["tracks"][0]
        return track["stream_tone_hz"], track["tone_hz"]


@contextmanager
def running_deployment(
    project: LocalProject, simulation: Simulation = SHORT
) -> Iterator[Deployment]:
    """Everything around one embedded Supabase, with journeys of less than a minute."""
    page_proxy = PageProxy(project.url)
    with running(page_proxy.app) as address, running_tcp_proxy(urlsplit(address).port) as tcp_proxy:
        environment = (
            supabase_environment(project)
            | vendor_environment(project)
            | simulation.environment()
            | {
                "SUPABASE_URL": tcp_proxy.url,
                "SUPABASE_JWT_ISSUER": f"{project.url}/auth/v1",
                "CALLBACK_BASE": f"{project.url}/functions/v1/parcours-xl-callback",
                "DAILY_RUN_QUOTA": "1000",
                "WORKER_TICK_S": "0.5",
            }
        )
        with development.running_deployment(project, simulation, environment) as begun:
            servers = begun.simulators, begun.service
            yield Deployment(project, environment, *servers, tcp_proxy, page_proxy)
