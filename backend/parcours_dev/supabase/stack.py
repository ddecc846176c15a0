"""The embedded Supabase as a whole: started, ready, and stopped again."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from parcours_dev.errors import LocalError
from parcours_dev.ports import is_free
from parcours_dev.processes import Server, running_server, wait_until_ready
from parcours_dev.supabase.binaries import Binaries, find_binaries
from parcours_dev.supabase.database import bootstrap_database
from parcours_dev.supabase.migrations import MIGRATIONS, apply_migrations
from parcours_dev.supabase.postgres import data_dir, running_postgres_server, stop_leftover
from parcours_dev.supabase.postgrest import answers, running_postgrest
from parcours_dev.supabase.project import LocalProject, open_project

LOCK_FILE = "lock"
OURS = ("postgres", "storage", "logs", "project.json", "postgrest-keys.json", "dev.env")


@contextmanager
def held_state(state_dir: Path, *, fresh: bool = False) -> Iterator[None]:
    """Keep a state folder for ourselves; `fresh` empties it of what earlier starts left.

    Raises LocalError when another process is using it.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(state_dir / LOCK_FILE, blocking=False)
        lock.acquire()
    except Timeout:
        raise LocalError(f"Another embedded Supabase is running in {state_dir}.") from None
    except OSError as error:
        reason = error.strerror or error
        raise LocalError(f"The state folder {state_dir} cannot be used: {reason}.") from error
    try:
        if fresh:
            forget(state_dir)
        yield
    finally:
        lock.release()


def forget(state_dir: Path) -> None:
    """Remove what the embedded Supabase keeps in a state folder, and nothing else."""
    data = data_dir(state_dir)
    stop_leftover(data)
    for path in (data, *(state_dir / name for name in OURS)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def running_postgres(
    state_dir: Path,
    *,
    durable: bool = False,
    migrations: Path | None = None,
) -> Iterator[LocalProject]:
    """Only the database, bootstrapped and migrated."""
    with held_state(state_dir.resolve()):
        project = open_project(state_dir, port=0)
        with running_database(project, find_binaries(), durable=durable, migrations=migrations):
            yield project


@contextmanager
def running_stack(
    state_dir: Path,
    *,
    port: int | None = 0,
    durable: bool = False,
    migrations: Path | None = None,
) -> Iterator[LocalProject]:
    """The whole embedded Supabase, ready to answer at `project.url`."""
    with held_state(state_dir.resolve()):
        project = open_project(state_dir, port)
        with started_servers(project, durable=durable, migrations=migrations):
            yield project


@contextmanager
def started_servers(
    project: LocalProject, *, durable: bool, migrations: Path | None
) -> Iterator[tuple[Server, ...]]:
    """Every server of a project whose state we hold, all ready; stopped in reverse order."""
    check_port(project.port)
    binaries = find_binaries()
    with (
        running_database(project, binaries, durable=durable, migrations=migrations) as postgres,
        running_postgrest(project, binaries) as postgrest,
        running_gateway(project) as gateway,
    ):
        yield postgres, postgrest, gateway


@contextmanager
def running_database(
    project: LocalProject, binaries: Binaries, *, durable: bool, migrations: Path | None
) -> Iterator[Server]:
    """PostgreSQL with the project's database in it, bootstrapped and migrated."""
    with running_postgres_server(project, binaries, durable=durable) as server:
        bootstrap_database(project)
        apply_migrations(project.database_url(), migrations or MIGRATIONS)
        yield server


@contextmanager
def running_gateway(project: LocalProject) -> Iterator[Server]:
    """Auth, Storage and the gateway, which share one process."""
    with running_server(
        "The gateway",
        [sys.executable, "-m", "parcours_dev.supabase.servers", project.state_dir],
        log=project.logs_dir / "gateway.log",
    ) as server:
        wait_until_ready(server, lambda: answers(f"{project.url}/auth/v1/health"))
        yield server


def check_port(port: int) -> None:
    """Raises LocalError when something else listens on the gateway's port."""
    if not is_free(port):
        raise LocalError(f"Port {port} is taken: stop what uses it, or choose another with --port.")
