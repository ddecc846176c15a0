"""`make test-containers`: the SQL suite on Supabase's own image of PostgreSQL, or on another one.

PARCOURS_IMAGE names the image, where it is not the default; the engine pulls what it has not got.
"""

import os
import subprocess
import sys

import docker
from docker.errors import DockerException

from tests.containers import IMAGE_VARIABLE
from tests.containers.server import IMAGE


def main() -> int:
    """0 when all is well, 1 when something is not, 2 where there is no engine or no image."""
    image = os.environ.get(IMAGE_VARIABLE) or IMAGE
    if error := find_trouble(image):
        print(f"parcours: {error}", file=sys.stderr)
        return 2
    print(f"The SQL suite on {image}.", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/sql", *sys.argv[1:]],
        env={**os.environ, IMAGE_VARIABLE: image},
        check=False,
    ).returncode


def find_trouble(image: str) -> str | None:
    """Why no container of the image can be run here; None when one can."""
    try:
        engine = docker.from_env()
        engine.ping()
    except DockerException:
        return "there is no container engine here: start Docker, or set DOCKER_HOST"
    try:
        if not engine.images.list(name=image):
            print(f"Pulling {image}, once.", flush=True)
            engine.images.pull(image)
    except DockerException as error:
        return f"{image} cannot be had: {error}; {IMAGE_VARIABLE} names another image"
    return None


if __name__ == "__main__":
    sys.exit(main())
