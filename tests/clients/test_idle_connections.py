"""Idle connections that the server closes just when they are used again."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jwt
import pytest

from parcours_xl.clients.clients import open_clients
from parcours_xl.clients.database import SupabaseUnavailable
from parcours_xl.clients.suno import Order
from parcours_xl.settings import Settings
from tests.fixtures.service import MakeSettings

pytestmark = pytest.mark.anyio

USER_ID = "11111111-1111-4111-8111-111111111111"
ANSWERS: dict[str, Any] = {
    "/api/v1/generate/credit": {"code": 200, "msg": "ok", "data": 5},
    "/api/v1/generate": {"code": 200, "msg": "ok", "data": {"taskId": "task"}},
    "/storage/v1/object/sign/": {"signedURL": "/object/sign/parcours-tracks/a.mp3?token=x"},
    "/rest/v1/rpc/find_track": "a.mp3",
    "/auth/v1/user": {
        "id": USER_ID,
        "aud": "authenticated",
        "created_at": "2026-01-01T00:00:00Z",
        "app_metadata": {},
        "user_metadata": {},
    },
    "/rest/v1/rpc/erase_departed": 0,
    "/rest/v1/rpc/read_logs": [],
    "/rest/v1/rpc/report_slice": {},
    "/rest/v1/rpc/read_queues": [],
}


class Hasty:
    """A server that answers one request a connection, and closes it at the next."""

    def __init__(self) -> None:
        self.url = ""
        self.answered: list[str] = []
        self.closed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = await self._read(reader)
        if path is not None:
            [answer] = [ANSWERS[known] for known in ANSWERS if path.startswith(known)][:1]
            body = json.dumps(answer).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n"
            writer.write(head.encode() + b"content-type: application/json\r\n\r\n" + body)
            await writer.drain()
            self.answered.append(path)
            self.closed += bool(await reader.read(1))
        writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> str | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        for line in head.lower().split("\r\n"):
            if line.startswith("content-length:"):
                await reader.readexactly(int(line.split(":")[1]))
        return head.split(" ", 2)[1]


@asynccontextmanager
async def hasty_server() -> AsyncIterator[Hasty]:
    hasty = Hasty()
    async with await asyncio.start_server(hasty.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        hasty.url = f"http://127.0.0.1:{port}"
        yield hasty


def supabase_at(hasty: Hasty, make_settings: MakeSettings) -> Settings:
    return make_settings(supabase_url=hasty.url, postgrest_url=f"{hasty.url}/rest/v1")


async def test_a_submission_never_meets_one(make_settings: MakeSettings) -> None:
    async with (
        hasty_server() as hasty,
        open_clients(make_settings(suno_api_base=hasty.url)) as clients,
    ):
        assert await clients.suno.credit() == 5
        for _ in range(2):
            assert await clients.suno.submit(Order("calm", "Calm", 300, "https://x.org")) == "task"
    assert hasty.closed == 0


async def test_signing_is_tried_once_more(make_settings: MakeSettings) -> None:
    async with (
        hasty_server() as hasty,
        open_clients(supabase_at(hasty, make_settings)) as clients,
    ):
        for _ in range(2):
            assert await clients.database.find_track(uuid4(), uuid4()) == "a.mp3"
            assert "token=x" in await clients.storage.sign("a.mp3")
    assert hasty.closed > 0, "an idle connection was used again, and closed"


async def test_a_token_that_auth_verifies_is_shown_once_more(make_settings: MakeSettings) -> None:
    async with hasty_server() as hasty:
        settings = supabase_at(hasty, make_settings)
        claims = {
            "sub": USER_ID,
            "role": "authenticated",
            "aud": "authenticated",
            "iss": settings.supabase_jwt_issuer,
            "exp": int(time.time()) + 60,
        }
        token = jwt.encode(claims, "nobody but Auth knows this secret", "HS256")
        async with open_clients(settings) as clients:
            for _ in range(3):
                assert str(await clients.auth.verify_user(token)) == USER_ID
    assert hasty.closed > 0, "an idle connection was used again, and closed"


async def test_what_operators_read_is_asked_once_more(make_settings: MakeSettings) -> None:
    now = datetime.now(UTC)
    async with (
        hasty_server() as hasty,
        open_clients(supabase_at(hasty, make_settings)) as clients,
    ):
        for _ in range(2):
            assert await clients.queries.read_logs() == []
            assert await clients.queries.report_slice(now, now, {}) == {}
            assert await clients.queries.read_queues() == []
    assert hasty.closed > 0, "an idle connection was used again, and closed"


async def test_what_changes_something_is_not(make_settings: MakeSettings) -> None:
    async with (
        hasty_server() as hasty,
        open_clients(supabase_at(hasty, make_settings)) as clients,
    ):
        assert await clients.queries.erase_departed() == 0
        with pytest.raises(SupabaseUnavailable):
            await clients.queries.erase_departed()
    assert len(hasty.answered) == 1
