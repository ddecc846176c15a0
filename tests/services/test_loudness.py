"""A stored track is measured, and one that was cut off is not taken for whole."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest

from parcours_xl.clients.clients import Clients
from parcours_xl.wiring import wire_tracks
from tests.fixtures.delivery import take_job
from tests.fixtures.records import Records
from tests.fixtures.service_fixtures import TRACK_S, MakeRun
from tests.fixtures.vendors import Vendor

pytestmark = pytest.mark.anyio

Deliver = Callable[[], Awaitable[UUID]]


@pytest.fixture
def deliver(clients: Clients, make_run: MakeRun, suno: Vendor, quiet: None) -> Deliver:
    """Has Suno compose for a segment and say so, as a callback would."""

    async def begin() -> UUID:
        run = await make_run()
        claim = await clients.database.claim_segment(segment_id=run.first)
        assert claim.callback_token
        task_id, _ = suno.compose()
        await clients.database.record_task(run.first, claim.callback_token, task_id)
        event = await clients.suno.ask(task_id)
        assert await clients.database.record_callback(run.first, claim.callback_token, event)
        return run.first

    return begin


async def test_a_stored_track_knows_how_loud_it_is(
    deliver: Deliver, clients: Clients, records: Records
) -> None:
    segment = await deliver()

    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "stored"

    metadata = records.segment(segment)["metadata"]
    assert -40 < metadata["loudness_lufs"] < -5
    assert metadata["loudness_lufs"] < metadata["true_peak_dbtp"] <= 0.5


async def test_half_a_track_that_claims_to_be_whole_is_asked_for_anew(
    deliver: Deliver, clients: Clients, records: Records, suno: Vendor
) -> None:
    segment = await deliver()
    suno.fail("truncated", share=0.5, announce=False, match={"media": "file"})

    job = await take_job(clients)
    assert job.announced_seconds == TRACK_S
    assert await wire_tracks(clients).store(job, last_try=False) == "stored"

    path = records.segment(segment)["storage_path"]
    url = await clients.storage.sign(path)
    async with httpx.AsyncClient(trust_env=False) as http:
        size = len((await http.get(url)).content)
    assert size / 16_000 == pytest.approx(TRACK_S, abs=0.2), "128 kbit/s: bytes tell time"


async def test_a_track_that_always_comes_in_halves_is_unavailable(
    deliver: Deliver, clients: Clients, records: Records, suno: Vendor
) -> None:
    segment = await deliver()
    suno.fail("truncated", times=0, share=0.5, announce=False, match={"media": "file"})

    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "failed"

    row = records.segment(segment)
    assert row["status"] == "failed"
    assert row["metadata"]["failure"]["reason"] == "track_unavailable"
    assert "of the announced" in row["metadata"]["failure"]["message"]
