"""Folders for downloaded files, which do not outlive the process, however it ends.

All processes of a user share one folder. Each has its own inside, locked for as long as it runs;
whoever starts removes those whose lock is free: a killed process leaves its lock to nobody.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

if sys.platform != "win32":
    import fcntl

FOLDER = "parcours-tracks"
LOCK = "lock"


class TemporaryFiles:
    """This process's folder, from `open` to `close`."""

    def __init__(self, root: Path | None = None):
        self._root = root or Path(tempfile.gettempdir()) / f"{FOLDER}-{_user()}"
        self._own = self._root / uuid4().hex
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folder, and remove what killed processes left behind."""
        try:
            _make_private(self._root)
        except OSError:  # somebody else has taken the name: then nothing is shared
            self._root = Path(tempfile.mkdtemp(prefix=f"{FOLDER}-"))
            self._own = self._root / self._own.name
        with _locked(self._root / LOCK):  # nobody sees a folder that is not locked yet
            self._own.mkdir(mode=0o700)
            self._lock = _try_lock(self._own / LOCK)
            self._remove_abandoned()

    def close(self) -> None:
        shutil.rmtree(self._own, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A new folder, removed afterwards."""
        self._own.mkdir(mode=0o700, exist_ok=True)  # a cleaner of /tmp may have been there
        with tempfile.TemporaryDirectory(dir=self._own, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def _remove_abandoned(self) -> None:
        for folder in self._root.iterdir():
            if folder == self._own or not folder.is_dir() or folder.is_symlink():
                continue
            lock = _try_lock(folder / LOCK)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _user() -> str:
    return str(os.getuid()) if sys.platform != "win32" else "windows"


def _make_private(root: Path) -> None:
    """The shared folder, which must be this user's: others may write where it is."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32" and (root.is_symlink() or root.lstat().st_uid != os.getuid()):
        raise PermissionError(f"{root} belongs to another user")


def _try_lock(file: Path) -> int | None:
    """The open file, if nobody else holds its lock; Windows has none, and nothing is removed."""
    if sys.platform == "win32":
        return None
    with suppress(OSError):
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
        else:
            return handle
    return None


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
