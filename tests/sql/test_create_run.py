"""create_run and admit_run: the daily quota, the idempotency key, the run and its segments."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from tests.sql.callers import OWNER, STRANGER, Refusal, Row, refused
from tests.sql.concurrency import at_once
from tests.sql.journeys import creation
from tests.sql.world import World

DAY_S = 24 * 3600
REQUEST = {"presetKey": "universel-reset", "emotionState": {}}


def create(world: World, **others: Any) -> Row:
    return dict(world.service.call("create_run", **creation(**others)))


def admit(world: World, **others: Any) -> Row:
    asked = creation(**others)
    names = ("user_id", "quotas", "idempotency_key", "request")
    return dict(world.service.call("admit_run", **{n: asked[n] for n in names if n in asked}))


def keyed(key: str = "tap-1", request: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"idempotency_key": key, "request": REQUEST if request is None else request}


def count_runs(world: World) -> int:
    return int(world.postgres.value("select count(*) from public.parcours_runs"))


def test_a_run_is_answered_as_it_was_made(world: World) -> None:
    answer = create(world)
    assert answer == {
        "run_id": answer["run_id"],
        "title": "Retour au calme",
        "brief": "Un souffle, puis le calme.",
        "briefs": {"fr": "Un souffle, puis le calme.", "en": "A breath, then calm."},
        "status": "creating",
        "segments": 3,
    }


def test_a_run_keeps_what_it_was_given(world: World) -> None:
    run_id = UUID(create(world)["run_id"])
    run = world.postgres.row("select * from public.parcours_runs where id = %s", run_id)
    assert run["user_id"] == OWNER
    assert run["preset_key"] == "00-universel-reset"
    assert run["metadata"] == creation()["metadata"]
    assert (run["suds_start"], run["suds_mid"], run["suds_end"]) == (None, None, None)


def test_segments_are_counted_from_nought_in_the_order_given(world: World) -> None:
    run_id = UUID(
        create(world, segments=[{"prompt": name, "title": name} for name in "ab"])["run_id"]
    )
    found = world.postgres.rows(
        "select segment_index, prompt, metadata, status, suno_task_id from public.parcours_segments"
        " where run_id = %s order by segment_index",
        run_id,
    )
    assert found == [
        {
            "segment_index": place,
            "prompt": name,
            "metadata": {"title": name},
            "status": "queued",
            "suno_task_id": None,
        }
        for place, name in enumerate("ab")
    ]


def test_nothing_is_made_when_a_segment_has_no_prompt(world: World) -> None:
    with refused("23502"):
        create(world, segments=[{"prompt": "piano"}, {"title": "silence"}])
    assert count_runs(world) == 0


def test_a_user_has_so_many_runs_in_a_day(world: World) -> None:
    for _ in range(3):
        create(world, runs_daily_user=3)
    with refused("PT429") as refusal:
        create(world, runs_daily_user=3)
    assert refusal.message == "the quota of 3 journeys a day is used up"
    assert count_runs(world) == 3


def test_the_refusal_tells_when_the_next_run_fits(world: World) -> None:
    create(world, runs_daily_user=2)
    world.let_pass(3600)
    create(world, runs_daily_user=2)
    world.let_pass(600)
    with refused("PT429") as refusal:
        create(world, runs_daily_user=2)
    assert refusal.wait_s == pytest.approx(DAY_S - 4200, abs=5)
    world.let_pass(refusal.wait_s)
    create(world, runs_daily_user=2)


def test_a_smaller_quota_than_before_waits_for_the_run_that_counts(world: World) -> None:
    for _ in range(3):
        create(world)
        world.let_pass(3600)
    with refused("PT429") as refusal:
        create(world, runs_daily_user=1)
    assert refusal.wait_s == pytest.approx(DAY_S - 3600, abs=5)


def test_the_quota_is_each_user_s_own(world: World) -> None:
    create(world, runs_daily_user=1)
    create(world, runs_daily_user=1, user_id=STRANGER)


def test_admission_is_told_beforehand_without_making_anything(world: World) -> None:
    place = admit(world, runs_daily_user=1)["place"]
    world.service.call("leave_place", place=place)
    assert count_runs(world) == 0
    create(world)
    with refused("PT429"):
        admit(world, runs_daily_user=1)


def test_a_repeated_key_answers_the_same_run(world: World) -> None:
    first = create(world, **keyed())
    assert create(world, **keyed(), brief="another") == first
    assert admit(world, **keyed()) == {"run": first}
    assert count_runs(world) == 1


def test_a_repeated_key_answers_even_over_the_quota(world: World) -> None:
    first = create(world, **keyed(), runs_daily_user=1)
    assert create(world, **keyed(), runs_daily_user=1) == first
    assert admit(world, **keyed(), runs_daily_user=1) == {"run": first}
    with refused("PT429"):
        create(world, **keyed("tap-2"), runs_daily_user=1)


def test_a_replay_tells_how_the_run_is_now(world: World) -> None:
    first = create(world, **keyed())
    world.postgres.do("update public.parcours_runs set status = 'failed'")
    assert create(world, **keyed()) == first | {"status": "failed"}


def test_a_key_of_another_request_is_refused(world: World) -> None:
    create(world, **keyed())
    other = {"presetKey": "panique-anxiete", "emotionState": {}}
    for function in (create, admit):
        with refused("PT422"):
            function(world, **keyed(request=other))
    assert count_runs(world) == 1


def test_the_same_request_in_another_order_is_the_same(world: World) -> None:
    first = create(world, **keyed(request={"a": 1, "b": [1, 2]}))
    assert create(world, **keyed(request={"b": [1, 2], "a": 1})) == first


def test_a_key_is_kept_for_a_day(world: World) -> None:
    first = create(world, **keyed())
    world.let_pass(DAY_S - 60)
    assert create(world, **keyed()) == first
    world.let_pass(61)
    assert "place" in admit(world, **keyed(request={"other": True}))
    assert create(world, **keyed(request={"other": True}))["run_id"] != first["run_id"]


def test_a_key_that_is_over_is_free_for_another_request(world: World) -> None:
    first = create(world, **keyed())
    world.let_pass(DAY_S + 1)
    other = keyed(request={"other": True})
    second = create(world, **other)
    assert second["run_id"] != first["run_id"]
    assert create(world, **other)["run_id"] == second["run_id"]
    assert world.postgres.value("select count(*) from parcours.creations") == 1


def test_two_users_may_use_the_same_key(world: World) -> None:
    mine, theirs = create(world, **keyed()), create(world, **keyed(), user_id=STRANGER)
    assert mine["run_id"] != theirs["run_id"]


def test_a_key_is_free_again_when_its_run_was_erased(world: World) -> None:
    create(world, **keyed())
    world.postgres.do("delete from public.parcours_runs")
    create(world, **keyed(request={"other": True}))
    assert count_runs(world) == 1


def test_one_key_asked_eight_times_at_once_makes_one_run(world: World) -> None:
    services = [world.another("service_role") for _ in range(8)]
    asked = creation(**keyed())
    answers = at_once([partial(service.call, "create_run", **asked) for service in services])
    assert len({answer["run_id"] for answer in answers}) == 1
    assert count_runs(world) == 1


def test_eight_creations_at_once_keep_to_the_quota(world: World) -> None:
    services = [world.another("service_role") for _ in range(8)]
    asked = creation(runs_daily_user=3)
    answers = at_once([partial(service.attempt, "create_run", **asked) for service in services])
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    assert [refusal.sqlstate for refusal in refusals] == ["PT429"] * 5
    assert count_runs(world) == 3
