"""What every test may ask for: a state folder, a database of its own, a whole running stack."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from parcours_dev import ports
from parcours_dev.deployment import temporary_state
from parcours_dev.supabase.database import copy_database, temporary_database
from parcours_dev.supabase.project import LocalProject
from parcours_dev.supabase.stack import running_postgres, running_stack
from tests.containers import is_asked_for
from tests.real.project import RealProject, is_chosen, read_project

pytest_plugins = ["tests.fixtures.service_fixtures"]

PRISTINE = "pristine"
PROCESSES_MAX = 8

TESTS = Path(__file__).parent
KINDS = {
    "unit": ("", "clients", "domain", "dev/simulators", "player"),
    "sql": ("sql",),
    "api": ("api", "contract", "operations", "real", "services", "worker"),
    "end_to_end": ("dev", "end_to_end"),
    "browser": ("browser",),
}
"""Each kind of test, a marker, and the folders that hold it; the empty name is tests/ itself."""

SLOW = (
    "api/test_request_limits.py",
    "api/test_serve_command.py",
    "contract/test_contract.py",
    "operations/test_doctor.py",
    "operations/test_secrets_in_logs.py",
    "services/test_loudness.py",
    "services/test_suno_cases.py",
    "services/test_track_storage.py",
    "sql/test_adoption.py",
    "sql/test_state_machine.py",
    "sql/test_quota_race.py",
    "sql/test_races.py",
    "sql/test_load.py",
    "sql/test_supabase_cli.py",
    "test_logs.py",
    "worker/test_run_handler.py",
    "worker/test_track_handler.py",
    "worker/test_worker.py",
)
"""Modules that `make test-fast` leaves out: they wait in real time, run processes, or try much."""

RERUN = ("browser", "end_to_end")
"""Kinds that run many processes, or sound, in real time: a neighbour on a shared machine may spoil
one. It is tried once more, and the summary names it."""


def pytest_configure() -> None:
    """Test processes that run beside one another draw their ports from sets of their own."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports.FREE_PORTS = ports.FREE_PORTS[number % PROCESSES_MAX :: PROCESSES_MAX]
    catch_interrupts()


def catch_interrupts() -> None:
    """Let commands under test be stopped by SIGINT where a shell has it ignored for this process.

    A shell without job control, and nohup, start what runs in the background so. An ignored signal
    stays ignored in every process that is started from here; a caught one is back to its default.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda _signal, _frame: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its kind, by its folder."""
    for item in items:
        module = item.path.relative_to(TESTS)
        item.add_marker(kind := kind_of(module))
        if kind in RERUN:
            item.add_marker(pytest.mark.flaky(reruns=1))
        if module.as_posix() in SLOW:
            item.add_marker("slow")


def kind_of(module: Path) -> str:
    """The kind of a test module, by the innermost folder that KINDS names."""
    kinds = {folder: kind for kind, folders in KINDS.items() for folder in folders}
    if module.parent == Path():
        return kinds[""]
    for folder in module.parents:
        if (name := folder.as_posix()) in kinds:
            return kinds[name]
    raise pytest.UsageError(f"tests/conftest.py: KINDS does not say of what kind {module} is")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A new state folder which PostgreSQL may enter even when root runs the tests."""
    with temporary_state("parcours-") as folder:
        yield folder


@pytest.fixture(scope="module")
def module_state_dir() -> Iterator[Path]:
    """A state folder for the servers of one test module."""
    with temporary_state("parcours-") as folder:
        yield folder


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalProject | RealProject]:
    """One embedded Supabase for the whole session. Tests leave users and rows of their own only.

    With PARCOURS_CONTRACT=real it is the project that the environment names, cleared up afterwards.
    """
    if is_chosen():
        real = read_project()
        yield real
        asyncio.run(real.clear_up())
        return
    with temporary_state("parcours-") as folder, running_stack(folder) as project:
        yield project


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalProject]:
    """One PostgreSQL for the whole session, with a migrated database to make copies of.

    With PARCOURS_IMAGE it runs in a container.
    """
    if is_asked_for():
        from tests.containers.server import running_container

        with temporary_state("parcours-") as folder, running_container(folder, PRISTINE) as project:
            yield project
        return
    with temporary_state("parcours-") as folder, running_postgres(folder) as project:
        copy_database(project, PRISTINE, template="postgres")
        yield project


@pytest.fixture(scope="module")
def bootstrapped(
    module_state_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalProject]:
    """A PostgreSQL whose database is like a hosted one before its first migration."""
    none = tmp_path_factory.mktemp("no-migrations")
    with running_postgres(module_state_dir, migrations=none) as project:
        yield project


@pytest.fixture
def empty(bootstrapped: LocalProject) -> Iterator[str]:
    """The name of a database like a hosted one before its first migration."""
    with temporary_database(bootstrapped, "postgres") as name:
        yield name


@pytest.fixture(scope="module")
def database(postgres: LocalProject) -> Iterator[str]:
    """The name of a migrated database of this test module's own."""
    with temporary_database(postgres, PRISTINE) as name:
        yield name


@pytest.fixture
def fresh_database(postgres: LocalProject) -> Iterator[str]:
    """The name of a migrated database of this one test's own."""
    with temporary_database(postgres, PRISTINE) as name:
        yield name
