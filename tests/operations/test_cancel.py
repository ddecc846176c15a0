"""`parcours cancel`: nothing more is bought for a run."""

from uuid import uuid4

import pytest

from parcours_xl.clients.clients import Clients
from tests.fixtures.operator import Operator
from tests.fixtures.records import Records
from tests.fixtures.service_fixtures import MakeRun

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]


async def test_what_is_under_way_is_told_apart(
    operator: Operator, make_run: MakeRun, clients: Clients, records: Records
) -> None:
    run = await make_run(3)
    await clients.database.start_run(run.id)
    await clients.database.claim_segment(run.first)
    told = operator.run("cancel", run.id)
    assert told.status == 0
    assert told.out == (
        "Cancelled: 2 segments will not be composed, 1 under way will still be stored, 0 are.\n"
    )
    assert records.run(run.id)["metadata"]["cancelled_at"]
    assert "by=operator" in operator.run("logs", run.id).out


async def test_programs_read_json(operator: Operator, make_run: MakeRun) -> None:
    run = await make_run(2)
    told = operator.run("cancel", run.id, "--json")
    assert told.json == {
        "run_id": str(run.id),
        "status": "failed",
        "cancelled": 2,
        "under_way": 0,
        "complete": 0,
    }


async def test_a_ready_run_is_left_alone(
    operator: Operator, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    records.do("update public.parcours_segments set status = 'complete' where run_id = %s", run.id)
    records.do("update public.parcours_runs set status = 'ready' where id = %s", run.id)
    told = operator.run("cancel", run.id)
    assert (told.status, told.out) == (0, "The run is ready: there is nothing left to cancel.\n")


def test_an_unknown_run_is_refused(operator: Operator) -> None:
    told = operator.run("cancel", uuid4())
    assert (told.status, told.err) == (4, "parcours: unknown run\n")


def test_what_is_no_run_is_told_apart(operator: Operator) -> None:
    assert operator.run("cancel", "mine").status == 2
