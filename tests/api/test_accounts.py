"""Users whom the project's Auth soft-deletes or bans, while their tokens are still valid."""

import httpx
import pytest
from supabase import AsyncClient, AsyncClientOptions, acreate_client

from parcours_dev.supabase.project import LocalProject
from tests.fixtures.records import NewRun, Records
from tests.fixtures.service import endpoint
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person, sign_up

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

CREATE, RUNNER, CANCEL, SIGN = (
    endpoint(name)
    for name in ("parcours-xl-create", "parcours-xl-runner", "parcours-xl-cancel", "sign-track")
)


@pytest.fixture
async def person(stack: LocalProject) -> Person:
    return await sign_up(stack)


@pytest.fixture
async def journey(make_run: MakeRun, person: Person, records: Records) -> NewRun:
    run = await make_run(2)
    records.do("update public.parcours_runs set user_id = %s where id = %s", person.id, run.id)
    return run


@pytest.fixture
async def admin(stack: LocalProject) -> AsyncClient:
    options = AsyncClientOptions(auto_refresh_token=False, persist_session=False)
    return await acreate_client(stack.url, stack.service_role_key, options)


async def ask_everything(
    service: httpx.AsyncClient, person: Person, run: NewRun
) -> list[tuple[int, str]]:
    answers = [
        await service.post(path, json=body, headers=person.headers)
        for path, body in (
            (CREATE, {"presetKey": "panique-anxiete", "emotionState": "fear-0.8"}),
            (RUNNER, {"runId": str(run.id)}),
            (CANCEL, {"runId": str(run.id)}),
            (SIGN, {"segmentId": str(run.first)}),
        )
    ]
    return [(answer.status_code, answer.json()["error"]) for answer in answers]


async def test_a_soft_deleted_user_is_refused_and_their_data_erased(
    service: httpx.AsyncClient,
    admin: AsyncClient,
    person: Person,
    journey: NewRun,
    records: Records,
) -> None:
    await admin.auth.admin.delete_user(str(person.id), should_soft_delete=True)
    refusals = await ask_everything(service, person, journey)
    # The run is erased already: the runner, which anybody may call, knows it no longer.
    assert [status for status, _ in refusals] == [401, 404, 401, 401]
    assert {error for _, error in refusals} == {"this account was deleted", "unknown run"}
    left = records.all("select from public.parcours_runs where user_id = %s", person.id)
    assert left == []


async def test_a_banned_user_is_refused_until_the_ban_is_over(
    service: httpx.AsyncClient,
    admin: AsyncClient,
    person: Person,
    journey: NewRun,
    records: Records,
) -> None:
    await admin.auth.admin.update_user_by_id(str(person.id), {"ban_duration": "1h"})
    refusals = await ask_everything(service, person, journey)
    assert [status for status, _ in refusals] == [403] * 4
    assert {error for _, error in refusals} == {"this account is banned"}
    assert len(records.all("select from public.parcours_runs where user_id = %s", person.id)) == 1
    await admin.auth.admin.update_user_by_id(str(person.id), {"ban_duration": "none"})
    answer = await service.post(CANCEL, json={"runId": str(journey.id)}, headers=person.headers)
    assert answer.status_code == 200
