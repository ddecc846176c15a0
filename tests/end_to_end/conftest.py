"""One whole deployment for all these tests."""

from collections.abc import Iterator

import pytest

from parcours_xl.local.project import LocalProject
from tests.end_to_end.house import House, running_house


@pytest.fixture(scope="session")
def deployment(stack: LocalProject) -> Iterator[House]:
    with running_house(stack) as house:
        yield house


@pytest.fixture
def house(deployment: House) -> Iterator[House]:
    """The deployment, with nothing due and no faults."""
    deployment.forget_work()
    deployment.clear_faults()
    yield deployment
    deployment.clear_faults()
