"""Nothing that an API caller sets off updates or deletes a whole table."""

import pytest

from tests.sql.callers import API_CALLERS, refused
from tests.sql.safeupdate import find_unsafe
from tests.sql.world import World


def test_no_function_of_ours_breaks_the_rule(world: World) -> None:
    functions = world.postgres.rows(
        "select oid::regprocedure::text as name, prosrc as source from pg_proc"
        " where pronamespace in ('public'::regnamespace, 'parcours'::regnamespace)"
    )
    assert len(functions) > 50
    unsafe = {row["name"]: found for row in functions if (found := find_unsafe(row["source"]))}
    assert unsafe == {}


@pytest.mark.parametrize("name", API_CALLERS)
def test_every_api_caller_of_these_tests_is_held_to_it(world: World, name: str) -> None:
    for verb in ("delete from public.parcours_runs", "update public.parcours_runs set brief = ''"):
        with refused("21000"):
            world.caller(name).do(verb)


@pytest.mark.parametrize(
    "source",
    [
        "delete from parcours.places;",
        "begin update public.parcours_runs set status = 'ready'; return; end",
        "with gone as (delete from a returning id) select * from gone where id = 1;",
        "begin execute 'delete from x'; end",
        "update a set b = (select c from d where e = 1);",
        "delete from a -- where it is full\n;",
    ],
)
def test_a_whole_table_is_found(source: str) -> None:
    assert len(find_unsafe(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "delete from a where id = 1;",
        "select * from a for update;",
        "insert into a values (1) on conflict (id) do update set b = 2;",
        "with gone as (delete from a where b returning id) select * from gone;",
        "raise exception 'never delete from here';",
        "update a set b = c from d where d.id = a.id;",
    ],
)
def test_what_names_its_rows_is_left_alone(source: str) -> None:
    assert find_unsafe(source) == []
