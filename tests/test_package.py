"""What is installed is everything that runs."""

import fnmatch
import tomllib
from pathlib import Path

import typer
from typer.testing import CliRunner

from parcours_xl.cli.main import DEVELOPMENT_COMMANDS, NOT_INSTALLED, add_development_commands

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


def test_the_wheel_of_the_product_holds_nothing_of_the_development_kit() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = project["tool"]["setuptools"]["packages"]["find"]
    assert found == {"where": ["backend"], "include": ["parcours_xl*"]}
    assert not any(path.suffix == ".sql" for path in PACKAGE.rglob("*"))
    assert set(project["project"]["optional-dependencies"]) == {"dev", "otel"}


def test_the_development_kit_names_every_package_and_file_of_its_own() -> None:
    kit = ROOT / "backend" / "parcours_dev"
    tool = tomllib.loads((kit / "pyproject.toml").read_text())["tool"]["setuptools"]
    files = [
        path
        for path in kit.rglob("*")
        if path.is_file() and not {"build", "parcours_xl_dev.egg-info"} & set(path.parts)
    ]
    modules = [path for path in files if path.suffix == ".py"]
    packages = {".".join(("parcours_dev", *path.relative_to(kit).parent.parts)) for path in modules}
    assert set(tool["packages"]) == packages
    data = {path.suffix for path in files}
    assert data - {".py", ".pyc", ".toml"} <= {".sql", ".json"}


def test_without_the_development_kit_its_commands_say_what_to_install() -> None:
    app = typer.Typer()
    add_development_commands(app, ())
    for command in DEVELOPMENT_COMMANDS:
        result = CliRunner().invoke(app, [command, "--fresh"])
        assert result.exit_code == 2
        assert result.stderr.strip() == NOT_INSTALLED


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
