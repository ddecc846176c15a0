"""Somebody on call: a deployment whose Supabase can be stopped, and the runbook's commands."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from parcours_dev.processes import Server
from parcours_dev.supabase.project import LocalProject, open_project
from parcours_dev.supabase.stack import held_state, started_servers
from tests.end_to_end.deployment import Deployment, running_deployment, running_workers
from tests.end_to_end.runbook import stands_in_the_page
from tests.fixtures.operator import CommandResult, Operator
from tests.fixtures.waiting import wait_until

# The operator's minutes, shortened as the service's are (deployment.SHORT_TIMINGS).
SHORT_TARGETS = {
    "TTFP_TARGET_S": "1.8",
    "TTFC_TARGET_S": "2.5",
    "TTFC_ALERT_S": "2.5",
    "STUCK_S": "5",
    "OLD_JOB_S": "2",
    "MAINTENANCE_EVERY_S": "1",
    "DAILY_RUN_QUOTA": "1000",
}


@dataclass
class Supabase:
    """The servers of a project, stopped and started as a whole."""

    project: LocalProject
    _servers: list[AbstractContextManager[tuple[Server, ...]]] = field(default_factory=list)

    def start(self) -> None:
        servers = started_servers(self.project, durable=True, migrations=None)
        servers.__enter__()
        self._servers.append(servers)

    def stop(self) -> None:
        while self._servers:
            self._servers.pop().__exit__(None, None, None)


@dataclass(frozen=True)
class OnCall:
    """Somebody who has docs/runbook.md and a terminal. names: what its placeholders stand for."""

    deployment: Deployment
    supabase: Supabase
    operator: Operator
    names: dict[str, str]

    def type(self, *words: object) -> CommandResult:
        """Run a command of the page; AssertionError when it is none."""
        typed = tuple(map(str, words))
        assert stands_in_the_page(typed, self.names), f"not in docs/runbook.md: {typed}"
        return self.operator.run(*typed)

    def firing(self) -> set[str]:
        """The alerts that are firing; the exit status says whether any is."""
        told = self.type("alerts", "--json")
        names = {alert["name"] for alert in told.json if alert["firing"]}
        assert told.status == (1 if names else 0)
        return names

    def report(self) -> dict[str, Any]:
        return dict(self.type("report", "--since", "1h", "--json").json)

    def found(self, *words: str) -> dict[str, str]:
        """The doctor's findings, by name, in words; the exit status is its verdict."""
        told = self.type("doctor", *words, "--json")
        assert (
            told.status == {"healthy": 0, "action_required": 1, "queued": 5}[told.json["verdict"]]
        )
        findings = [finding for part in told.json["parts"] for finding in part["findings"]]
        return {finding["name"]: finding["message"] for finding in findings}

    def wait_until_found(self, kind: str) -> dict[str, str]:
        """What the doctor finds once that is among it: Suno may be too busy to be asked at once."""
        found: dict[str, str] = {}

        def is_found() -> bool:
            found.clear()
            found.update(self.found())
            return kind in found

        wait_until(is_found, 30, lambda: str(found))
        return found

    def wait_until_well(self) -> None:
        """Until the doctor finds nothing: here minutes are seconds, and a slow one is a finding."""
        wait_until(lambda: self.found() == {}, 30, lambda: str(self.found()))

    def named_runs(self) -> set[str]:
        """The runs that the doctor names."""
        return set(re.findall(r"\brun ([0-9a-f-]{36})", self.type("doctor").out))

    def logs(self, run_id: UUID) -> str:
        return self.type("logs", run_id).out

    def begin_runs(self, count: int = 3, segments: int = 1) -> list[UUID]:
        """So many listeners begin a journey. RUN is the first of them."""
        runs = [
            self.deployment.create_run(segments, self.deployment.sign_up()) for _ in range(count)
        ]
        for run_id in runs:
            self.deployment.start_run(run_id)
        self.names.clear()
        self.names.update({str(run_id): "RUN" for run_id in runs})
        return runs

    def wait_for_all(self, runs: list[UUID], status: str) -> None:
        for run_id in runs:
            self.deployment.wait_for(run_id, status, 60)

    def working(self) -> AbstractContextManager[None]:
        """One worker is at work, and looks after everything each second."""
        return running_workers(
            self.deployment, MAINTENANCE_EVERY_S="1", RETRY_LATER_PAUSES_S="1,1,1"
        )


@contextmanager
def on_duty(state_dir: Path) -> Iterator[OnCall]:
    """A deployment on a Supabase of its own, without a worker."""
    with held_state(state_dir.resolve()):
        supabase = Supabase(open_project(state_dir, 0))
        supabase.start()
        try:
            # No drill waits for an attempt to time out, however slow the machine is.
            with running_deployment(supabase.project, GIVE_UP_S="60") as deployment:
                environment: Mapping[str, str] = {**deployment.environment, **SHORT_TARGETS}
                yield OnCall(deployment, supabase, Operator(environment), {})
        finally:
            supabase.stop()
