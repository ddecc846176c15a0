"""PostgREST decides as it does in production: by grants, by row level security, by token."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import jwt
import psycopg
import pytest

from parcours_dev.supabase.keys import new_signing_key
from parcours_dev.supabase.project import LocalProject
from tests.fixtures.waiting import wait_until

MINE, YOURS = str(uuid4()), str(uuid4())

TABLE = """
create table public.postgrest_exam (id int primary key, owner uuid not null);
alter table public.postgrest_exam enable row level security;
create policy own on public.postgrest_exam for select to authenticated
  using (owner = (select auth.uid()));
grant select on public.postgrest_exam to authenticated, service_role;
create function public.postgrest_exam_refuses() returns void language plpgsql as $$
begin
  raise sqlstate 'PT429' using message = 'too often', detail = '7';
end $$;
create function public.postgrest_exam_echo(p_value jsonb) returns jsonb language sql as
  'select p_value';
notify pgrst, 'reload schema';
"""
GONE = """
drop table public.postgrest_exam;
drop function public.postgrest_exam_refuses, public.postgrest_exam_echo;
notify pgrst, 'reload schema';
"""


@pytest.fixture(scope="module")
def api(stack: LocalProject) -> Iterator[httpx.Client]:
    """PostgREST itself, over a table with 1,200 rows of mine and one of yours."""
    with psycopg.connect(stack.database_url(), autocommit=True) as connection:
        connection.execute(TABLE)
        insert = "insert into public.postgrest_exam values (%s, %s)"
        rows = [(number, MINE) for number in range(1200)] + [(5000, YOURS)]
        with connection.cursor() as cursor:
            cursor.executemany(insert, rows)
        with httpx.Client(base_url=stack.rest_url, trust_env=False, timeout=30) as client:
            wait_for_schema(client)
            yield client
        connection.execute(GONE)


def wait_for_schema(client: httpx.Client) -> None:
    # Functions are found through the cached schema only, tables without it too.
    wait_until(lambda: client.post("/rpc/postgrest_exam_refuses").status_code != 404, 5)


def token(key: dict[str, Any], user: str, **claims: object) -> dict[str, str]:
    claims = {"sub": user, "role": "authenticated", "aud": "authenticated", **claims}
    signed = jwt.encode(claims, jwt.PyJWK(key).key, "ES256", headers={"kid": key["kid"]})
    return {"Authorization": f"Bearer {signed}"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_an_owner_sees_own_rows_only(api: httpx.Client, stack: LocalProject) -> None:
    answer = api.get("/postgrest_exam", headers=token(stack.signing_key, YOURS))
    assert answer.json() == [{"id": 5000, "owner": YOURS}]


def test_without_a_token_one_is_anon_and_sees_nothing(api: httpx.Client) -> None:
    answer = api.get("/postgrest_exam")
    assert (answer.status_code, answer.json()["code"]) == (401, "42501")


def test_the_anon_key_opens_no_more_than_no_key(api: httpx.Client, stack: LocalProject) -> None:
    answer = api.get("/postgrest_exam", headers=bearer(stack.anon_key))
    assert answer.json()["code"] == "42501"


def test_the_service_key_sees_every_row_a_thousand_at_a_time(
    api: httpx.Client, stack: LocalProject
) -> None:
    headers = bearer(stack.service_role_key) | {"Prefer": "count=exact"}
    answer = api.get("/postgrest_exam", headers=headers)
    assert len(answer.json()) == 1000
    assert answer.headers["content-range"] == "0-999/1201"


def test_a_token_signed_by_somebody_else_is_refused(api: httpx.Client, stack: LocalProject) -> None:
    forged = new_signing_key() | {"kid": stack.signing_key["kid"]}
    assert api.get("/postgrest_exam", headers=token(forged, MINE)).status_code == 401


def test_an_expired_token_is_refused(api: httpx.Client, stack: LocalProject) -> None:
    headers = token(stack.signing_key, MINE, exp=1)
    assert api.get("/postgrest_exam", headers=headers).status_code == 401


def test_what_a_function_refuses_becomes_the_status_it_names(
    api: httpx.Client, stack: LocalProject
) -> None:
    headers = bearer(stack.service_role_key)
    answer = api.post("/rpc/postgrest_exam_refuses", headers=headers)
    assert answer.status_code == 429
    assert answer.json()["details"] == "7"


def test_json_arguments_arrive_as_they_were_sent(api: httpx.Client, stack: LocalProject) -> None:
    value = {"text": "été", "numbers": [1, 2.5, None], "nested": {"deep": True}}
    headers = bearer(stack.service_role_key)
    answer = api.post("/rpc/postgrest_exam_echo", json={"p_value": value}, headers=headers)
    assert answer.json() == value


@pytest.mark.parametrize("schema", ["auth", "storage", "pgmq"])
def test_only_the_public_schema_is_exposed(
    api: httpx.Client, stack: LocalProject, schema: str
) -> None:
    headers = bearer(stack.service_role_key) | {"Accept-Profile": schema}
    answer = api.get("/users", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST106")
