"""What the tests of the database share: a world, emptied before each test."""

from collections.abc import Iterator

import pytest

from parcours_dev.supabase.project import LocalProject
from tests.sql.journeys import Journey, create_journey
from tests.sql.users import Users
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


@pytest.fixture
def users(world: World, postgres: LocalProject, database: str) -> Iterator[Users]:
    """The users of the module's database: nobody at first."""
    users = Users(postgres, database)
    yield users
    users.forget_all()
    world.erase()
    users.close()
