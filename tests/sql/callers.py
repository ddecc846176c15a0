"""Whoever asks the database, each on a connection of their own, as PostgREST would ask for them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from parcours_dev.supabase.project import LocalProject
from tests.sql.safeupdate import SafeCursor

OWNER = UUID("00000000-0000-4000-8000-00000000000a")
STRANGER = UUID("00000000-0000-4000-8000-00000000000b")

# Name of a caller -> the role it becomes, and the user its token names.
CALLERS: dict[str, tuple[str | None, UUID | None]] = {
    "anon": ("anon", None),
    "owner": ("authenticated", OWNER),
    "stranger": ("authenticated", STRANGER),
    "service_role": ("service_role", None),
    "postgres": (None, None),
}
API_CALLERS = tuple(name for name, (role, _) in CALLERS.items() if role)

Row = dict[str, Any]


class Caller:
    """One connection, one transaction a statement, acting as one of CALLERS."""

    def __init__(self, project: LocalProject, database: str, name: str) -> None:
        role, user_id = CALLERS[name]
        login = "authenticator" if role else "postgres"
        self.name = name
        # Supabase loads safeupdate for the role that PostgREST logs in as, and for no other.
        cursors: type[psycopg.Cursor[Any]] = SafeCursor if role else psycopg.Cursor
        self.connection = psycopg.connect(
            project.database_url(login, database),
            autocommit=True,
            row_factory=dict_row,
            cursor_factory=cursors,
        )
        if role:
            claims = {"role": role} | ({"sub": str(user_id)} if user_id else {})
            self.connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            self.connection.execute(
                "select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)]
            )

    def call(self, function: str, /, **arguments: Any) -> Any:
        """What one of our functions answers. Arguments go by name, as PostgREST passes them.

        limits: written first, and named by their id, as the service does.
        """
        if function != "write_limits" and "limits" in arguments:
            arguments["limits_id"] = self.call("write_limits", limits=arguments.pop("limits"))
        query = sql.SQL("select public.{}({}) as answer").format(
            sql.Identifier(function),
            sql.SQL(", ").join(
                sql.SQL("p_{} => {}").format(sql.SQL(name), sql.Placeholder()) for name in arguments
            ),
        )
        values = [_adapt(value) for value in arguments.values()]
        [row] = self.connection.execute(query, values).fetchall()
        return row["answer"]

    def attempt(self, function: str, /, **arguments: Any) -> Any:
        """What one of our functions answers, or the Refusal it raises; other errors are raised."""
        try:
            return self.call(function, **arguments)
        except psycopg.Error as error:
            if not (error.sqlstate or "").startswith("PT"):
                raise
            return Refusal(error)

    def rows(self, query: LiteralString, *values: Any) -> list[Row]:
        return self.connection.execute(query, values).fetchall()

    def row(self, query: LiteralString, *values: Any) -> Row:
        [row] = self.rows(query, *values)
        return row

    def value(self, query: LiteralString, *values: Any) -> Any:
        [value] = self.row(query, *values).values()
        return value

    def do(self, statement: LiteralString, *values: Any) -> int:
        """How many rows a statement touched."""
        return self.connection.execute(statement, values).rowcount

    def close(self) -> None:
        self.connection.close()


class Refusal:
    """What a refused caller reads."""

    sqlstate: str | None = None
    message: str | None = None
    detail: str | None = None
    hint: str | None = None

    def __init__(self, error: psycopg.Error | None = None) -> None:
        if error is not None:
            self.read(error)

    def read(self, error: psycopg.Error) -> None:
        self.sqlstate = error.sqlstate
        self.message = error.diag.message_primary
        self.detail = error.diag.message_detail
        self.hint = error.diag.message_hint

    @property
    def wait_s(self) -> float:
        """The seconds to wait, which PT429 tells in its detail."""
        assert self.detail, "a refusal for a while says for how long"
        return float(self.detail)


@contextmanager
def refused(sqlstate: str) -> Iterator[Refusal]:
    """The block ends with this SQLSTATE; what else was said can be read afterwards."""
    refusal = Refusal()
    with pytest.raises(psycopg.Error) as caught:
        yield refusal
    assert caught.value.sqlstate == sqlstate, caught.value
    refusal.read(caught.value)


def _adapt(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value
