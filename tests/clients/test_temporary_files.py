"""Downloaded files do not outlive their process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parcours_xl.clients.temporary_files import TemporaryFiles

HOLDS_A_FILE = """
import sys, time
from pathlib import Path
from parcours_xl.clients.temporary_files import TemporaryFiles

files = TemporaryFiles(Path(sys.argv[1]))
files.open()
with files.folder() as folder:
    (folder / "track").write_bytes(bytes(1000))
    print("held", flush=True)
    time.sleep(60)
"""


def tracks(root: Path) -> list[Path]:
    return sorted(root.rglob("track"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "tracks"


def start_holder(root: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS_A_FILE, str(root)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    return holder


def test_what_a_killed_process_left_is_removed_at_the_next_start(root: Path) -> None:
    holder = start_holder(root)
    holder.kill()
    holder.communicate()
    assert len(tracks(root)) == 1

    files = TemporaryFiles(root)
    files.open()

    assert tracks(root) == []
    files.close()


def test_a_process_that_lives_keeps_its_files(root: Path) -> None:
    holder = start_holder(root)
    try:
        files = TemporaryFiles(root)
        files.open()
        assert len(tracks(root)) == 1
        files.close()
    finally:
        holder.kill()
        holder.communicate()


def test_nothing_is_left_by_who_ends_in_order(root: Path) -> None:
    files = TemporaryFiles(root)
    files.open()
    with files.folder() as folder:
        (folder / "track").write_bytes(b"music")
    assert tracks(root) == []
    with files.folder() as folder:
        (folder / "track").write_bytes(b"music")
        files.close()

    assert [path.name for path in root.iterdir()] == ["lock"]


def test_what_others_write_there_is_followed_nowhere(root: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "track").write_bytes(b"kept")
    root.mkdir()
    (root / "link").symlink_to(precious)

    files = TemporaryFiles(root)
    files.open()
    files.close()

    assert (precious / "track").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_not_used(root: Path) -> None:
    root.mkdir()
    os.chown(root, 12345, 12345)

    files = TemporaryFiles(root)
    files.open()
    with files.folder() as folder:
        assert root not in folder.parents
    files.close()

    assert list(root.iterdir()) == []
