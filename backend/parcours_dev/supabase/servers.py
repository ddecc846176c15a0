"""The process of the gateway, with Auth and Storage in it.

Run by `stack.running_gateway` as `python -m parcours_dev.supabase.servers STATE_DIR`.
"""

import sys
from pathlib import Path

import uvicorn

from parcours_dev.supabase.gateway import create_gateway
from parcours_dev.supabase.project import load_project

SHUTDOWN_S_MAX = 2


def main(state_dir: str) -> None:
    """Serve the project that is open in a state folder, until told to stop."""
    project = load_project(Path(state_dir))
    uvicorn.run(
        create_gateway(project),
        host="127.0.0.1",
        port=project.port,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_S_MAX,
    )


if __name__ == "__main__":
    main(sys.argv[1])
