"""parcours-xl-cancel: the owner gives a run up, and nothing more is bought for it."""

from uuid import uuid4

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import Clients
from tests.fixtures.records import NewRun, Records
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

CANCEL, RUNNER, GENERATE = (
    endpoint(f"parcours-xl-{name}") for name in ("cancel", "runner", "generate")
)


async def cancel(service: httpx.AsyncClient, run: NewRun, person: Person) -> httpx.Response:
    return await service.post(CANCEL, json={"runId": str(run.id)}, headers=person.headers)


async def start(service: httpx.AsyncClient, run: NewRun, **headers: str) -> httpx.Response:
    return await service.post(RUNNER, json={"runId": str(run.id)}, headers=headers)


async def test_the_owner_gives_a_run_up(
    service: httpx.AsyncClient, make_run: MakeRun, owner: Person, records: Records
) -> None:
    run = await make_run(3)
    await start(service, run)
    answer = await cancel(service, run, owner)
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "runId": str(run.id),
        "status": "failed",
        "cancelled": 3,
        "underWay": 0,
        "complete": 0,
    }
    assert (await cancel(service, run, owner)).json() == answer.json()
    assert records.events(run.id).count("run.cancelled") == 1


async def test_suno_is_asked_for_nothing_more(
    service: httpx.AsyncClient, make_run: MakeRun, owner: Person, suno: Vendor
) -> None:
    run = await make_run(2)
    bought = await service.post(GENERATE, json={"segmentId": str(run.first)})
    assert bought.json()["taskId"]
    assert (await cancel(service, run, owner)).json()["underWay"] == 1
    for segment_id in run.segment_ids:
        answer = await service.post(GENERATE, json={"segmentId": str(segment_id)})
        assert (answer.status_code, answer.json()["skipped"]) == (200, True)
    assert [len(suno.tasks_of(segment_id)) for segment_id in run.segment_ids] == [1, 0]


async def test_nobody_else_gives_it_up(
    service: httpx.AsyncClient, make_run: MakeRun, stranger: Person, stack: LocalProject
) -> None:
    run = await make_run()
    assert (await cancel(service, run, stranger)).status_code == 403
    for key in ("", stack.anon_key, stack.service_role_key):
        answer = await cancel(service, run, Person(uuid4(), key))
        assert answer.status_code == 401


async def test_an_unknown_run_is_a_404(service: httpx.AsyncClient, owner: Person) -> None:
    unknown = NewRun(uuid4(), ())
    assert (await cancel(service, unknown, owner)).status_code == 404


@pytest.mark.parametrize("body", [{}, {"runId": "42"}, {"runId": None}], ids=str)
async def test_a_wrong_body_is_a_400(
    service: httpx.AsyncClient, owner: Person, body: dict[str, object]
) -> None:
    answer = await service.post(CANCEL, json=body, headers=owner.headers)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["field"] == "runId"


async def test_only_the_owner_s_own_call_has_it_made_after_all(
    service: httpx.AsyncClient, make_run: MakeRun, owner: Person, stranger: Person, records: Records
) -> None:
    run = await make_run(2)
    await cancel(service, run, owner)
    for headers in ({}, stranger.headers, {"Authorization": "Bearer nonsense"}):
        answer = await start(service, run, **headers)
        assert answer.status_code == 409
        assert "only its owner" in answer.json()["error"]
    assert records.run(run.id)["status"] == "failed"
    answer = await start(service, run, **owner.headers)
    assert (answer.status_code, answer.json()["pending"]) == (202, 2)
    assert records.run(run.id)["status"] == "creating"


async def test_the_service_role_has_it_made_no_more_than_others(
    make_settings: MakeSettings, make_run: MakeRun, clients: Clients, stack: LocalProject
) -> None:
    run = await make_run()
    await clients.database.cancel_run(run.id)
    key = {"Authorization": f"Bearer {stack.service_role_key}"}
    async with open_service(make_settings(runner_access="service_role")) as service:
        assert (await start(service, run, **key)).status_code == 409
