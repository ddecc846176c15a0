"""The private bucket of tracks and its policy (docs/specification.md#storage)."""

from typing import LiteralString

import pytest

from parcours_dev.supabase.migrations import MIGRATIONS
from tests.sql.callers import refused
from tests.sql.journeys import Journey
from tests.sql.world import World

POLICY = "((bucket_id = 'parcours-tracks'::text) AND (auth.role() = 'service_role'::text))"
INSERT: LiteralString = (
    "insert into storage.objects (bucket_id, name) values ('parcours-tracks', %s)"
)


def test_the_bucket_is_private_and_takes_50_mb_of_audio(world: World) -> None:
    bucket = world.postgres.row("select * from storage.buckets where id = 'parcours-tracks'")
    assert bucket["name"] == "parcours-tracks"
    assert bucket["public"] is False
    assert bucket["file_size_limit"] == 52428800
    assert bucket["allowed_mime_types"] == ["audio/mpeg", "audio/mp3", "audio/wav"]


def test_a_bucket_made_by_hand_before_is_put_right(world: World) -> None:
    [migration] = MIGRATIONS.glob("*_storage.sql")
    with world.postgres.connection.transaction(force_rollback=True):
        world.postgres.do(
            "update storage.buckets set public = true, file_size_limit = null,"
            " allowed_mime_types = null where id = 'parcours-tracks'"
        )
        world.postgres.do('drop policy "Service role can manage all tracks" on storage.objects')
        world.postgres.connection.execute(migration.read_bytes())
        test_the_bucket_is_private_and_takes_50_mb_of_audio(world)


def test_the_only_policy_is_the_documented_one_word_for_word(world: World) -> None:
    [policy] = world.postgres.rows("select * from pg_policies where schemaname = 'storage'")
    assert policy == {
        "schemaname": "storage",
        "tablename": "objects",
        "policyname": "Service role can manage all tracks",
        "permissive": "PERMISSIVE",
        "roles": ["public"],
        "cmd": "ALL",
        "qual": POLICY,
        "with_check": None,
    }


def test_the_service_role_manages_all_tracks(world: World, journey: Journey) -> None:
    path = journey.path(journey.segment_id())
    assert world.service.do(INSERT, path) == 1
    found = world.service.rows("select name from storage.objects where name = %s", path)
    assert found == [{"name": path}]


@pytest.mark.parametrize("name", ["anon", "owner", "stranger"])
def test_a_track_is_nobody_else_s_to_see_or_write(
    world: World, journey: Journey, name: str
) -> None:
    path, caller = journey.path(journey.segment_id(1)), world.caller(name)
    world.service.do(INSERT, path)
    assert caller.rows("select name from storage.objects where name = %s", path) == []
    assert caller.do("update storage.objects set version = 'x' where name = %s", path) == 0
    assert caller.rows("select id from storage.buckets") == []
    with refused("42501"):
        caller.do(INSERT, path + ".other")
