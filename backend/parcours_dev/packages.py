"""Packages of the npm registry in a folder of their own, installed once a user from a lock file."""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from parcours_dev.accounts import can_enter, make_folder
from parcours_dev.errors import LocalError
from parcours_dev.node import find_npm

CACHE_VARIABLE = "PARCOURS_CACHE_DIR"
SHARED_CACHE = Path("/var/cache/parcours-xl")
FILES = ("package.json", "package-lock.json")

NPM_S_MAX = 600


def cache_dir() -> Path:
    """Where downloads are kept: the user's cache, unless PostgreSQL could not enter it.

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


def is_installed(listed: Path, name: str) -> bool:
    """Whether install_packages has nothing to download."""
    return _target(listed, name).is_dir()


def install_packages(
    listed: Path, name: str, needed: Sequence[str], then: Callable[[Path], None] | None = None
) -> Path:
    """The folder with a lock's packages in its `node_modules`; complete whenever it exists.

    listed: the folder with package.json and its lock. name: what the installed folder is called
    before the lock's hash. needed: packages without which it is no success. then: what is still to
    be done in the new folder. Raises LocalError when they cannot be downloaded or kept.
    """
    target = _target(listed, name)
    if target.is_dir():
        return target
    try:
        make_folder(target.parent)
        with tempfile.TemporaryDirectory(prefix="install-", dir=target.parent) as beside:
            whole = Path(beside) / "whole"
            _download(listed, whole, needed)
            if then is not None:
                then(whole)
            _move(whole, target)
    except OSError as error:
        raise LocalError(f"{target.parent} cannot hold downloads: {error.strerror}.") from error
    return target


def _target(listed: Path, name: str) -> Path:
    lock = (listed / "package-lock.json").read_bytes()
    return cache_dir() / f"{name}-{hashlib.sha256(lock).hexdigest()[:16]}"


def _download(listed: Path, folder: Path, needed: Sequence[str]) -> None:
    make_folder(folder)
    for name in FILES:
        shutil.copyfile(listed / name, folder / name)
    npm_ci = ["ci", "--ignore-scripts", "--include=optional", "--no-audit", "--no-fund"]
    done = find_npm()(npm_ci, cwd=folder, capture_output=True, timeout=NPM_S_MAX, umask=0o022)
    # npm calls it a success when an optional package cannot be downloaded.
    missing = [name for name in needed if not (folder / "node_modules" / name).is_dir()]
    if done.returncode or missing:
        said = re.findall(r"npm error (.+)", done.stderr.decode(errors="replace"))
        reason = said[-1] if said else "is the package registry in reach?"
        raise LocalError(f"npm could not download {' and '.join(missing or needed)}: {reason}")


def _move(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError:
        # Somebody else has installed the very same at the same time.
        if not target.is_dir():
            raise
