"""What the tests of the database share: a world, emptied before each test."""

from collections.abc import Iterator

import pytest

from parcours_xl.local.project import LocalProject
from tests.sql.journeys import Journey, create_journey
from tests.sql.world import World


@pytest.fixture(scope="module")
def shared_world(postgres: LocalProject, database: str) -> Iterator[World]:
    """This module's database and its callers."""
    world = World(postgres, database)
    yield world
    world.close()


@pytest.fixture
def world(shared_world: World) -> World:
    """The module's database, empty."""
    shared_world.erase()
    return shared_world


@pytest.fixture
def journey(world: World) -> Journey:
    """A new run of three segments, OWNER's."""
    return create_journey(world)
