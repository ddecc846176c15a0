"""`make test-supabase`: the contract tests, the suites that need no SQL, and the demo, on a real
project.

SUPABASE_URL, SUPABASE_ANON_KEY and SUPABASE_SERVICE_ROLE_KEY (or the new names of the keys) say
which; it needs this project's migrations. What tests make there, they remove.
"""

import asyncio
import os
import subprocess
import sys

from tests.real.demonstration import demonstrate
from tests.real.project import CHOSEN, RealProject, read_project

SUITES = ("tests/contract", "tests/api", "tests/clients", "tests/player")


def main() -> int:
    """0 when all is well, 1 when something is not, 2 when no project was named."""
    try:
        project = read_project()
    except LookupError as missing:
        print(f"parcours: {missing}", file=sys.stderr)
        return 2
    print(
        f"The project at {project.url}: contract tests and suites, then a whole journey.",
        flush=True,
    )
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *SUITES, *sys.argv[1:]],
        env={**os.environ, CHOSEN: "real"},
        check=False,
    ).returncode
    return int(not _demonstrate(project) or tested != 0)


def _demonstrate(project: RealProject) -> bool:
    try:
        return demonstrate(project)
    finally:
        asyncio.run(project.clear_up())


if __name__ == "__main__":
    sys.exit(main())
