"""The README says what is so."""

import re
from pathlib import Path

from typer.main import get_command

from parcours_xl.api.routes import FUNCTION_ROUTES
from parcours_xl.cli.main import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_of_functions_is_the_table_of_routes() -> None:
    table = re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE)
    assert table == [endpoint.name for endpoint in FUNCTION_ROUTES]


def test_every_command_it_names_exists() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"\bparcours ([a-z]+)", README))
    assert named <= commands
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) <= targets


def test_every_room_it_shows_exists() -> None:
    rooms = re.findall(r"(?<=[ (])([a-z]+)/(?= {2,})", README)
    assert {"api", "worker", "clients", "domain"} <= set(rooms)
    assert all((ROOT / "backend" / "parcours_xl" / room).is_dir() for room in rooms)


def test_the_lines_that_embed_the_engine_are_those_of_the_tested_example() -> None:
    [block] = re.findall(r"```ts\n(  const runs.*?)```", README, re.DOTALL)
    lines = block.splitlines()
    example = (ROOT / "web" / "examples" / "embed.ts").read_text()
    assert len(lines) == 5
    assert block in example


def test_it_says_what_the_page_was_not_tried_on() -> None:
    assert "Not tried on a real iPhone" in README


def test_it_speaks_of_well_being_and_never_of_treating_or_curing() -> None:
    assert "Well-being music that accompanies" in README
    claims = r"th[ée]rap|\b(?:treat|cures?\b|cur(?:ed|ing)\b|heal(?:s|ed|ing)?\b|soign|gu[ée]ri)"
    assert re.findall(claims, README, re.IGNORECASE) == []
