"""The embedded Supabase starts whole, recovers from what befell it, and gives way to nobody."""

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import psycopg
import pytest

from parcours_dev.errors import LocalError
from parcours_dev.ports import is_free
from parcours_dev.supabase.project import LocalProject, load_project
from parcours_dev.supabase.stack import forget, held_state, running_postgres, running_stack
from tests.fixtures.waiting import wait_until

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")

KEPT_FOLDER = "kept-by-a-person"


def remember(project: LocalProject, word: str) -> None:
    with psycopg.connect(project.database_url()) as connection:
        connection.execute("create table if not exists public.memory (word text)")
        connection.execute("insert into public.memory values (%s)", (word,))


def remembered(project: LocalProject) -> list[str]:
    with psycopg.connect(project.database_url()) as connection:
        return [word for (word,) in connection.execute("select word from public.memory")]


def postmaster(state_dir: Path) -> int:
    return int((state_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def ports(project: LocalProject) -> list[int]:
    more = [project.postgrest_port, project.postgrest_admin_port]
    return [project.port, project.postgres_port, *more]


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """No migrations: what is tried here does not depend on them."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return folder


def test_one_origin_serves_auth_rest_and_storage(stack: LocalProject) -> None:
    with httpx.Client(base_url=stack.url, trust_env=False, timeout=30) as client:
        client.headers["apikey"] = stack.anon_key
        assert client.get("/auth/v1/health").status_code == 200
        assert client.get("/auth/v1/.well-known/jwks.json").json() == stack.jwks_public
        assert client.get("/rest/v1/").status_code == 200
        service = {"Authorization": f"Bearer {stack.service_role_key}"}
        assert client.get("/storage/v1/bucket", headers=service).status_code == 200


def test_the_repository_s_migrations_are_applied(stack: LocalProject) -> None:
    with psycopg.connect(stack.database_url()) as connection:
        history = "select name from supabase_migrations.schema_migrations"
        assert ("tables",) in connection.execute(history).fetchall()


def test_nothing_listens_any_more_after_the_end(state_dir: Path, migrations: Path) -> None:
    with running_stack(state_dir, migrations=migrations) as project:
        assert not any(is_free(port) for port in ports(project))
    assert all(is_free(port) for port in ports(project))


def test_data_and_address_outlive_a_restart(state_dir: Path, migrations: Path) -> None:
    with running_stack(state_dir, port=0, durable=True, migrations=migrations) as first:
        remember(first, "before")
    with running_stack(state_dir, port=None, durable=True, migrations=migrations) as again:
        assert (again.url, again.anon_key) == (first.url, first.anon_key)
        assert remembered(again) == ["before"]


def test_a_second_start_on_the_same_state_is_refused(state_dir: Path, migrations: Path) -> None:
    with running_postgres(state_dir, migrations=migrations) as project:
        with (
            pytest.raises(LocalError, match=r"^Another embedded Supabase is running in "),
            running_stack(state_dir, migrations=migrations),
        ):
            pass
        assert load_project(state_dir) == project
        remember(project, "still here")


def test_a_taken_port_is_refused_before_anything_starts(state_dir: Path, migrations: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(LocalError, match=f"^Port {port} is taken: .* another with --port"),
            running_stack(state_dir, port=port, migrations=migrations),
        ):
            pass
    assert not (state_dir / "postgres").exists()


def test_a_failing_migration_stops_what_was_started(state_dir: Path, migrations: Path) -> None:
    (migrations / "1_broken.sql").write_text("select broken;")
    with (
        pytest.raises(LocalError, match="Migration 1_broken failed at line 1"),
        running_stack(state_dir, migrations=migrations),
    ):
        pass
    assert all(is_free(port) for port in ports(load_project(state_dir)))
    assert not (state_dir / "postgres" / "postmaster.pid").exists()


@on_linux
def test_data_survives_a_killed_postgresql(state_dir: Path, migrations: Path) -> None:
    with running_postgres(state_dir, durable=True, migrations=migrations) as project:
        remember(project, "committed")
        left = children_of(postmaster(state_dir))
        os.kill(postmaster(state_dir), signal.SIGKILL)
        wait_until_gone(left)
    assert (state_dir / "postgres" / "postmaster.pid").exists()
    with running_postgres(state_dir, durable=True, migrations=migrations) as project:
        assert remembered(project) == ["committed"]


@on_linux
def test_a_postgresql_left_alone_is_stopped_by_the_next_start(
    state_dir: Path, migrations: Path
) -> None:
    with running_postgres(state_dir, migrations=migrations) as project:
        remember(project, "left alone")
        left = postmaster(state_dir)
        os.kill(parent_of(left), signal.SIGKILL)
    with running_postgres(state_dir, migrations=migrations) as project:
        assert postmaster(state_dir) != left
        assert remembered(project) == ["left alone"]


def children_of(pid: int) -> list[int]:
    """The processes that it has started and that live."""
    children = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if parent_of(int(folder.name)) == pid:
                children.append(int(folder.name))
    return children


def wait_until_gone(pids: list[int]) -> None:
    """PostgreSQL starts on its data again once nobody else has them."""
    wait_until(lambda: not any(map(is_alive, pids)), 30)


def is_alive(pid: int) -> bool:
    """Not one that has ended and that nobody has asked about."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


def test_a_lock_file_that_names_a_stranger_is_forgotten(state_dir: Path, migrations: Path) -> None:
    with running_postgres(state_dir, migrations=migrations):
        content = (state_dir / "postgres" / "postmaster.pid").read_text().splitlines()
    stale = "\n".join([str(os.getpid()), *content[1:]]) + "\n"
    (state_dir / "postgres" / "postmaster.pid").write_text(stale)
    with running_postgres(state_dir, migrations=migrations):
        assert postmaster(state_dir) != os.getpid()


def test_fresh_forgets_what_was_kept_and_nothing_else(state_dir: Path, migrations: Path) -> None:
    with running_postgres(state_dir, migrations=migrations) as first:
        remember(first, "forgotten")
    (state_dir / KEPT_FOLDER).mkdir()
    with held_state(state_dir, fresh=True):
        assert sorted(path.name for path in state_dir.iterdir()) == [KEPT_FOLDER, "lock"]
    with running_postgres(state_dir, migrations=migrations) as again:
        assert again.jwt_secret != first.jwt_secret
        with pytest.raises(psycopg.errors.UndefinedTable):
            remembered(again)


@on_linux
def test_fresh_stops_a_postgresql_left_alone_first(state_dir: Path, migrations: Path) -> None:
    with running_postgres(state_dir, migrations=migrations) as project:
        os.kill(parent_of(postmaster(state_dir)), signal.SIGKILL)
    assert not is_free(project.postgres_port)
    forget(state_dir)
    assert is_free(project.postgres_port)
