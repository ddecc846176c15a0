"""What all operators' commands have in common."""

from importlib.metadata import version

import click
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from parcours_xl.cli.main import app
from parcours_xl.cli.operators import operators


def commands() -> dict[str, click.Command]:
    """Every operators' command by its whole name, those of `rollout` included."""
    found: dict[str, click.Command] = {}
    for name, command in get_command(operators).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        if inner is None:
            found[name] = command
        else:
            found |= {f"{name} {word}": one for word, one in inner.items()}
    return found


def test_these_are_the_commands() -> None:
    assert set(commands()) == {
        *("alerts", "cancel", "doctor", "erase", "export", "logs", "report", "retry", "smoke"),
        *("rollout status", "rollout set", "rollout off", "rollout gate"),
        *("reserve status", "reserve fill", "reserve drop"),
    }


@pytest.mark.parametrize("name", sorted(commands()))
def test_each_speaks_json_and_names_its_deployment(name: str) -> None:
    options = {word for parameter in commands()[name].params for word in parameter.opts}
    assert {"--json", "--env"} <= options


def test_the_command_knows_its_version() -> None:
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.output) == (0, f"parcours {version('parcours-xl')}\n")


@pytest.mark.parametrize("name", sorted(commands()))
def test_each_helps_with_an_example(name: str) -> None:
    told = CliRunner().invoke(app, [*name.split(), "--help"])
    assert told.exit_code == 0
    assert "Example:" in told.output and f"parcours {name.split()[0]}" in told.output
