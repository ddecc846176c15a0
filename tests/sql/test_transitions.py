"""The state transitions of a segment and of a run: no other move is possible, whoever asks."""

from itertools import product
from uuid import UUID, uuid4

import pytest

from parcours_xl.domain.states import RUN_TRANSITIONS, SEGMENT_TRANSITIONS, RunStatus, SegmentStatus
from tests.sql.callers import refused
from tests.sql.world import World

SEGMENT_PAIRS = list(product(SegmentStatus, SegmentStatus))
RUN_PAIRS = list(product(RunStatus, RunStatus))
WRITERS = ("service_role", "postgres")


def test_python_and_sql_hold_the_same_moves_of_a_segment(world: World) -> None:
    rows = world.postgres.rows("select from_status, to_status from parcours.segment_transitions")
    listed = {(before, after) for before, afters in SEGMENT_TRANSITIONS.items() for after in afters}
    assert {tuple(row.values()) for row in rows} == listed


def test_python_and_sql_hold_the_same_moves_of_a_run(world: World) -> None:
    rows = world.postgres.rows("select from_status, to_status from parcours.run_transitions")
    listed = {(before, after) for before, afters in RUN_TRANSITIONS.items() for after in afters}
    assert {tuple(row.values()) for row in rows} == listed


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("before", "after"), SEGMENT_PAIRS)
def test_a_segment_moves_only_along_the_table(
    world: World, name: str, before: SegmentStatus, after: SegmentStatus
) -> None:
    segment_id = put_segment(world, before, late_music=True)
    statement = (
        "update public.parcours_segments set status = %s, callback_token = gen_random_uuid()"
        " where id = %s"
    )
    if after == before or after in SEGMENT_TRANSITIONS[before]:
        assert world.caller(name).do(statement, after, segment_id) == 1
    else:
        with refused("PT409") as refusal:
            world.caller(name).do(statement, after, segment_id)
        assert refusal.message == f"a segment cannot go from {before} to {after}"
        after = before
    assert segment_status(world, segment_id) == after


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("before", "after"), RUN_PAIRS)
def test_a_run_moves_only_along_the_table(
    world: World, name: str, before: RunStatus, after: RunStatus
) -> None:
    run_id = put_run(world, before)
    statement = "update public.parcours_runs set status = %s where id = %s"
    if after == before or after in RUN_TRANSITIONS[before]:
        assert world.caller(name).do(statement, after, run_id) == 1
    else:
        with refused("PT409") as refusal:
            world.caller(name).do(statement, after, run_id)
        assert refusal.message == f"a run cannot go from {before} to {after}"
        after = before
    found = world.postgres.value("select status from public.parcours_runs where id = %s", run_id)
    assert found == after


@pytest.mark.parametrize("token", ["callback_token", "null"])
def test_a_failed_segment_is_queued_only_with_a_new_token(world: World, token: str) -> None:
    segment_id = put_segment(world, SegmentStatus.FAILED)
    with refused("PT409"):
        world.postgres.connection.execute(
            "update public.parcours_segments set status = 'queued',"
            f" callback_token = {token} where id = %s".encode(),
            [segment_id],
        )
    assert segment_status(world, segment_id) == "failed"


def test_a_failed_segment_completes_only_through_music_that_came(world: World) -> None:
    segment_id = put_segment(world, SegmentStatus.FAILED)
    with refused("PT409"):
        world.postgres.do(
            "update public.parcours_segments set status = 'complete',"
            """ metadata = '{"complete_received_at": "2026-11-01T00:00:00Z"}' where id = %s""",
            segment_id,
        )
    assert segment_status(world, segment_id) == "failed"


def put_run(world: World, status: RunStatus) -> UUID:
    run_id = uuid4()
    world.postgres.do(
        "insert into public.parcours_runs (id, user_id, preset_key, status)"
        " values (%s, %s, '00', %s)",
        run_id,
        uuid4(),
        status,
    )
    return run_id


def put_segment(world: World, status: SegmentStatus, *, late_music: bool = False) -> UUID:
    """INSERT is free: a segment in any status."""
    segment_id = uuid4()
    received = '{"complete_received_at": "2026-11-01T00:00:00Z"}' if late_music else "{}"
    world.postgres.do(
        "insert into public.parcours_segments (id, run_id, segment_index, prompt, status, metadata)"
        " values (%s, %s, 0, 'piano', %s, %s::jsonb)",
        segment_id,
        put_run(world, RunStatus.CREATING),
        status,
        received,
    )
    return segment_id


def segment_status(world: World, segment_id: UUID) -> str:
    return str(
        world.postgres.value(
            "select status from public.parcours_segments where id = %s", segment_id
        )
    )
