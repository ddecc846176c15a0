"""Who runs PostgreSQL: never root, since PostgreSQL refuses to."""

import os
from pathlib import Path

# `nobody`, by number: no such name need exist.
NOBODY = 65534


def server_account() -> int | None:
    """The account that PostgreSQL must be started as; None means as ourselves."""
    return NOBODY if os.geteuid() == 0 else None


def can_enter(folder: Path) -> bool:
    """Whether that account gets through to a folder, whose missing parents we would make."""
    if server_account() is None:
        return True
    existing = [place for place in (folder, *folder.parents) if place.exists()]
    return all(place.stat().st_mode & 0o001 for place in existing)
