"""One whole deployment for all these tests."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from parcours_dev.supabase.project import LocalProject
from tests.end_to_end.deployment import Deployment, running_deployment
from tests.end_to_end.on_call import OnCall, on_duty

ANSWERED = "answered"
"""A test's property: how many requests were answered with which HTTP status."""


@pytest.fixture(scope="session")
def session_deployment(stack: LocalProject) -> Iterator[Deployment]:
    with running_deployment(stack) as deployment:
        yield deployment


@pytest.fixture
def deployment(session_deployment: Deployment) -> Iterator[Deployment]:
    """The deployment, with nothing due and no faults."""
    session_deployment.forget_work()
    session_deployment.clear_faults()
    yield session_deployment
    session_deployment.clear_faults()


@pytest.fixture(scope="module")
def duty(module_state_dir: Path) -> Iterator[OnCall]:
    with on_duty(module_state_dir) as on_call:
        yield on_call


@pytest.fixture
def on_call(duty: OnCall) -> Iterator[OnCall]:
    """Nothing has happened yet, and nothing is wrong."""
    duty.deployment.clear_faults()
    duty.deployment.forget_the_past()
    duty.deployment.forget_work()
    yield duty
    duty.deployment.clear_faults()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many requests were answered, by all the processes that sent some."""
    answered = Counter[int]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                answered.update(dict(report.user_properties).get(ANSWERED, {}))
    if answered:
        told = ", ".join(f"{status}: {count}" for status, count in sorted(answered.items()))
        terminalreporter.write_line(f"{answered.total()} requests were answered ({told})")
