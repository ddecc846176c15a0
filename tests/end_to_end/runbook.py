"""docs/runbook.md as a program reads it: its commands and its SQL."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "runbook.md"
TEXT = PAGE.read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAY_SAY_NO = "exit status 1"


@dataclass(frozen=True)
class Command:
    """One line of a console block. remark: what the page says behind it."""

    line: str
    remark: str

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(shlex.split(self.line))


def read_commands() -> list[Command]:
    """Every command of the page, in order, the repeated ones once."""
    found: dict[str, str] = {}
    for line in "".join(_blocks("console")).splitlines():
        assert line.startswith("$ "), f"a console block holds commands: {line}"
        command, _, remark = line.removeprefix("$ ").partition(" # ")
        found[command.strip()] = found.get(command.strip(), "") + remark
    return [Command(line, remark) for line, remark in found.items()]


def read_statements() -> list[str]:
    """Every SQL statement of the page, in order."""
    return [text.strip() for text in "".join(_blocks("sql")).split(";") if text.strip()]


def stands_in_the_page(words: tuple[str, ...], names: dict[str, str]) -> bool:
    """Whether the page has this command, for these placeholders; --json goes with every one."""
    plain = tuple(names.get(word, word) for word in words if word != "--json")
    return plain in {
        tuple(word for word in command.words[1:] if word != "--json")
        for command in read_commands()
        if command.words[0] == "parcours"
    }


def _blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(TEXT) if kind == language]
