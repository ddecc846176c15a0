"""The reserve in the database: what may be bought, who is given what, and what is deleted."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.callers import OWNER, refused
from tests.sql.journeys import create_journey
from tests.sql.users import Users
from tests.sql.world import LIMITS, World

PRESET = "00-universel-reset"
DAYS, SHARE = 30, 0.25
TRIES = 5


@pytest.fixture(autouse=True)
def empty(world: World) -> None:
    world.postgres.do("delete from parcours.reserve_tasks")


def claim(world: World, per_preset: int = 2, share: float = SHARE, **limits: Any) -> dict[str, Any]:
    answer: dict[str, Any] = world.service.call(
        "claim_reserve",
        limits=LIMITS | limits,
        preset_key=PRESET,
        per_preset=per_preset,
        prompts=4,
        days=DAYS,
        share=share,
    )
    return answer


def compose(world: World, seconds: tuple[float, float] = (300, 280)) -> list[UUID]:
    """A task with two pieces that are ready, of so many seconds."""
    task = claim(world, per_preset=100, share=0.99)
    assert world.service.call("record_reserve_task", id=task["id"], task_id=task["id"]) == "ok"
    tracks = [{"id": name, "download_url": f"https://cdn1.suno.ai/{name}"} for name in "ab"]
    world.service.call("add_reserve_pieces", id=task["id"], tracks=tracks)
    work = world.service.call("read_reserve_work")
    pieces = [UUID(piece["id"]) for piece in work["pieces"]]
    for piece, length in zip(pieces, seconds, strict=True):
        recorded = world.service.call(
            "record_reserve_piece", id=piece, seconds=length, loudness_lufs=-18.5
        )
        assert recorded == "ready"
    return pieces


def give(world: World, seconds: float = 1440, user_id: UUID = OWNER) -> list[UUID]:
    given = world.service.call("give_reserve", user_id=user_id, preset_key=PRESET, seconds=seconds)
    return [UUID(piece["id"]) for piece in given]


# What is bought


def test_a_task_is_two_pieces_and_no_more_are_bought_than_are_wanted(world: World) -> None:
    assert claim(world)["outcome"] == "claimed"
    assert claim(world)["outcome"] == "full"
    assert claim(world, per_preset=3)["outcome"] == "claimed"
    assert claim(world, per_preset=4)["outcome"] == "full"


def test_the_prompts_of_a_preset_take_turns(world: World) -> None:
    places = [claim(world, per_preset=100, share=0.99)["segment_index"] for _ in range(6)]
    assert places == [0, 1, 2, 3, 0, 1]


def test_nothing_is_bought_while_a_listener_waits_for_a_first_note(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    waits = claim(world)
    assert (waits["outcome"], waits["reason"]) == ("waits", "listeners")
    assert world.postgres.value("select count(*) from parcours.submissions") == 0


def test_the_reserve_takes_its_share_of_the_quota_and_no_more(world: World) -> None:
    outcomes = [claim(world, per_preset=100)["outcome"] for _ in range(6)]
    assert outcomes == ["claimed"] * 5 + ["waits"]


def test_the_last_places_of_the_quota_are_for_listeners(world: World) -> None:
    limits_id = world.service.call("write_limits", limits=LIMITS)
    for _ in range(17):
        world.postgres.value(
            "select parcours.reserve_slot(parcours.read_limits(%s), 'submit')", limits_id
        )
    with refused("PT429") as refusal:
        claim(world)
    assert refusal.hint == "suno_quota"


def test_it_leaves_listeners_a_whole_journey_of_the_credits_of_the_day(world: World) -> None:
    most = 2 * 12 + 4 * 12
    assert claim(world, per_preset=100, credits_daily_max=most)["outcome"] == "claimed"
    assert claim(world, per_preset=100, credits_daily_max=most)["outcome"] == "claimed"
    waits = claim(world, per_preset=100, credits_daily_max=most)
    assert (waits["outcome"], waits["reason"]) == ("waits", "credits")
    assert waits["wait_s"] > 86000


def test_what_suno_refuses_costs_nothing(world: World) -> None:
    task = claim(world, credits_daily_max=60)
    world.service.call("fail_reserve_task", id=task["id"], reason="busy", refused=True)
    assert world.service.call("read_reserve")["spent"] == 0
    assert claim(world, credits_daily_max=60)["outcome"] == "claimed"


# Callbacks


def tell(world: World, task_id: object, token: object, suno_task_id: str = "t1") -> Any:
    event = {"stage": "first", "source": "callback", "task_id": suno_task_id}
    return world.service.call("record_callback", segment_id=task_id, token=token, event=event)


def test_a_callback_names_a_task_whose_submission_was_never_answered(world: World) -> None:
    task = claim(world)
    assert tell(world, task["id"], task["callback_token"])["outcome"] == "ok"
    [open_task] = world.service.call("read_reserve_work")["tasks"]
    assert open_task["suno_task_id"] == "t1"
    assert tell(world, task["id"], task["callback_token"])["outcome"] == "skipped"
    assert world.service.call("record_reserve_task", id=task["id"], task_id="t2") == "late"


def test_a_callback_with_another_token_is_refused_as_everywhere(world: World) -> None:
    task = claim(world)
    with refused("PT401"):
        tell(world, task["id"], uuid4())
    with refused("PT401"):
        world.service.call("check_callback", segment_id=task["id"], token=uuid4())
    world.service.call("check_callback", segment_id=task["id"], token=task["callback_token"])


# What is given


def test_pieces_are_given_that_were_heard_least_recently(world: World) -> None:
    first, second = compose(world)
    assert give(world, seconds=10) == [first]
    assert give(world, seconds=10) == [second]
    assert give(world, seconds=10) == [first]
    assert give(world) == [second, first], "as many as there are"
    assert give(world, seconds=10, user_id=uuid4()) == [first], "each listener has their own"


def test_no_more_are_given_than_a_journey_needs(world: World) -> None:
    pieces = compose(world) + compose(world) + compose(world)
    assert give(world, seconds=1000) == pieces[:4]


def test_nothing_is_given_to_an_account_that_is_banned(users: Users, world: World) -> None:
    compose(world)
    user_id = users.add()
    users.connection.execute(
        "update auth.users set banned_until = now() + interval '1 day' where id = %s", [user_id]
    )
    with refused("PT403"):
        give(world, user_id=user_id)


def test_what_was_heard_is_erased_with_the_rest_of_a_user(world: World) -> None:
    compose(world)
    give(world)
    held = world.service.call("read_personal_data", user_id=OWNER, limit=10)
    assert len(held["reserve_heard"]) == 2
    world.service.call("erase_user", user_id=OWNER, limit=10)
    assert world.postgres.value("select count(*) from parcours.reserve_heard") == 0


# What is stored


def test_a_piece_that_two_have_stored_is_ready_for_both(world: World) -> None:
    first, second = compose(world)
    again = {"seconds": 300, "loudness_lufs": -18.5}
    assert world.service.call("record_reserve_piece", id=first, **again) == "ready"
    world.service.call("drop_reserve_piece", id=second, after_s=0)
    assert world.service.call("record_reserve_piece", id=second, **again) == "gone"


# What is deleted


def test_a_dropped_piece_is_given_to_nobody_and_its_file_is_deleted_first(world: World) -> None:
    first, second = compose(world)
    world.service.call("drop_reserve_piece", id=first, after_s=0)
    assert give(world) == [second]
    [erase] = world.service.call("read_reserve_work")["erase"]
    assert erase["path"] == f"reserve/{PRESET}/{first}.mp3"
    for piece in (first, second):
        world.service.call("forget_reserve_piece", id=piece)
    assert world.postgres.value("select count(*) from parcours.reserve_pieces") == 1
    with refused("PT404"):
        world.service.call("drop_reserve_piece", id=first, after_s=0)


def test_an_old_piece_goes_once_a_younger_one_is_there(world: World) -> None:
    old = {"preset_key": PRESET, "per_preset": 2, "days": DAYS, "after_s": 3600}
    compose(world)
    world.postgres.do("update parcours.reserve_pieces set created_at = now() - interval '31 days'")
    assert world.service.call("drop_old_reserve", **old) == 0, "better old than none"
    assert claim(world)["outcome"] == "claimed", "old ones are to be replaced"
    world.postgres.do("delete from parcours.reserve_tasks where status = 'submitting'")
    compose(world)
    assert world.service.call("drop_old_reserve", **old) == 2
    assert len(give(world)) == 2
    assert world.service.call("read_reserve_work")["erase"] == [], "still heard"


def test_a_piece_that_cannot_be_had_is_dropped_in_the_end(world: World) -> None:
    task = claim(world)
    world.service.call("record_reserve_task", id=task["id"], task_id="t1")
    tracks = [{"id": "a", "download_url": "https://cdn1.suno.ai/a"}]
    for _ in range(2):
        world.service.call("add_reserve_pieces", id=task["id"], tracks=tracks)
    [piece] = world.service.call("read_reserve_work")["pieces"]
    failed = {"id": piece["id"], "tries": TRIES}
    outcomes = [world.service.call("fail_reserve_piece", **failed) for _ in range(TRIES)]
    assert outcomes == ["again"] * (TRIES - 1) + ["dropped"]
