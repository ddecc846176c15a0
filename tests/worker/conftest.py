"""What the tests of the worker share."""

import pytest

from parcours_xl.clients.clients import Clients
from parcours_xl.settings import Settings
from parcours_xl.wiring import wire_worker
from parcours_xl.worker.worker import Worker
from tests.fixtures.delivery import Music, deliver
from tests.fixtures.records import NewRun
from tests.fixtures.service import MakeSettings
from tests.fixtures.service_fixtures import MakeRun


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
def worker(clients: Clients, settings: Settings) -> Worker:
    return wire_worker(clients, settings)


@pytest.fixture
async def run(clients: Clients, make_run: MakeRun, music: Music) -> NewRun:
    """Delivered, not yet stored."""
    run = await make_run()
    await deliver(clients, run, music)
    return run
