"""A real PostgreSQL on one port of the loopback address, its data in the project's folder."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from parcours_dev.accounts import can_enter, make_folder, server_account
from parcours_dev.errors import LocalError
from parcours_dev.processes import Server, running_server, wait_until_ready
from parcours_dev.supabase.binaries import Binaries
from parcours_dev.supabase.project import LocalProject

SUPERUSER = "supabase_admin"
MAJOR = "17"

# Where root's database is when the account that serves it cannot enter the state folder.
SHARED_DATA = Path("/var/lib/parcours-xl")

INITDB_OPTIONS = ("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync")

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_level": "logical",  # as hosted, where Realtime reads it
}
# A database that nobody will miss: for tests, which start many.
FAST_UNSAFE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

LEFTOVER_STOP_S_MAX = 10.0


def data_dir(state_dir: Path) -> Path:
    """Where the database of a state folder is kept: in it, unless its server could not enter."""
    if can_enter(state_dir):
        return state_dir / "postgres"
    place = hashlib.sha256(str(state_dir).encode()).hexdigest()[:16]
    return SHARED_DATA / place / "postgres"


@contextmanager
def running_postgres_server(
    project: LocalProject, binaries: Binaries, *, durable: bool
) -> Iterator[Server]:
    """PostgreSQL, accepting connections, until the end of the block.

    The first time its data folder is made, with only the superuser in it. Without `durable` a
    crash of the machine may cost the data. Raises LocalError when it does not start.
    """
    data = data_dir(project.state_dir)
    if data.exists():
        _check_version(data)
        stop_leftover(data)
    else:
        _create_data(data, project.database_password, binaries.initdb)
    settings = SETTINGS if durable else SETTINGS | FAST_UNSAFE_SETTINGS
    options = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
    with running_server(
        "PostgreSQL",
        [binaries.postgres, "-D", data, "-p", str(project.postgres_port), *options],
        log=project.logs_dir / "postgres.log",
        environment=_environment(),
        account=server_account(),
        stop_signal=signal.SIGINT,
    ) as server:
        wait_until_ready(server, lambda: _accepts_connections(project))
        yield server


def _environment() -> dict[str, str]:
    """Ours, without what would make PostgreSQL's programs behave otherwise."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}


def _create_data(data: Path, password: str, initdb: Path) -> None:
    """Make the data folder, whole or not at all."""
    account = server_account()
    make_folder(data.parent)
    with tempfile.TemporaryDirectory(prefix="initdb-", dir=data.parent) as name:
        beside = Path(name)
        beside.chmod(0o711)
        fresh, secret = beside / "data", beside / "password"
        fresh.mkdir(mode=0o700)
        secret.touch(mode=0o600)
        secret.write_text(password + "\n")
        if account is not None:
            os.chown(fresh, account, account)
            os.chown(secret, account, account)
        _initdb(fresh, secret, initdb)
        fresh.rename(data)


def _initdb(fresh: Path, secret: Path, initdb: Path) -> None:
    account = server_account()
    done = subprocess.run(  # noqa: S603 - our own program
        [initdb, "-D", fresh, "-U", SUPERUSER, "--pwfile", secret, *INITDB_OPTIONS],
        cwd="/",
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        user=account,
        group=account,
        extra_groups=None if account is None else [],
    )
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"code {done.returncode}"
        raise LocalError(f"PostgreSQL could not make its data folder: {said}")


def _check_version(data: Path) -> None:
    version = data / "PG_VERSION"
    found = version.read_text().strip() if version.exists() else "an unknown version"
    if found != MAJOR:
        raise LocalError(f"{data} is of PostgreSQL {found}, not {MAJOR}; start with --fresh.")


def stop_leftover(data: Path) -> None:
    """Stop a PostgreSQL that outlived the start before, and forget a lock file without owner.

    Only the holder of the state folder's lock comes here, so nobody else is using this data.
    """
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if not _serves(pid, data):
        # After a crash another process may have that number: PostgreSQL would refuse to start.
        lock.unlink(missing_ok=True)
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + LEFTOVER_STOP_S_MAX
    while _serves(pid, data):
        if time.monotonic() > deadline:
            raise LocalError(f"An older PostgreSQL (process {pid}) still serves {data}: stop it.")
        time.sleep(0.02)


def _serves(pid: int, data: Path) -> bool:
    """Whether that process is a PostgreSQL on this data folder."""
    shown = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return str(data) in shown.read_text().split("\0")
        return False
    ps = shutil.which("ps") or "/bin/ps"
    told = subprocess.run(  # noqa: S603
        [ps, "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return f"-D {data} " in told.stdout


def _accepts_connections(project: LocalProject) -> bool:
    try:
        psycopg.connect(project.database_url(SUPERUSER), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
