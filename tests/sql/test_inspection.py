"""inspect_access: whatever somebody has opened, or taken away, is said in words."""

from typing import LiteralString

import pytest

from parcours_dev.supabase.project import LocalProject
from tests.sql.world import World


@pytest.fixture
def spoilt(postgres: LocalProject, fresh_database: str) -> World:
    """A database of this test's own."""
    return World(postgres, fresh_database)


def test_what_the_migrations_made_is_as_it_should_be(world: World) -> None:
    assert world.service.call("inspect_access") == []


MISTAKES: dict[LiteralString, str] = {
    "alter table public.parcours_runs disable row level security": (
        "row level security is off on parcours_runs"
    ),
    "grant select on public.parcours_events to authenticated": (
        "authenticated may select parcours_events"
    ),
    "grant insert on public.parcours_segments to anon": "anon may insert parcours_segments",
    "revoke select on public.parcours_runs from authenticated": (
        "authenticated lacks select on parcours_runs"
    ),
    'drop policy "Owners read their runs" on public.parcours_runs': (
        'the policy "Owners read their runs" on parcours_runs is missing'
    ),
    "create policy open on public.parcours_runs for select using (true)": (
        'the policy "open" on parcours_runs is none of ours'
    ),
    'alter policy "Owners read their runs" on public.parcours_runs using (true)': (
        'the policy "Owners read their runs" on parcours_runs says something else'
    ),
    'alter policy "Owners write their SUDS" on public.parcours_runs with check (true)': (
        'the policy "Owners write their SUDS" on parcours_runs says something else'
    ),
    'alter policy "Owners read their runs" on public.parcours_runs to public': (
        'the policy "Owners read their runs" on parcours_runs says something else'
    ),
    "grant update (status) on public.parcours_runs to authenticated": (
        "authenticated may write status of parcours_runs"
    ),
    "revoke update (suds_mid) on public.parcours_runs from authenticated": (
        "authenticated may not write suds_mid of parcours_runs"
    ),
    "create policy leak on storage.objects for select to anon using (true)": (
        'the policy "leak" on the files opens the bucket'
    ),
    "create policy leak on storage.objects for select using (bucket_id = 'parcours-tracks')": (
        'the policy "leak" on the files opens the bucket'
    ),
    'drop policy "Service role can manage all tracks" on storage.objects': (
        "the policy of the bucket is missing"
    ),
    "grant execute on function public.record_track to anon": "anon may call record_track",
    "grant usage on schema parcours to authenticated": (
        "authenticated may enter the schema parcours"
    ),
    "update storage.buckets set public = true where id = 'parcours-tracks'": (
        "the bucket is public: anybody may listen"
    ),
    "update storage.buckets set file_size_limit = null where id = 'parcours-tracks'": (
        "the bucket takes files of any number of bytes instead of 50 MB"
    ),
    "update storage.buckets set allowed_mime_types = '{image/png}' where id = 'parcours-tracks'": (
        "the bucket does not take audio/mpeg and audio/wav"
    ),
}


@pytest.mark.parametrize(("mistake", "said"), MISTAKES.items(), ids=MISTAKES.values())
def test_a_mistake_is_said_in_words(spoilt: World, mistake: LiteralString, said: str) -> None:
    spoilt.postgres.do(mistake)
    assert spoilt.service.call("inspect_access") == [said]
    spoilt.close()


def test_other_users_functions_and_tables_are_none_of_our_business(spoilt: World) -> None:
    spoilt.postgres.do("create table public.others (id int)")
    spoilt.postgres.do("grant all on public.others to anon")
    spoilt.postgres.do(
        "create function public.open() returns int language sql security definer"
        " set search_path = '' as 'select 1'"
    )
    spoilt.postgres.do(
        "create policy faces on storage.objects for select using (bucket_id = 'faces')"
    )
    assert spoilt.service.call("inspect_access") == []
    spoilt.close()
