"""/metrics: the same figures for Prometheus, and how long requests take."""

import json
import re
from functools import partial

import anyio
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from parcours_dev.supabase.project import LocalProject
from parcours_xl.api import monitoring
from parcours_xl.api.page_errors import COUNTED_MAX, KINDS, WINDOW_S, PageErrors
from parcours_xl.operations.alerts import SnapshotCache
from tests.fixtures.operator import Operator
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(service: httpx.AsyncClient, token: str) -> Samples:
    answer = await service.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
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
    for queue in ("parcours_generation", "parcours_tracks"):
        assert value(samples, "parcours_queue_depth", queue=queue) >= 0
        assert value(samples, "parcours_queue_oldest_seconds", queue=queue) >= 0
    for alert in ("errors", "ttfc", "runner_timeouts", "credits", "old_job", "job_given_up"):
        assert value(samples, "parcours_alert_firing", alert=alert) in (0, 1)


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


async def test_every_figure_of_the_rules_file_exists(
    make_settings: MakeSettings, operator: Operator, stack: LocalProject
) -> None:
    rules = operator.run("alerts", "--rules").out
    used = set(re.findall(r"parcours_[a-z_]+", rules))
    async with open_service(make_settings()) as service:
        key = {"Authorization": f"Bearer {stack.service_role_key}"}
        text = (await service.get("/metrics", headers=key)).text
    known = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert used and used <= known
    firing = set(re.findall(r'alert_firing{alert="(\w+)"}', rules))
    assert firing <= set(re.findall(r'alert_firing{alert="(\w+)"}', text))
