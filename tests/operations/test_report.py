"""`parcours report`: the figures on a terminal, as JSON, and as a page."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from parcours_xl.clients.clients import Clients
from parcours_xl.clients.suno_codes import RefusalKind
from parcours_xl.clients.suno_events import Source, SunoError, SunoEvent, SunoTrack
from tests.fixtures.operator import Operator
from tests.fixtures.records import NewRun, Records
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

TRACK = SunoTrack("a", "https://cdn1.suno.ai/s", "https://cdn1.suno.ai/d", True, None, 5)


async def live(
    clients: Clients, run: NewRun, place: int, *stages: str, kind: RefusalKind = "for_good"
) -> None:
    """One segment goes through these stages. kind: of its error."""
    database = clients.database
    claim = await database.claim_segment(run.segment_ids[place])
    assert claim.callback_token
    for stage in stages:
        error = SunoError(501, "<script>alert(1)</script>", again=False, kind=kind)
        source: Source = "record_info" if stage == "error" else "callback"
        # A failed task that leaves a whole track behind would be no failure.
        tracks = () if stage == "error" else (TRACK,)
        event = SunoEvent(stage, source, f"task-{claim.segment_id}", tracks, error=error)
        await database.record_callback(claim.segment_id, claim.callback_token, event)
    if stages[-1] == "complete":
        path = f"runs/{run.id}/{claim.segment_id}.mp3"
        await database.record_track(claim.segment_id, claim.callback_token, path)


@pytest.fixture
async def lived(clients: Clients, make_run: MakeRun, records: Records) -> NewRun:
    """A run of two segments: one complete, one failed. It is all that there was."""
    records.do("delete from public.parcours_runs; delete from public.parcours_events")
    records.do("delete from parcours.reserve_tasks")
    run = await make_run(2)
    await clients.database.start_run(run.id)
    await live(clients, run, 0, "first", "complete")
    await live(clients, run, 1, "error")
    return run


async def test_the_figures_are_told_on_a_terminal(
    operator: Operator, lived: NewRun, owner: Person
) -> None:
    told = operator.run("report", "--since", "1h")
    assert told.status == 0
    told_words = ("TTFP", "TTFC", "Run ready", "Suno's share", "Suno reported an error")
    for words in (*told_words, "Suno credits 24 spent", "OpenAI tokens 0 spent", "12 wasted"):
        assert words in told.out
    assert str(owner.id) in told.out


async def test_json_has_every_figure(operator: Operator, lived: NewRun) -> None:
    told = operator.run("report", "--json", "--since", "1h")
    report = told.json
    assert report["latencies"]["TTFP"]["target_s"] == 40
    assert report["latencies"]["TTFC"]["target_s"] == 180
    assert report["latencies"]["Run ready"]["target_s"] == 1440
    assert 0 < report["latencies"]["TTFP"]["suno"]["within_target"] <= 1
    assert report["latencies"]["TTFP"]["listener"]["measured"] >= 1
    assert report["errors"]["by_cause"]["suno_error"] >= 1
    assert 0 < report["errors"]["share"] < 1
    assert report["segments"]["complete"] >= 1 and report["segments"]["failed"] >= 1
    assert report["submissions"] >= 2
    cost = report["cost"]
    spent = cost["suno_credits"]
    assert spent["kept"] >= 12 and spent["wasted_by_reason"]["suno_error"] >= 12
    of_runs = spent["kept"] + spent["under_way"] + spent["wasted"]
    assert spent["total"] == of_runs + spent["reserve"]
    assert spent["per_run"] == of_runs / cost["runs"]
    assert spent["per_day"] == pytest.approx(spent["total"] * 24)
    assert sum(piece["suno_credits"] for piece in report["slices"]) == spent["total"]
    assert len(report["slices"]) == 28
    assert told.err == "", "without a terminal there is no progress bar"


async def test_the_reserve_costs_credits_that_are_no_runs(
    operator: Operator, records: Records, lived: NewRun
) -> None:
    before = operator.run("report", "--json", "--since", "1h").json["cost"]["suno_credits"]
    records.do(
        "insert into parcours.reserve_tasks (preset_key, segment_index, credits, status)"
        " values ('00-universel-reset', 0, 12, 'done')"
    )
    after = operator.run("report", "--json", "--since", "1h").json["cost"]["suno_credits"]
    assert after["reserve"] == before["reserve"] + 12
    assert after["total"] == before["total"] + 12
    assert after["per_run"] == before["per_run"]
    assert "of these credits" in operator.run("report", "--since", "1h").out


async def test_targets_are_settings(operator: Operator, lived: NewRun) -> None:
    report = operator.run("report", "--json", "--since", "1h", TTFP_TARGET_S="7").json
    assert report["latencies"]["TTFP"]["target_s"] == 7


class Page(HTMLParser):
    """Which tags a page has, and whether each is closed."""

    VOID = ("meta", "br")

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_the_page_is_whole_and_needs_nothing_from_anywhere(
    operator: Operator, lived: NewRun, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    told = operator.run("report", "--since", "1h", "--html", file)
    assert told.status == 0 and str(file) in told.out
    text = file.read_text()
    page = Page(text)
    assert page.open == []
    assert {"svg", "table", "style"} <= page.tags
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert not re.search(r"(src|href)=|url\(|@import", text)
    assert "default-src 'none'" in text
    sections = ("Errors by cause", "Most journeys in 7 days", "Suno credits", "What the limits did")
    for words in ("TTFP", "TTFC", "Run ready", "OpenAI tokens", *sections):
        assert words in text


async def test_the_page_tells_how_many_prompts_suno_refused_and_why(
    operator: Operator, clients: Clients, make_run: MakeRun, records: Records, tmp_path: Path
) -> None:
    records.do("delete from public.parcours_runs; delete from public.parcours_events")
    run = await make_run(2)
    await clients.database.start_run(run.id)
    for place in range(2):
        await live(clients, run, place, "error", kind="content")
    file = tmp_path / "report.html"
    assert operator.run("report", "--since", "1h", "--html", file).status == 0
    said = "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td><td>2</td>"
    assert said in file.read_text()


def test_an_empty_deployment_has_a_report_and_a_page(
    operator: Operator, records: Records, tmp_path: Path
) -> None:
    records.do("delete from public.parcours_runs; delete from public.parcours_events")
    file = tmp_path / "report.html"
    told = operator.run("report", "--since", "1s", "--html", file)
    assert told.status == 0
    assert Page(file.read_text()).open == []
    assert "None was created." in file.read_text()


@pytest.mark.parametrize("since", ["week", "0d", "400d", "-1h"])
def test_a_period_that_makes_no_sense_is_refused(operator: Operator, since: str) -> None:
    told = operator.run("report", "--since", since)
    assert told.status == 2
    assert "--since" in told.err


def test_a_page_that_cannot_be_written_is_told_at_once(operator: Operator, tmp_path: Path) -> None:
    told = operator.run("report", "--html", tmp_path)
    assert told.status == 2


def test_a_page_in_a_folder_that_is_not_there_is_told_in_a_sentence(
    operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "nowhere" / "report.html"
    told = operator.run("report", "--since", "1s", "--html", file)
    assert told.status == 2
    assert told.err == f"parcours: {file} cannot be written: No such file or directory\n"
