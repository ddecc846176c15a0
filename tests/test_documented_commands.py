"""Every command that a page shows is run by a test, or listed here with the reason why not."""

import re

import pytest

from tests.fixtures.pages import ROOT, read_files

PAGES = read_files(".", suffixes=(".md",))
PROGRAMS = "make|parcours|supabase|docker|npm|pip|psql|export|cp|git"
SHOWN = re.compile(rf"^ *\$ ((?:{PROGRAMS}) .*)$|`((?:{PROGRAMS}) [^`]*)`", re.MULTILINE)
NAME = re.compile(r"(?:make|parcours|npm|pip|psql|export|cp) \S+|[a-z]+(?: [a-z]+)+")
"""A command without its options: the words that say what it does."""

RUN_BY = {
    "supabase db push": ("sql/test_supabase_cli.py", 'cli("db", "push", f"--remote='),
    "supabase db advisors": ("sql/test_supabase_cli.py", "advisors"),
    "parcours serve": ("fixtures/served.py", '"serve"'),
    "parcours worker": ("end_to_end/deployment.py", '"worker"'),
    "parcours dev": ("dev/test_cli.py", '"dev"'),
    "parcours stack": ("dev/test_cli.py", '"stack"'),
    "parcours reserve": ("end_to_end/test_reserve.py", '"reserve"'),
    "parcours demo": ("dev/test_demo.py", '"demo"'),
    "npm install": ("browser/test_package.py", '"install"'),
    "pip wheel": ("test_package.py", "wheel"),
}
"""The test that runs it, and how it is written there."""

RUN_BY_THE_RUNBOOK = {
    *("alerts", "cancel", "doctor", "erase", "export", "logs", "report", "retry", "rollout"),
    "smoke",
}
"""Commands of operators: end_to_end/test_runbook_page.py runs each line of docs/runbook.md."""

NOT_RUN = {
    "supabase link": "it needs a hosted project",
    "supabase secrets set": "it needs a hosted project",
    "supabase functions deploy": "it needs a hosted project",
    "supabase db dump": "it needs Docker",
    "supabase start": "it needs Docker",
    "docker compose up": "no base image can be pulled here",
    "docker compose stop": "no base image can be pulled here",
    "pip install": "it compiles FFmpeg's bindings, for whoever wants no GPL encoder",
    "psql": "PostgreSQL's own client; the statements beside it are run by sql/test_runbook.py",
    "export": "a shell's own",
    "cp": "a shell's own",
    "git": "fetches or shows sources",
}
"""Why no test runs it. `make` is not among them: its targets are the tests."""


def shown() -> dict[str, set[str]]:
    """The commands by their names, and the pages that show them."""
    found: dict[str, set[str]] = {}
    for page, text in PAGES.items():
        for block, inline in SHOWN.findall(text):
            name = NAME.match(block or inline)
            assert name is not None, block or inline
            found.setdefault(name[0], set()).add(page)
    return found


@pytest.mark.parametrize("name", sorted(shown()))
def test_a_command_that_a_page_shows_is_run_or_says_why_not(name: str) -> None:
    program, _, word = name.partition(" ")
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert word in targets
    elif program == "parcours" and (word in RUN_BY_THE_RUNBOOK or word.startswith("-")):
        assert f"$ parcours {word}" in PAGES["docs/runbook.md"] or word == "--version"
    else:
        known = {*RUN_BY, *NOT_RUN}
        assert any(name.startswith(command) for command in known), (name, shown()[name])


@pytest.mark.parametrize("name", sorted(RUN_BY))
def test_the_test_that_is_named_runs_it(name: str) -> None:
    file, written = RUN_BY[name]
    assert written in (ROOT / "tests" / file).read_text()
