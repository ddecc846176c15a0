"""Who runs PostgreSQL: never root, since PostgreSQL refuses to."""

import os
import pwd
from pathlib import Path

from parcours_dev.errors import LocalError

UNPRIVILEGED_ACCOUNT = "nobody"


def server_account() -> int | None:
    """The number of the account (and group) that runs PostgreSQL; None means we do ourselves.

    Raises LocalError where there is no such account.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(UNPRIVILEGED_ACCOUNT).pw_uid
    except KeyError:
        raise LocalError("PostgreSQL does not run as root, and there is no user nobody.") from None


def can_enter(folder: Path) -> bool:
    """Whether that account gets through to a folder, whose missing parents we would make."""
    if server_account() is None:
        return True
    existing = [place for place in (folder, *folder.parents) if place.exists()]
    return all(place.stat().st_mode & 0o001 for place in existing)


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, such that that account gets through to it."""
    if server_account() is None:
        folder.mkdir(parents=True, exist_ok=True)
        return
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(exist_ok=True)
        # Whatever root's umask is.
        place.chmod(0o755)
