"""parcours-xl-runner: a run is put in hand, at once."""

import httpx
import pytest

from tests.fixtures.house import MakeRun
from tests.fixtures.records import Records
from tests.fixtures.service import door

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

RUNNER = door("parcours-xl-runner")


async def test_a_run_is_put_in_hand_at_once(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records
) -> None:
    run = await make_run(3)
    answer = await service.post(RUNNER, json={"runId": str(run.id)})
    assert answer.status_code == 202
    assert answer.json() == {
        "ok": True,
        "runId": str(run.id),
        "segments": 3,
        "pending": 3,
        "totalDuration": 900,
    }
    assert len(records.jobs("parcours_generation", run.id)) == 1
