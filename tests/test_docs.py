"""Citations and links lead somewhere, and docs/specification.md says what is so."""

import re

import pytest

from parcours_xl.api.routes import FUNCTION_ROUTES
from parcours_xl.domain.failures import FAILURES
from parcours_xl.domain.presets import all_presets
from parcours_xl.domain.states import RUN_TRANSITIONS, SEGMENT_TRANSITIONS
from parcours_xl.operations.alerts import ADVICE
from tests.fixtures.pages import (
    ROOT,
    anchors_of,
    links_of,
    read_files,
    section_of,
    table_under,
    undefined_references,
)
from tests.sql.test_schema import COLUMNS

TEXTS = (
    *("", ".css", ".html", ".js", ".json", ".py", ".sql"),
    *(".toml", ".ts", ".tsx", ".yaml", ".yml"),
)
SOURCES = read_files(
    *("backend", "supabase", "web", "tests", "benchmarks", ".ci", ".github"),
    *("Makefile", "Dockerfile", "compose.yaml", "pyproject.toml"),
    suffixes=TEXTS,
)
PAGES = read_files(".", suffixes=(".md",))
CITATION = re.compile(r"(?<![/\w.])docs/[\w-]+(?:\.md)?(?:#[\w-]+)?")
CITED_BY_SECTION = ("docs/architecture.md", "docs/specification.md", "docs/vendors.md")
"""Long pages: a citation names the section."""

EARLIER_FORMS = re.compile(
    r"\bfacts:? ?(?:Suno |OpenAI )?[A-F]\d?\b(?! ?[=|])|\breference [A-F]\d\b"
    r"|\brunbook(?:: (?!\"docs/)|, [\"']| [\"'])|\barchitecture: |\.\./shared|\blocal-stack\.md",
)
SPECIFICATION = PAGES["docs/specification.md"]
SOURCES.pop("tests/test_docs.py")
MIGRATIONS = "".join(
    text for path, text in SOURCES.items() if path.startswith("supabase/migrations/")
)
TRANSITIONS = [
    {(str(start), str(end)) for start, ends in moves.items() for end in ends}
    for moves in (SEGMENT_TRANSITIONS, RUN_TRANSITIONS)
]
CITING = [path for path in SOURCES if CITATION.search(SOURCES[path])]


def test_there_is_something_to_follow() -> None:
    cited = [found for text in SOURCES.values() for found in CITATION.findall(text)]
    assert len(cited) > 60
    assert {page.partition("/")[0] for page in PAGES} >= {"docs", "README.md"}


@pytest.mark.parametrize("path", CITING)
def test_a_citation_leads_to_a_section(path: str) -> None:
    for cited in CITATION.findall(SOURCES[path]):
        page, _, anchor = cited.partition("#")
        assert page in PAGES, f"{path} cites {cited}: there is no such page"
        assert not anchor or anchor in anchors_of(PAGES[page]), f"{path} cites {cited}: no section"
        assert anchor or page not in CITED_BY_SECTION, f"{path} cites {page} without a section"


def test_there_is_one_form_of_citation() -> None:
    found = {
        path: earlier
        for path, text in (SOURCES | PAGES).items()
        if (earlier := EARLIER_FORMS.findall(text))
    }
    assert found == {}


@pytest.mark.parametrize("path", PAGES)
def test_a_link_of_a_page_leads_somewhere(path: str) -> None:
    page = ROOT / path
    for target in links_of(PAGES[path]):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        led_to = (page.parent / file).resolve() if file else page
        assert led_to.exists(), f"{path}: {target}"
        if anchor:
            assert anchor in anchors_of(led_to.read_text(encoding="utf-8")), f"{path}: {target}"
    assert undefined_references(PAGES[path]) == []


@pytest.mark.parametrize("table", ["parcours_runs", "parcours_segments"])
def test_the_columns_are_those_of_the_database(table: str) -> None:
    heading = "Runs table" if table == "parcours_runs" else "Segments table"
    documented = {
        name.strip("`"): (kind, null, default.strip("`") or None)
        for name, kind, null, default, _ in table_under(SPECIFICATION, heading)
    }
    actual = {
        name: (kind, "yes" if nullable else "no", default and default.partition("::")[0])
        for name, (kind, nullable, default) in COLUMNS[table].items()
    }
    assert documented == actual


def test_the_transitions_are_those_of_the_code() -> None:
    for heading, expected in zip(("Segment states", "Run states"), TRANSITIONS, strict=True):
        documented = {
            (start.strip("`"), end.strip(" `"))
            for start, ends in table_under(SPECIFICATION, heading)
            for end in ends.split(",")
            if end
        }
        assert documented == expected


def test_the_diagrams_show_the_transitions() -> None:
    page = PAGES["docs/architecture.md"]
    diagrams = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", page, re.DOTALL)
    for diagram, expected in zip(diagrams, TRANSITIONS, strict=True):
        assert set(re.findall(r"^ +(\w+) --> (\w+)", diagram, re.MULTILINE)) == expected


def test_every_function_is_specified_with_its_refusals() -> None:
    listed = [
        re.findall(r"`(.+)`", name)[0] for name, *_ in table_under(SPECIFICATION, "Functions")
    ]
    assert listed == [endpoint.name for endpoint in FUNCTION_ROUTES]
    for endpoint in FUNCTION_ROUTES:
        section = section_of(SPECIFICATION, endpoint.name)
        codes = {int(code) for code in re.findall(r"\b[45]\d\d\b", section)}
        assert codes >= set(endpoint.errors), f"{endpoint.name}: {set(endpoint.errors) - codes}"


def test_every_failure_reason_and_every_alert_is_listed() -> None:
    by_itself = {
        name.strip("`"): then != "no"
        for name, _, then in table_under(SPECIFICATION, "Failure reasons")
    }
    of_code = {str(reason): failure.retried for reason, failure in FAILURES.items()}
    assert by_itself == of_code | {"cancelled": False}
    alerts = {name.strip("`") for name, _ in table_under(SPECIFICATION, "Alerts")}
    assert alerts == set(ADVICE)


def test_every_event_is_listed() -> None:
    section = section_of(SPECIFICATION, "Events table").partition("`what` is")[2]
    of_run, of_segment = section.split("`segment.`")
    listed = {f"run.{name}" for name in re.findall(r"`([a-z_]+)`", of_run)}
    listed |= {f"segment.{name}" for name in re.findall(r"`([a-z_]+)`", of_segment)}
    assert listed == set(re.findall(r"'((?:run|segment)\.[a-z_]+)'", MIGRATIONS))


def test_every_sql_function_is_listed() -> None:
    listed = {
        name
        for _, names in table_under(SPECIFICATION, "SQL functions")
        for name in re.findall(r"`(\w+)`", names)
    }
    made = re.findall(r"create (?:or replace )?function public\.(\w+)", MIGRATIONS)
    assert listed == set(made)


def test_the_presets_are_those_of_the_code() -> None:
    documented = [
        (key.strip("`"), minutes, bpm, modes, meters)
        for key, minutes, bpm, modes, meters in table_under(SPECIFICATION, "Presets")
    ]
    assert documented == [
        (
            preset.key,
            _range(preset.minutes.min, preset.minutes.max),
            _range(preset.music.bpm_start, preset.music.bpm_end),
            ", ".join(preset.music.modes),
            ", ".join(preset.music.meters),
        )
        for preset in all_presets()
    ]


def _range(start: int, end: int) -> str:
    return str(start) if start == end else f"{start}–{end}"
