"""reserve_suno_request and answer_suno_request: 20 requests in 10 s, all workers together."""

import pytest

from tests.sql.callers import refused
from tests.sql.world import LIMITS, World

WINDOW_S, REQUEST_S_MAX = LIMITS["requests_window_s"], LIMITS["request_s_max"]
SECONDS = 3
"""How far a test's clock and the database's may be apart."""


def reserve(world: World, **limits: float) -> int:
    """A slot for a submission, which may take all there are."""
    limits_id = world.service.call("write_limits", limits=LIMITS | limits)
    query = "select parcours.reserve_slot(parcours.read_limits(%s), 'submit')"
    return int(world.postgres.value(query, limits_id))


def answer(world: World, slot: int) -> None:
    world.service.call("answer_suno_request", slot=slot)


def wait_s(world: World, **limits: float) -> float:
    """What a refused request is told to wait."""
    with refused("PT429") as refusal:
        reserve(world, **limits)
    assert refusal.hint == "suno_quota"
    return refusal.wait_s


def test_twenty_requests_are_let_through_and_no_more(world: World) -> None:
    slots = {reserve(world) for _ in range(20)}
    assert len(slots) == 20
    assert wait_s(world) > 0


def test_a_slot_is_held_until_a_window_after_the_answer(world: World) -> None:
    slot = reserve(world, requests_max=1)
    world.let_pass(25)
    answer(world, slot)
    assert wait_s(world, requests_max=1) == pytest.approx(WINDOW_S, abs=SECONDS)
    world.let_pass(WINDOW_S - 4)
    assert wait_s(world, requests_max=1) == pytest.approx(4, abs=SECONDS)
    world.let_pass(4.1)
    reserve(world, requests_max=1)


def test_a_request_under_way_holds_its_slot_longer_than_a_window(world: World) -> None:
    reserve(world, requests_max=1)
    world.let_pass(REQUEST_S_MAX - 5)
    assert wait_s(world, requests_max=1) == pytest.approx(WINDOW_S, abs=SECONDS)


def test_a_caller_that_died_holds_its_slot_as_long_as_a_request_can_take(world: World) -> None:
    reserve(world, requests_max=1)
    world.let_pass(REQUEST_S_MAX + WINDOW_S - 5)
    wait_s(world, requests_max=1)
    world.let_pass(5.1)
    reserve(world, requests_max=1)


def test_only_the_first_answer_counts(world: World) -> None:
    slot = reserve(world, requests_max=1)
    answer(world, slot)
    world.let_pass(WINDOW_S - 5)
    answer(world, slot)
    world.let_pass(5.1)
    reserve(world, requests_max=1)


def test_an_answer_to_nobody_s_request_changes_nothing(world: World) -> None:
    reserve(world)
    answer(world, 0)
    unanswered = "select count(*) from parcours.suno_requests where answered_at is null"
    assert world.postgres.value(unanswered) == 1


def test_the_wait_is_until_the_first_slot_is_free(world: World) -> None:
    early = reserve(world, requests_max=2)
    answer(world, early)
    world.let_pass(6)
    answer(world, reserve(world, requests_max=2))
    assert wait_s(world, requests_max=2) == pytest.approx(WINDOW_S - 6, abs=SECONDS)


def test_slots_that_are_over_are_forgotten(world: World) -> None:
    for _ in range(5):
        answer(world, reserve(world))
    world.let_pass(WINDOW_S + 1)
    reserve(world, requests_max=4)
    assert world.postgres.value("select count(*) from parcours.suno_requests") == 1
