"""acquire_maintenance, release_maintenance: one worker at a time, once every so often."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sql.world import World


@pytest.fixture(autouse=True)
def _no_turns(world: World) -> None:
    world.postgres.do(
        "update parcours.deployment"
        "   set maintenance_lease_until = '-infinity', maintenance_due_at = null"
    )


def take(world: World, holder: str, every_s: float = 60, lease_s: float = 120) -> bool:
    return bool(
        world.service.call("acquire_maintenance", holder=holder, every_s=every_s, lease_s=lease_s)
    )


def let_pass(world: World, seconds: float) -> None:
    world.postgres.do(
        "update parcours.deployment"
        "   set maintenance_lease_until = maintenance_lease_until - make_interval(secs => %s),"
        "       maintenance_due_at = maintenance_due_at - make_interval(secs => %s)",
        seconds,
        seconds,
    )


def test_one_holds_the_lease_until_it_is_ended_and_due_again(world: World) -> None:
    assert take(world, "a")
    assert not take(world, "b") and not take(world, "a")
    assert world.service.call("release_maintenance", holder="a")
    assert not take(world, "b"), "it is not due again yet"
    let_pass(world, 60)
    assert take(world, "b")


def test_a_long_lease_is_not_taken_over(world: World) -> None:
    assert take(world, "a")
    let_pass(world, 90)
    assert not take(world, "b")
    let_pass(world, 30)
    assert take(world, "b"), "whoever died is followed when its lease is over"


def test_only_the_holder_releases_a_lease(world: World) -> None:
    assert take(world, "a")
    assert not world.service.call("release_maintenance", holder="b")
    let_pass(world, 60)
    assert not take(world, "b")


def test_of_many_who_ask_at_once_one_gets_it(world: World) -> None:
    callers = [world.another("service_role") for _ in range(8)]

    def ask(number: int) -> bool:
        return bool(
            callers[number].call("acquire_maintenance", holder=str(number), every_s=60, lease_s=120)
        )

    with ThreadPoolExecutor(8) as concurrency:
        assert sum(concurrency.map(ask, range(8))) == 1
