"""Connections to the project's database, shared by the requests of one stand-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import anyio
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

CONNECTIONS_MAX = 8
CONNECT_S_MAX = 3

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]


class Connections:
    """At most `CONNECTIONS_MAX` connections of one login role; idle ones are used again.

    Not psycopg's pool, which lets requests wait while it tries to reconnect: a database that is
    away must be an answer at once, and one that is back must be found by the next request.
    """

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._idle: list[Connection] = []
        self._slots = anyio.Semaphore(CONNECTIONS_MAX)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction, committed when the block ends well.

        Raises psycopg.OperationalError when the database is unavailable.
        """
        async with self._slots:
            connection = await self._take()
            try:
                async with connection.transaction():
                    yield connection
            finally:
                await self._put_back(connection)

    async def close(self) -> None:
        """Close the idle connections. A transaction still under way closes its own."""
        while self._idle:
            await self._idle.pop().close()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.execute("select")
            except psycopg.OperationalError:
                await connection.close()
            else:
                return connection
        return await psycopg.AsyncConnection.connect(
            self._database_url,
            autocommit=True,
            connect_timeout=CONNECT_S_MAX,
            row_factory=dict_row,
        )

    async def _put_back(self, connection: Connection) -> None:
        if connection.info.transaction_status == TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            await connection.close()


async def fetch_one(connection: Connection, query: LiteralString, *values: Any) -> Row | None:
    """The first row of a query, or None."""
    return await (await connection.execute(query, values)).fetchone()


async def fetch_all(connection: Connection, query: LiteralString, *values: Any) -> list[Row]:
    """Every row of a query."""
    return await (await connection.execute(query, values)).fetchall()
