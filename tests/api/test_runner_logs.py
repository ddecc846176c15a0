"""parcours-xl-runner/logs: what happened to runs, for whoever holds the service-role key."""

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from tests.fixtures.records import Records
from tests.fixtures.service import endpoint
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

LOGS = endpoint("parcours-xl-runner/logs")


@pytest.fixture
def key(stack: LocalProject) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.service_role_key}"}


async def test_a_run_is_told_oldest_first(
    service: httpx.AsyncClient, make_run: MakeRun, key: dict[str, str]
) -> None:
    run = await make_run(2)
    await service.post(endpoint("parcours-xl-runner"), json={"runId": str(run.id)})
    answer = await service.get(LOGS, params={"runId": str(run.id)}, headers=key)
    assert answer.status_code == 200
    created, started = answer.json()["events"]
    assert (created["what"], started["what"]) == ("run.created", "run.started")
    assert created["id"] < started["id"] and created["at"] < started["at"]
    assert created["runId"] == str(run.id)
    assert started["detail"]["pending"] == 2


async def test_curl_reads_lines_and_whoever_asks_for_text(
    service: httpx.AsyncClient, make_run: MakeRun, key: dict[str, str]
) -> None:
    run = await make_run()
    for headers in ({"User-Agent": "curl/8.9.1"}, {"Accept": "text/plain"}):
        answer = await service.get(LOGS, params={"runId": str(run.id)}, headers=key | headers)
        assert answer.headers["content-type"].startswith("text/plain")
        (line,) = answer.text.splitlines()
        assert f"{run.id}" in line and "run.created" in line
    json = {"User-Agent": "curl/8.9.1", "Accept": "application/json"}
    answer = await service.get(LOGS, params={"runId": str(run.id)}, headers=key | json)
    assert answer.json()["events"]


async def test_the_newest_events_of_all_runs_are_told_without_a_run(
    service: httpx.AsyncClient, make_run: MakeRun, key: dict[str, str]
) -> None:
    runs = [await make_run() for _ in range(3)]
    answer = await service.get(LOGS, params={"limit": "2"}, headers=key)
    assert [event["runId"] for event in answer.json()["events"]] == [
        str(run.id) for run in runs[1:]
    ]


async def test_since_tells_what_follows_up_to_the_limit(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records, key: dict[str, str]
) -> None:
    await make_run()
    since = records.one("select clock_timestamp() as now")["now"]
    runs = [await make_run() for _ in range(2)]
    read = {"since": since.isoformat(), "limit": "1"}
    (event,) = (await service.get(LOGS, params=read, headers=key)).json()["events"]
    assert event["runId"] == str(runs[0].id)
    (event, *_) = (await service.get(LOGS, params={"since": "1h"}, headers=key)).json()["events"]
    assert event["at"]


async def test_nobody_reads_them_without_the_service_role_key(
    service: httpx.AsyncClient, stack: LocalProject, owner: Person
) -> None:
    for headers in ({}, owner.headers, {"apikey": stack.anon_key}):
        answer = await service.get(LOGS, headers=headers)
        assert answer.status_code == 401
        assert "events" not in answer.text
    answer = await service.get(LOGS, headers={"apikey": stack.service_role_key})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"runId": "42"},
        {"since": "yesterday"},
        {"since": "2026-11-22T10:00:00"},
        {"since": "9999999999d"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "-1"},
        {"limit": "many"},
    ],
    ids=str,
)
async def test_a_wrong_parameter_is_a_400_that_names_it(
    service: httpx.AsyncClient, key: dict[str, str], wrong: dict[str, str]
) -> None:
    answer = await service.get(LOGS, params=wrong, headers=key)
    assert answer.status_code == 400
    (name,) = wrong
    assert name in answer.json()["error"]


async def test_a_vendors_words_never_break_a_line(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records, key: dict[str, str]
) -> None:
    run = await make_run()
    records.do(
        "insert into public.parcours_events (run_id, what, detail) values (%s, 'x', %s)",
        run.id,
        '{"message": "one\\ntwo\\u001b[31m", "empty": ""}',
    )
    answer = await service.get(
        LOGS, params={"runId": str(run.id)}, headers=key | {"Accept": "text/plain"}
    )
    assert len(answer.text.splitlines()) == 2
    assert 'empty="" message="one two [31m"' in answer.text


async def test_it_is_read_only(service: httpx.AsyncClient, key: dict[str, str]) -> None:
    assert (await service.post(LOGS, headers=key, json={})).status_code == 405
