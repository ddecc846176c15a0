"""The migrations apply to a project that is already in use, and its rows survive."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from parcours_dev.errors import LocalError
from parcours_dev.supabase.migrations import apply_migrations
from parcours_dev.supabase.postgres import SUPERUSER
from parcours_dev.supabase.project import LocalProject
from tests.sql.callers import OWNER, Caller
from tests.sql.world import LIMITS

EARLIER = Path(__file__).with_name("earlier.sql").read_text()
PAGE = Path(__file__).parents[2] / "docs" / "deployment.md"
UNDER_WAY = UUID("00000000-0000-4000-8000-000000000e21")
ITS_TOKEN = UUID("00000000-0000-4000-8000-00000000e210")
READY, CREATING = (UUID(f"00000000-0000-4000-8000-0000000000e{number}") for number in (1, 2))

ROWS = {
    "parcours_runs": "select id, user_id, preset_key, status, locale from parcours_runs"
    " order by id",
    "parcours_segments": "select id, run_id, segment_index, prompt, status, storage_path,"
    " callback_token, suno_task_id from parcours_segments order by id",
    "feature_flags": "select * from feature_flags",
    "files": "select bucket_id, name from storage.objects",
}


class Earlier:
    """A project before our migrations; it is changed as a role of it, and asked."""

    def __init__(self, project: LocalProject, database: str) -> None:
        self.project = project
        self.database = database

    def do(self, statement: str, role: str = "postgres") -> None:
        with psycopg.connect(self.project.database_url(role, self.database)) as connection:
            connection.execute(statement.encode())

    def rows(self, query: str) -> list[dict[str, Any]]:
        url = self.project.database_url("postgres", self.database)
        with psycopg.connect(url, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()

    def migrate(self) -> None:
        apply_migrations(self.project.database_url(database=self.database))

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        return {name: self.rows(query) for name, query in ROWS.items()}

    def caller(self, name: str) -> Caller:
        return Caller(self.project, self.database, name)


@pytest.fixture
def empty(bootstrapped: LocalProject, empty: str) -> Earlier:
    return Earlier(bootstrapped, empty)


@pytest.fixture
def earlier(empty: Earlier) -> Earlier:
    """With tables made by hand, and rows in them (docs/specification.md#adoption)."""
    empty.do(f"insert into auth.users (id) values ('{OWNER}')", "supabase_auth_admin")
    empty.do(EARLIER)
    return empty


def test_every_row_survives(earlier: Earlier) -> None:
    before = earlier.everything()
    earlier.migrate()
    assert earlier.everything() == before


def test_what_is_missing_is_added(earlier: Earlier) -> None:
    earlier.migrate()
    [segment] = earlier.rows(f"select metadata from parcours_segments where run_id = '{READY}'")
    runs = earlier.rows("select metadata from parcours_runs order by id")
    assert segment["metadata"] == {}
    assert [run["metadata"] for run in runs] == [{"theirs": 1}, {}, {}]
    [cascades] = earlier.rows(
        "select count(*) as many from pg_constraint where contype = 'f' and confdeltype = 'c'"
        " and conrelid = 'parcours_segments'::regclass"
    )
    assert cascades["many"] == 1


def test_what_they_opened_is_closed(earlier: Earlier) -> None:
    earlier.migrate()
    stranger, owner = earlier.caller("stranger"), earlier.caller("owner")
    assert stranger.rows("select from parcours_segments") == []
    assert len(owner.rows("select from parcours_segments")) == 4
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.do("update parcours_runs set status = 'ready' where id = %s", CREATING)
    for caller in (stranger, owner):
        caller.close()


def test_a_callback_for_what_was_under_way_is_accepted(earlier: Earlier) -> None:
    earlier.migrate()
    service = earlier.caller("service_role")
    event = {
        "stage": "first",
        "source": "callback",
        "task_id": "task-2",
        "tracks": [{"id": "a", "stream_url": "https://cdn1.suno.ai/a", "download_url": None}],
    }
    answer = service.call("record_callback", segment_id=UNDER_WAY, token=ITS_TOKEN, event=event)
    service.close()
    assert answer["outcome"] == "ok"
    [segment] = earlier.rows(f"select status from parcours_segments where id = '{UNDER_WAY}'")
    assert segment["status"] == "first"


def test_a_run_under_way_is_found_and_made_whole(earlier: Earlier) -> None:
    """Without any caller: the maintenance loop puts it in hand."""
    earlier.migrate()
    service = earlier.caller("service_role")
    limits = {**LIMITS, "stuck_s": 360}
    found = service.call("find_runs", kind="unheld", limits=limits)
    assert [UUID(run["id"]) for run in found] == [CREATING]
    assert service.call("reactivate_run", run_id=CREATING, limits=limits) is True
    service.close()
    [held] = earlier.rows("select run_id, whole_run from parcours.active_runs")
    assert held == {"run_id": CREATING, "whole_run": True}


def test_a_user_can_be_deleted_with_all_that_is_theirs(earlier: Earlier) -> None:
    earlier.migrate()
    earlier.do(f"delete from auth.users where id = '{OWNER}'", "supabase_auth_admin")
    assert earlier.rows("select from parcours_runs") == []
    assert len(earlier.rows("select from parcours.erasures")) == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("alter table parcours_segments alter duration_seconds type numeric", "is of type numeric"),
        ("alter table parcours_runs add mood text not null default 'x';"
         "alter table parcours_runs alter mood drop default", "parcours_runs.mood must have"),
        ("alter table parcours_segments drop constraint parcours_segments_status_check;"
         "update parcours_segments set status = 'pending' where status = 'queued'",
         "rows of parcours_segments break"),
        ("alter table parcours_segments drop constraint parcours_segments_status_check,"
         " add constraint fewer check (status <> 'first')", "fewer refuses a documented status"),
        ("drop index u_segments_run_idx;"
         "update parcours_segments set segment_index = 0 where status = 'queued'",
         "several segments of one segment_index"),
        ("alter table parcours_segments drop constraint parcours_segments_run_id_fkey;"
         "delete from parcours_runs where status = 'ready'", "segments belong to no run"),
        ("alter table parcours_runs rename to theirs;"
         "create view parcours_runs as select * from theirs", "is not a table"),
        ("alter table feature_flags drop constraint feature_flags_pkey",
         "feature_flags.user_id is not unique"),
        ("alter table parcours_segments drop prompt", "rows of parcours_segments have no prompt"),
        ("drop index u_segments_run_idx;"
         "create index u_segments_run_idx on parcours_segments (run_id)",
         "u_segments_run_idx is not unique"),
    ],
)  # fmt: skip
def test_a_shape_that_contradicts_is_named_and_nothing_is_changed(
    earlier: Earlier, change: str, says: str
) -> None:
    earlier.do(change)
    tables = "select relname, relrowsecurity, relacl from pg_class where relnamespace = 2200"
    before = earlier.rows(tables)
    with pytest.raises(LocalError, match=re.escape(says)):
        earlier.migrate()
    assert earlier.rows(tables) == before
    assert earlier.rows("select from pg_namespace where nspname = 'parcours'") == []


def test_every_contradiction_is_named_at_once(earlier: Earlier) -> None:
    earlier.do("alter table parcours_segments alter duration_seconds type numeric")
    earlier.do("alter table parcours_runs alter brief type varchar(80)")
    with pytest.raises(LocalError) as refused:
        earlier.migrate()
    assert "is of type numeric, not integer" in str(refused.value)
    assert "parcours_runs.brief is of type character varying(80)" in str(refused.value)


def test_realtime_for_all_tables_is_left_as_it_is(earlier: Earlier) -> None:
    earlier.do("drop publication supabase_realtime")
    earlier.do("create publication supabase_realtime for all tables", SUPERUSER)
    earlier.migrate()
    told = earlier.rows("select tablename from pg_publication_tables where schemaname = 'public'")
    assert {"parcours_runs", "parcours_segments"} <= {row["tablename"] for row in told}


def test_a_table_that_realtime_tells_of_already_stays(earlier: Earlier) -> None:
    earlier.do("alter publication supabase_realtime add table parcours_runs")
    earlier.migrate()
    told = earlier.rows("select tablename from pg_publication_tables")
    assert sorted(row["tablename"] for row in told) == ["parcours_runs", "parcours_segments"]


def test_queues_made_in_the_dashboard_serve(earlier: Earlier) -> None:
    """Their schema, tables and functions belong to another role, which grants all."""
    earlier.do(
        """
        do $$
        declare
          item record;
        begin
          for item in select oid::regclass as name from pg_class
                       where relnamespace = 'pgmq'::regnamespace and relkind in ('r', 'p') loop
            execute format('alter table %s owner to supabase_admin', item.name);
          end loop;
          for item in select oid::regprocedure as name from pg_proc
                       where pronamespace = 'pgmq'::regnamespace loop
            execute format('alter function %s owner to supabase_admin', item.name);
          end loop;
        end;
        $$;
        alter schema pgmq owner to supabase_admin;
        grant all on schema pgmq to postgres;
        grant all on all tables in schema pgmq to postgres;
        grant all on all sequences in schema pgmq to postgres;
        select pgmq.create('parcours_tracks');
        insert into pgmq.q_parcours_tracks (vt, message) values (now(), '{"theirs": 1}');
        grant all on all tables in schema pgmq to postgres;
        """,
        SUPERUSER,
    )
    earlier.migrate()
    [job] = earlier.rows("select message from pgmq.q_parcours_tracks")
    assert job["message"] == {"theirs": 1}
    service = earlier.caller("service_role")
    service.call("start_run", run_id=CREATING, limits=LIMITS)
    service.close()
    assert len(earlier.rows("select from pgmq.q_parcours_generation")) == 1


def test_queues_that_may_not_be_made_are_said(earlier: Earlier) -> None:
    earlier.do("alter schema pgmq owner to supabase_admin", SUPERUSER)
    earlier.do("grant usage on schema pgmq to postgres", SUPERUSER)
    with pytest.raises(LocalError, match="the schema pgmq belongs to supabase_admin"):
        earlier.migrate()


def test_a_schema_pgmq_that_is_something_else_is_said(earlier: Earlier) -> None:
    earlier.do("drop schema pgmq cascade; create schema pgmq", SUPERUSER)
    earlier.do("grant all on schema pgmq to postgres", SUPERUSER)
    with pytest.raises(LocalError, match="it is not that of Supabase Queues"):
        earlier.migrate()


def test_without_a_trigger_on_users_the_rest_applies(earlier: Earlier) -> None:
    before = earlier.everything()
    earlier.do("revoke trigger on auth.users from postgres", "supabase_auth_admin")
    earlier.migrate()
    assert earlier.everything() == before


def test_without_the_policies_of_storage_the_rest_applies(earlier: Earlier) -> None:
    before = earlier.everything()
    earlier.do("grant all on storage.buckets to postgres with grant option", SUPERUSER)
    earlier.do("alter table storage.objects owner to supabase_admin", SUPERUSER)
    earlier.migrate()
    assert earlier.everything() == before


def test_old_default_grants_open_nothing(earlier: Earlier) -> None:
    """Projects made before 2026 grant every new table, function and sequence to every API role."""
    earlier.do(
        "alter default privileges in schema public"
        " grant all on tables to anon, authenticated, service_role;"
        "alter default privileges in schema public"
        " grant all on functions to anon, authenticated, service_role;"
        "alter default privileges in schema public"
        " grant all on sequences to anon, authenticated, service_role;"
    )
    earlier.migrate()
    opened = earlier.rows(
        "select relname from pg_class, unnest(array['anon', 'authenticated']) as role"
        " where relnamespace = 'public'::regnamespace and relkind = 'S'"
        "   and has_sequence_privilege(role, pg_class.oid, 'usage, select, update')"
    )
    assert opened == []


def test_the_way_back_of_the_page_brings_the_earlier_functions_what_they_had(
    earlier: Earlier,
) -> None:
    policies = "select * from pg_policies where schemaname = 'public' order by policyname"
    before = earlier.rows(policies)
    earlier.migrate()
    [back] = re.findall(r"```sql\n(-- Back.*?)```", PAGE.read_text(), re.DOTALL)
    earlier.do(back)
    theirs = [policy["policyname"] for policy in before]
    kept = [row for row in earlier.rows(policies) if row["policyname"] in theirs]
    owner = earlier.caller("owner")
    owner.do("insert into parcours_runs (user_id, preset_key) values (%s, 'x')", OWNER)
    owner.close()
    service = earlier.caller("service_role")
    # As the earlier runner went about it: no new token.
    service.do("update parcours_segments set status = 'failed' where id = %s", UNDER_WAY)
    service.do("update parcours_segments set status = 'generating' where id = %s", UNDER_WAY)
    service.close()
    assert kept == before


def test_forward_again_closes_what_the_way_back_opened(earlier: Earlier) -> None:
    earlier.migrate()
    looks = (
        "select * from pg_policies where schemaname = 'public' order by policyname",
        "select table_name, grantee, privilege_type from information_schema.role_table_grants"
        " where table_schema = 'public' and grantee in ('anon', 'authenticated')"
        " order by table_name, grantee, privilege_type",
        "select tgname, tgenabled from pg_trigger where tgname = 'check_transition'",
    )
    closed = [earlier.rows(look) for look in looks]
    back, forward = re.findall(r"```sql\n(-- (?:Back|Forward).*?)```", PAGE.read_text(), re.DOTALL)
    earlier.do(back)
    assert [earlier.rows(look) for look in looks] != closed
    earlier.do(forward)
    assert [earlier.rows(look) for look in looks] == closed
