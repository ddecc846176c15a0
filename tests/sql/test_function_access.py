"""Our functions: pinned down, owned by postgres, and open to the service role alone."""

import pytest

from parcours_xl.clients.database import READS
from tests.sql.callers import API_CALLERS, Row, refused
from tests.sql.world import World

# Everything that the service may call, and nothing else.
FUNCTION_ROUTES = {
    *("admit_run", "leave_place", "create_run", "rewrite_run", "start_run", "release_run"),
    *("write_limits", "next_steps", "claim_segment"),
    *("reserve_suno_request", "reserve_question", "answer_suno_request"),
    *("record_task", "record_refusal", "check_callback", "record_callback"),
    "retry_segment",
    *("take_track_jobs", "postpone_job", "finish_job"),
    *("record_track", "fail_segment", "find_track"),
    *("cancel_run", "erase_user", "record_erasures", "find_user", "read_personal_data"),
    *("erase_departed", "read_auth_log"),
    *("grow_rollout", "end_rollout", "read_rollout"),
    *("read_logs", "read_queues", "report_slice", "report_top_users", "read_measurements"),
    *(
        "delete_history",
        "acquire_maintenance",
        "release_maintenance",
        "record_credits",
        "read_snapshot",
        "update_alerts",
        "record_notification",
    ),
    *("requeue_dead_letters", "inspect_access", "read_migrations", "count_scans"),
    *("find_segments", "find_runs", "scan_segments", "scan_files"),
    *("claim_reserve", "record_reserve_task", "fail_reserve_task", "add_reserve_pieces"),
    *("read_reserve_work", "record_reserve_piece", "fail_reserve_piece", "drop_reserve_piece"),
    *("drop_old_reserve", "forget_reserve_piece", "read_reserve", "give_reserve"),
    *("reactivate_run", "retry", "requeue_track", "record_restored", "record_unrestored"),
}


def functions(world: World, schema: str) -> list[Row]:
    """Every function of a schema, with who may call it."""
    return world.postgres.rows(
        "select proname as name, prosecdef as definer, proconfig as config,"
        "       pg_get_userbyid(proowner) as owner,"
        "       has_function_privilege('anon', oid, 'execute') as anon,"
        "       has_function_privilege('authenticated', oid, 'execute') as authenticated,"
        "       has_function_privilege('service_role', oid, 'execute') as service_role,"
        "       exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner)))"
        "                where grantee = 0) as public,"
        "       pg_get_function_identity_arguments(oid) as arguments, prosrc as source,"
        "       provolatile <> 'v' as reads"
        "  from pg_proc where pronamespace = %s::regnamespace order by proname",
        schema,
    )


def test_every_function_is_named_once(world: World) -> None:
    names = [row["name"] for row in functions(world, "public")]
    assert sorted(names) == sorted(FUNCTION_ROUTES)


def test_a_function_runs_as_postgres_for_the_service_role_alone(world: World) -> None:
    for function in functions(world, "public"):
        assert function["owner"] == "postgres", function["name"]
        assert function["definer"], function["name"]
        assert function["service_role"], function["name"]
        assert not function["anon"], function["name"]
        assert not function["authenticated"], function["name"]
        assert not function["public"], function["name"]


def test_what_is_called_once_more_after_a_broken_connection_changes_nothing(world: World) -> None:
    assert {row["name"] for row in functions(world, "public") if row["reads"]} == READS


def test_what_the_functions_share_is_open_to_nobody(world: World) -> None:
    shared = functions(world, "parcours")
    assert shared
    for function in shared:
        assert function["owner"] == "postgres", function["name"]
        assert not function["service_role"], function["name"]
        assert not function["anon"], function["name"]
        assert not function["authenticated"], function["name"]
        assert not function["public"], function["name"]


@pytest.mark.parametrize("schema", ["public", "parcours"])
def test_no_function_looks_names_up_in_a_search_path(world: World, schema: str) -> None:
    for function in functions(world, schema):
        assert function["config"] == ['search_path=""'], function["name"]


@pytest.mark.parametrize("name", [name for name in API_CALLERS if name != "service_role"])
def test_a_caller_without_the_service_key_calls_no_function(world: World, name: str) -> None:
    for function in functions(world, "public"):
        nulls = ", ".join(
            f"null::{argument.split(' ', 1)[1]}"
            for argument in filter(None, function["arguments"].split(", "))
        )
        with refused("42501"):
            world.caller(name).connection.execute(
                f"select public.{function['name']}({nulls})".encode()
            )


@pytest.mark.parametrize("name", API_CALLERS)
def test_no_schema_of_ours_can_be_entered_or_added_to(world: World, name: str) -> None:
    for schema in ("public", "parcours", "pgmq"):
        with refused("42501"):
            world.caller(name).connection.execute(f"create table {schema}.mine (id int)".encode())
    with refused("42501"):
        world.caller(name).rows("select parcours.settle_run(gen_random_uuid())")


def test_only_what_hosted_queues_have_is_used(world: World) -> None:
    """pgmq 1.5.1: create, send, read, set_vt with whole seconds, archive, delete."""
    known = {"send", "set_vt", "delete"}
    used = world.postgres.rows(
        "select distinct (regexp_matches(prosrc, 'pgmq\\.([a-z_]+)\\(', 'g'))[1] as name"
        "  from pg_proc where pronamespace in ('public'::regnamespace, 'parcours'::regnamespace)"
    )
    assert {row["name"] for row in used} == known
