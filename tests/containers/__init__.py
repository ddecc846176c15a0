"""The SQL suite on a PostgreSQL in a container: `make test-containers`."""

import os

IMAGE_VARIABLE = "PARCOURS_IMAGE"


def is_asked_for() -> bool:
    """Whether the SQL suite is to run on a container."""
    return bool(os.environ.get(IMAGE_VARIABLE))
