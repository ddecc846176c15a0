"""/metrics: the same figures for Prometheus, and how long requests take."""

import json
import os
import re
import shutil
import subprocess
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from parcours_dev.supabase.project import LocalProject
from parcours_xl.api import monitoring
from parcours_xl.api.page_errors import COUNTED_MAX, KINDS, WINDOW_S, PageErrors
from parcours_xl.clients.clients import Clients
from parcours_xl.operations.alerts import SnapshotCache
from tests.fixtures.operator import Operator
from tests.fixtures.records import Records
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person
from tests.fixtures.vendors import Vendor
from tests.operations.test_report import live

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape_text(service: httpx.AsyncClient, token: str) -> str:
    answer = await service.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


async def scrape(service: httpx.AsyncClient, token: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await scrape_text(service, token))
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


async def test_the_figures_of_the_report_are_exposed(
    make_settings: MakeSettings, stack: LocalProject, make_run: MakeRun
) -> None:
    await make_run()
    async with open_service(make_settings()) as service:
        samples = await scrape(service, stack.service_role_key)
    assert value(samples, "parcours_supabase_up") == 1
    assert value(samples, "parcours_runs", status="creating") >= 1
    assert value(samples, "parcours_target_seconds", latency="ttfp") == 40
    for queue in ("parcours_generation", "parcours_tracks"):
        assert value(samples, "parcours_queue_depth", queue=queue) >= 0
        assert value(samples, "parcours_queue_oldest_seconds", queue=queue) >= 0
    for alert in ("errors", "ttfc", "runner_timeouts", "credits", "old_job", "reserve"):
        assert value(samples, "parcours_alert_firing", alert=alert) in (0, 1)


async def test_the_reserve_is_told(
    make_settings: MakeSettings, stack: LocalProject, records: Records
) -> None:
    records.do("delete from parcours.reserve_tasks")
    records.do(
        "with task as ("
        "   insert into parcours.reserve_tasks (preset_key, segment_index, credits, status)"
        "   values ('00-universel-reset', 0, 12, 'done') returning id, preset_key)"
        " insert into parcours.reserve_pieces"
        " (task_id, preset_key, suno_track_id, download_url, status, seconds)"
        " select id, preset_key, 'a', 'https://cdn1.suno.ai/a.mp3', 'ready', 240 from task"
    )
    async with open_service(make_settings(reserve_per_preset=2)) as service:
        samples = await scrape(service, stack.service_role_key)
    records.do("delete from parcours.reserve_tasks")
    assert value(samples, "parcours_reserve_pieces", preset="00-universel-reset") == 0
    assert value(samples, "parcours_reserve_missing") == 1, "its file is not there"
    assert value(samples, "parcours_reserve_per_preset") == 2
    assert value(samples, "parcours_reserve_tasks_failed") == 0
    assert value(samples, "parcours_cost_credits", outcome="reserve", reason="") == 12
    assert value(samples, "parcours_alert_firing", alert="reserve") == 1


async def test_request_latencies_are_told_by_function(
    make_settings: MakeSettings, stack: LocalProject
) -> None:
    async with open_service(make_settings()) as service:
        await service.post(endpoint("sign-track"), json={})
        await service.post(endpoint("invented-7"), json={})
        samples = await scrape(service, stack.service_role_key)
    count = "parcours_request_seconds_count"
    assert value(samples, count, function="sign-track", status="4xx") == 1
    assert value(samples, count, function="other", status="4xx") == 1
    assert not any("invented-7" in str(labels) for _, labels in samples)


async def test_errors_of_the_page_are_counted_by_kind_and_nothing_is_kept_of_them(
    make_settings: MakeSettings, stack: LocalProject
) -> None:
    secret = "camille@example.org"
    async with open_service(make_settings()) as service:
        for content in (
            *(b'{"kind": "engine"}', b'{"kind": "engine"}', b'{"kind": "sound"}'),
            *(b"", b"[]", b"{", b'{"kind": {}}', b'{"kind": "invented-8"}'),
            json.dumps({"kind": "engine", "message": secret * 20}).encode(),
        ):
            answer = await service.post("/page-errors", content=content)
            assert (answer.status_code, answer.content) == (204, b"")
        elsewhere = {"sec-fetch-site": "cross-site"}
        await service.post("/page-errors", content=b'{"kind": "work"}', headers=elsewhere)
        samples = await scrape(service, stack.service_role_key)

    told = {kind: value(samples, "parcours_page_errors_total", kind=kind) for kind in KINDS}
    assert told == {"engine": 2, "sound": 1, "work": 0, "uncaught": 0, "unhandled": 0}
    assert not any("invented-8" in str(one) or secret in str(one) for one in samples)


async def test_a_flood_of_page_errors_is_counted_up_to_a_limit() -> None:
    moment = 1000.0
    errors = PageErrors(lambda: moment)
    counted = partial(errors.registry.get_sample_value, "parcours_page_errors_total")
    for _ in range(COUNTED_MAX + 50):
        errors.note("uncaught")
    assert counted({"kind": "uncaught"}) == COUNTED_MAX
    moment += WINDOW_S
    errors.note("uncaught")
    assert counted({"kind": "uncaught"}) == COUNTED_MAX + 1


async def test_only_the_service_role_and_the_token_may_look(
    make_settings: MakeSettings, stack: LocalProject, owner: Person
) -> None:
    async with open_service(make_settings(metrics_token="watch-4f1c")) as service:
        await scrape(service, "watch-4f1c")
        await scrape(service, stack.service_role_key)
        for token in ("", "watch-4f1", "watch-4f1cc", stack.anon_key, owner.token):
            answer = await service.get("/metrics", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401
            assert "parcours_" not in answer.text
        assert (await service.get("/metrics?token=watch-4f1c")).status_code == 401


async def test_without_a_token_of_its_own_an_empty_one_opens_nothing(
    service: httpx.AsyncClient,
) -> None:
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "}):
        assert (await service.get("/metrics", headers=headers)).status_code == 401


async def test_a_supabase_that_is_unavailable_is_told_as_a_figure(
    make_settings: MakeSettings, stack: LocalProject, dead_port: int
) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    async with open_service(make_settings(supabase_url=url, postgrest_url=url)) as service:
        samples = await scrape(service, stack.service_role_key)
    assert value(samples, "parcours_supabase_up") == 0
    assert not any(name == "parcours_errors_ratio" for name, _ in samples)


async def test_a_supabase_that_never_answers_keeps_nobody_waiting(
    make_settings: MakeSettings, stack: LocalProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(monitoring, "ANSWER_S_MAX", 0.1)
    monkeypatch.setattr(SnapshotCache, "read", never)
    async with open_service(make_settings()) as service:
        samples = await scrape(service, stack.service_role_key)
    assert value(samples, "parcours_supabase_up") == 0


async def test_journeys_are_measured_and_counted_from_the_first_look_on(
    make_settings: MakeSettings,
    stack: LocalProject,
    clients: Clients,
    make_run: MakeRun,
    records: Records,
) -> None:
    """One run is heard, stored and failed; each is counted once, however often is asked."""
    records.do("delete from public.parcours_runs; delete from public.parcours_events")
    async with open_service(make_settings()) as service:
        before = await scrape(service, stack.service_role_key)
        run = await make_run(2)
        await clients.database.start_run(run.id)
        await live(clients, run, 0, "first", "complete")
        await live(clients, run, 1, "error")

        async def counted(name: str, **labels: str) -> float:
            samples = await scrape(service, stack.service_role_key)
            key = name, frozenset(labels.items())
            return samples.get(key, 0) - before.get(key, 0)

        for _ in range(300):
            if await counted("parcours_attempts_failed_total", cause="suno_error"):
                break
            await anyio.sleep(0.2)
        for name, labels in (
            ("parcours_runs_created_total", {"brief_source": "unknown"}),
            ("parcours_tracks_total", {"where": "stored"}),
            ("parcours_ttfp_seconds_count", {"whose": "listener"}),
            ("parcours_ttfp_seconds_count", {"whose": "suno"}),
            ("parcours_ttfp_seconds_bucket", {"whose": "listener", "le": "40.0"}),
            ("parcours_ttfc_seconds_count", {"whose": "listener"}),
            ("parcours_ttfc_seconds_count", {"whose": "suno"}),
        ):
            assert await counted(name, **labels) == 1, (name, labels)
        assert await counted("parcours_submissions_total", attempt="first") == 2
        assert await counted("parcours_messages_total", by="callback") == 2


async def test_who_wrote_a_brief_is_counted_once_it_is_known(
    make_settings: MakeSettings,
    stack: LocalProject,
    owner: Person,
    suno: Vendor,
    openai: Vendor,
    records: Records,
) -> None:
    """A run whose first segment comes before its brief is one run, of whoever wrote it."""
    records.do("delete from public.parcours_runs; delete from public.parcours_events")
    async with open_service(make_settings(first_segment_early=True)) as service:
        before = await scrape(service, stack.service_role_key)
        body = {"presetKey": "universel-reset"}
        answer = await service.post(
            endpoint("parcours-xl-create"), json=body, headers=owner.headers
        )
        assert answer.status_code == 200
        for _ in range(300):
            samples = await scrape(service, stack.service_role_key)
            grown = {
                dict(labels)["brief_source"]: value - before.get((name, labels), 0)
                for (name, labels), value in samples.items()
                if name == "parcours_runs_created_total"
            }
            if any(grown.values()):
                break
            await anyio.sleep(0.2)
        assert {source: count for source, count in grown.items() if count} == {"openai": 1}


async def test_creates_that_a_limit_of_the_day_refused_are_counted(
    make_settings: MakeSettings, stack: LocalProject, owner: Person
) -> None:
    settings = make_settings(runs_daily_max=1, openai_api_key=None)
    name, limit = "parcours_creates_refused_total", {"limit": "runs_daily_max"}
    async with open_service(settings) as service:
        before = value(await scrape(service, stack.service_role_key), name, **limit)
        answers = [
            await service.post(
                endpoint("parcours-xl-create"),
                json={"presetKey": "universel-reset"},
                headers=owner.headers,
            )
            for _ in range(2)
        ]
        assert answers[-1].status_code == 429, answers[-1].text
        refused = sum(answer.status_code == 429 for answer in answers)
        after = value(await scrape(service, stack.service_role_key), name, **limit)
    assert after - before == refused


async def test_calls_and_the_process_itself_are_measured(
    make_settings: MakeSettings, stack: LocalProject
) -> None:
    async with open_service(make_settings()) as service:
        samples = await scrape(service, stack.service_role_key)
    called = "parcours_sql_seconds_count"
    assert value(samples, called, function="report_slice", outcome="ok") >= 1
    assert value(samples, "parcours_build_info", version=version("parcours-xl")) == 1
    assert value(samples, "process_resident_memory_bytes") > 0


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own judge of names, types and rules. Continuous integration has it."""
    found = shutil.which("promtool")
    if found is None:
        assert not os.environ.get("CI"), "apt-get install prometheus"
        pytest.skip("promtool is not installed")
    return found


def check(promtool: str, *what: str, text: str | None = None) -> tuple[int, str]:
    """promtool's exit status and all that it says."""
    command = [promtool, "check", *what]
    checked = subprocess.run(command, input=text, capture_output=True, text=True)
    return checked.returncode, checked.stdout + checked.stderr


async def test_promtool_has_nothing_to_say(
    make_settings: MakeSettings,
    stack: LocalProject,
    clients: Clients,
    make_run: MakeRun,
    operator: Operator,
    promtool: str,
    tmp_path: Path,
) -> None:
    run = await make_run(1)
    await clients.database.start_run(run.id)
    await live(clients, run, 0, "first", "complete")
    async with open_service(make_settings()) as service:
        text = await scrape_text(service, stack.service_role_key)
    assert check(promtool, "metrics", text=text) == (0, "")

    rules = tmp_path / "rules.yml"
    rules.write_text(operator.run("alerts", "--rules").out)
    status, said = check(promtool, "rules", str(rules))
    assert status == 0 and "SUCCESS" in said, said


def exported(text: str) -> set[str]:
    """The names of every series that is or may be shown: a histogram has three."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\w+)", text, re.MULTILINE):
        names |= (
            {f"{name}_{end}" for end in ("bucket", "count", "sum")}
            if (kind == "histogram")
            else {name}
        )
    return names


def asked(expressions: str) -> set[str]:
    return set(re.findall(r"\b(?:parcours|process)_[a-z_]+", expressions))


async def test_the_rules_and_the_dashboard_ask_for_series_that_exist(
    make_settings: MakeSettings, operator: Operator, stack: LocalProject
) -> None:
    rules = operator.run("alerts", "--rules").out
    dashboard = json.loads(operator.run("alerts", "--dashboard").out)
    drawn = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    async with open_service(make_settings()) as service:
        text = await scrape_text(service, stack.service_role_key)
    known = exported(text)
    assert asked(rules) and asked(rules) <= known
    for expression in drawn:
        assert asked(expression) and asked(expression) <= known, expression
    firing = set(re.findall(r'alert_firing{alert="(\w+)"}', rules))
    assert firing == set(re.findall(r'alert_firing{alert="(\w+)"}', text))


def test_promql_of_the_dashboard_is_promql(
    operator: Operator, promtool: str, tmp_path: Path
) -> None:
    """promtool reads rules only: each expression becomes one."""
    dashboard = json.loads(operator.run("alerts", "--dashboard").out)
    drawn = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    records = [
        {"record": f"drawn:{place}", "expr": expression.replace("$__rate_interval", "1m")}
        for place, expression in enumerate(drawn)
    ]
    rules = tmp_path / "drawn.yml"
    rules.write_text(json.dumps({"groups": [{"name": "drawn", "rules": records}]}))
    status, said = check(promtool, "rules", "--lint=none", str(rules))
    assert status == 0, said


def test_the_dashboard_is_laid_out_as_grafana_reads_it(operator: Operator) -> None:
    dashboard = json.loads(operator.run("alerts", "--dashboard").out)
    assert dashboard["title"] == "Parcours XL" and dashboard["schemaVersion"] >= 36
    [source] = dashboard["templating"]["list"]
    assert (source["name"], source["type"]) == ("datasource", "datasource")
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}" and panel["title"]
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_each_rule_leads_to_a_section_of_the_runbook(operator: Operator) -> None:
    rules = operator.run("alerts", "--rules").out
    runbook = (Path(__file__).parents[2] / "docs/runbook.md").read_text()
    titles = re.findall(r"^#+ (.+)$", runbook, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    sections = re.findall(r'runbook_url: "docs/runbook.md#([\w-]+)"', rules)
    assert len(sections) == rules.count("- alert:") and set(sections) <= anchors
