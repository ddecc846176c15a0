"""What is installed is everything that runs."""

import fnmatch
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "backend" / "parcours_xl"


def test_the_wheel_takes_every_file_that_is_no_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["parcours_xl"]
    files = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and ".lock" not in path.name
    ]
    assert "domain/presets/00-universel-reset.toml" in files
    left = [name for name in files if not any(fits(name, pattern) for pattern in patterns)]
    assert left == []


def test_the_image_has_what_the_wheel_and_its_page_are_made_of() -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        word
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    assert {"backend", "web", "pyproject.toml", "constraints.txt"} <= set(copied)
    assert all((ROOT / name).exists() and f"!{name}" in allowed for name in copied)


def fits(name: str, pattern: str) -> bool:
    """As setuptools reads it: `**/` may also be nothing."""
    return fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(name, pattern.removeprefix("**/"))
