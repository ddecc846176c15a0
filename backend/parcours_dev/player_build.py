"""The page, built from `web/` into the package: `python -m parcours_dev.player_build`."""

import hashlib
import logging
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock

from parcours_dev.errors import LocalError
from parcours_dev.node import find_npm
from parcours_xl.player.site import SITE

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
SIMULATORS = Path(__file__).with_name("simulators")
BED_SOURCES = tuple(SIMULATORS / f"{name}.py" for name in ("bed", "instruments", "mp3"))
NOT_SOURCES = {"node_modules", "dist", "tests", "testing", "coverage"}
STAMP = "sources.sha256"
"""In the built site: what it was built from."""

INTERRUPTED = 128 + signal.SIGINT
"""The exit status of what Ctrl-C ends."""

INSTALL_S_MAX, BUILD_S_MAX, CHECK_S_MAX = 600, 300, 600
REASON_LINES_MAX = 10


def build_player() -> Path:
    """The folder of the built page, made anew when its sources have changed. Raises LocalError.

    An installed wheel has the page and no sources: there is nothing to do.
    """
    if not WEB.is_dir():
        return SITE
    SITE.parent.mkdir(exist_ok=True)
    with FileLock(SITE.with_name(".site.lock")):
        sources = hash_sources()
        if not _is_built_from(sources):
            log.info("Building the player's page, once for each change (about 20 s).")
            install_modules()
            _build(sources)
    return SITE


def check_player() -> None:
    """Types, lint and the tests of the page's own code. Raises LocalError when one fails."""
    install_modules()
    for script in ("check", "test"):
        if run_npm(["run", "--silent", script], CHECK_S_MAX, shown=True).returncode:
            raise LocalError(f"npm run {script}, in {WEB.name}/, found faults.")


def hash_sources() -> str:
    """One name for everything that the page is made of."""
    whole = hashlib.sha256()
    for path in sorted([*_web_sources(), *BED_SOURCES]):
        whole.update(f"{path.relative_to(ROOT)}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def install_modules() -> None:
    """The lock's packages, in `web/node_modules`. Raises LocalError."""
    lock, installed = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    done = run_npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], INSTALL_S_MAX)
    if done.returncode:
        raise LocalError(f"npm could not install the page's packages: {_reason(done)}")
    installed.touch()


def _web_sources() -> Iterator[Path]:
    for path in WEB.rglob("*"):
        if path.is_file() and not NOT_SOURCES & set(path.relative_to(WEB).parts):
            yield path


def _is_built_from(sources: str) -> bool:
    stamp = SITE / STAMP
    return stamp.is_file() and stamp.read_text() == sources


def _build(sources: str) -> None:
    with tempfile.TemporaryDirectory(prefix=".site-", dir=SITE.parent) as name:
        new = Path(name) / "new"
        done = run_npm(["run", "build", "--", "--outDir", str(new), "--emptyOutDir"], BUILD_S_MAX)
        if done.returncode:
            raise LocalError(f"The page could not be built: {_reason(done)}")
        _add_bed(new / "assets")
        (new / STAMP).write_text(sources)
        new.chmod(0o755)
        if SITE.exists():
            SITE.rename(Path(name) / "old")
        new.rename(SITE)


def render_bed(whole: Path, start: Path) -> None:
    """The music for waiting, and the few seconds of it that come first."""
    # The simulators are another program: what composes there never runs in the service.
    command = [sys.executable, "-m", "parcours_dev.simulators.bed", str(whole), str(start)]
    subprocess.run(command, check=True, timeout=BUILD_S_MAX)  # noqa: S603


def _add_bed(assets: Path) -> None:
    files = [assets / "bed.mp3", assets / "bed-start.mp3"]
    render_bed(*files)
    for file in files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
        shutil.move(file, file.with_name(f"{file.stem}-{digest}.mp3"))


def run_npm(
    arguments: Sequence[str], seconds: int, *, shown: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Node's npm in `web/`, with what it says unless it is shown."""
    options = {} if shown else {"capture_output": True}
    return find_npm()(arguments, cwd=WEB, timeout=seconds, text=True, **options)


def _reason(done: "subprocess.CompletedProcess[str]") -> str:
    said = re.sub(r"\x1b\[[0-9;]*m", "", f"{done.stdout}\n{done.stderr}")
    lines = [line for line in said.splitlines() if line.strip()]
    blamed = (place for place, line in enumerate(lines) if "error" in line.lower())
    start = next(blamed, 0)
    return "\n".join(lines[start : start + REASON_LINES_MAX])


def main() -> None:
    """Build what has changed; with `--check`, check the sources first."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("filelock").setLevel(logging.WARNING)
    try:
        if "--check" in sys.argv[1:]:
            check_player()
        build_player()
    except LocalError as error:
        sys.exit(f"parcours: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
