"""The engine as a package for other pages: `python -m parcours_dev.player_package`."""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from parcours_dev.errors import LocalError
from parcours_dev.player_build import ROOT, WEB, install_modules, render_bed, run_npm

SOURCES = WEB / "package"
PACKED = ROOT / "build"
PACK_S_MAX = 300
RELATIVE = re.compile(r"""(from |import\()"(\.{1,2}/[^"]*)\"""")


def pack_player(folder: Path = PACKED) -> Path:
    """The packed file, made by `npm pack`, in this folder. Raises LocalError."""
    install_modules()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="parcours-package-") as name:
        package = Path(name)
        dist = package / "dist"
        _npm("exec", "--no", "--", "vite", "build", "package", "--outDir", str(dist))
        types = ("--project", "package", "--outDir", str(dist / "types"))
        _npm("exec", "--no", "--", "tsc", *types)
        for file in (dist / "types").rglob("*.d.ts"):
            file.write_text(_with_endings(file))
        render_bed(dist / "bed.mp3", dist / "bed-start.mp3")
        for file in (SOURCES / "package.json", SOURCES / "README.md", ROOT / "LICENSE"):
            shutil.copy(file, package)
        _npm("pack", str(package), "--pack-destination", str(folder.resolve()))
    described = json.loads((SOURCES / "package.json").read_text())
    return folder / f"{described['name']}-{described['version']}.tgz"


def _with_endings(file: Path) -> str:
    """Declarations whose imports every module resolution understands, not bundlers' alone."""

    def complete(found: re.Match[str]) -> str:
        before, there = found.groups()
        is_folder = (file.parent / there).is_dir()
        return f'{before}"{there}{"/index" if is_folder else ""}.js"'

    return RELATIVE.sub(complete, file.read_text())


def _npm(*arguments: str) -> None:
    done = run_npm(arguments, PACK_S_MAX)
    if done.returncode:
        raise LocalError(f"npm {arguments[0]} failed: {done.stdout}\n{done.stderr}")


def main() -> None:
    """Pack, and say where."""
    try:
        print(pack_player())
    except LocalError as error:
        sys.exit(f"parcours: {error}")


if __name__ == "__main__":
    main()
