"""What one worker at a time does every minute, and what it tells."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.settings import Settings
from parcours_xl.wiring import wire_maintenance
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.servers import running
from tests.fixtures.service import MakeSettings
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet", "untold")]


class Slack:
    """Takes messages, or refuses them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.refuses = False
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        text = (await request.json())["text"]
        if not self.refuses:
            self.texts.append(text)
        await Response("ok", 500 if self.refuses else 200)(scope, receive, send)


@pytest.fixture
def untold(records: Records) -> None:
    """Nobody has looked yet, and nothing is firing."""
    records.do("delete from parcours.alerts; delete from parcours.dead_letters")
    records.do("delete from parcours.deployment; insert into parcours.deployment default values")
    # Runs of other tests that have become stuck meanwhile: asking Suno about them fills its quota.
    records.do("delete from public.parcours_runs; delete from parcours.suno_requests")


@pytest.fixture
def slack() -> Iterator[Slack]:
    listener = Slack()
    with running(listener) as url:
        listener.url = f"{url}/services/T0/B0/secret"
        yield listener


@pytest.fixture
def settings(make_settings: MakeSettings, slack: Slack) -> Settings:
    return make_settings(alert_webhook_url=slack.url, alert_window_s=0.001)


@pytest.fixture
async def clients(settings: Settings) -> AsyncIterator[Clients]:
    async with open_clients(settings) as clients:
        yield clients


def next_minute(records: Records) -> None:
    records.do("update parcours.deployment set maintenance_due_at = clock_timestamp()")


async def test_an_alert_is_told_once_when_it_begins_and_once_when_it_ends(
    clients: Clients, settings: Settings, records: Records, suno: Vendor, slack: Slack
) -> None:
    loops = [wire_maintenance(clients, settings) for _ in range(3)]
    suno.credits(5)
    for _ in range(3):
        looked = await asyncio.gather(*(one.run_once() for one in loops))
        assert sum(looked) == 1, "one at a time"
        next_minute(records)
    suno.credits(1000)
    for _ in range(3):
        await asyncio.gather(*(one.run_once() for one in loops))
        next_minute(records)
    began, ended = slack.texts
    assert "credits is firing: 5 Suno credits" in began and "buy Suno credits" in began
    assert "credits is resolved" in ended


async def test_what_nobody_took_is_told_later(
    clients: Clients, settings: Settings, records: Records, suno: Vendor, slack: Slack
) -> None:
    loop = wire_maintenance(clients, settings)
    suno.credits(5)
    slack.refuses = True
    await loop.run_once()
    next_minute(records)
    slack.refuses = False
    await loop.run_once()
    assert len(slack.texts) == 1


async def test_a_minute_is_looked_at_once(
    clients: Clients, settings: Settings, suno: Vendor
) -> None:
    first, second = wire_maintenance(clients, settings), wire_maintenance(clients, settings)
    assert await first.run_once()
    assert not await second.run_once()
    assert suno.calls().count("credit") >= 1


async def test_one_part_that_fails_keeps_no_other_from_its_work(
    clients: Clients, settings: Settings, records: Records, suno: Vendor, slack: Slack
) -> None:
    suno.fail("not_json", times=0, match={"call": "credit"})
    records.do(
        "insert into parcours.dead_letters (queue, message, reason)"
        " values ('parcours_tracks', '{}', 'broke')"
    )
    assert await wire_maintenance(clients, settings).run_once()
    (text,) = slack.texts
    assert "job_given_up is firing" in text


async def test_whoever_looked_last_tells_that_supabase_is_unavailable_and_back(
    make_settings: MakeSettings, relay: Relay, records: Records, slack: Slack, suno: Vendor
) -> None:
    settings = make_settings(
        alert_webhook_url=slack.url, alert_window_s=0.001, postgrest_url=f"{relay.url}/rest/v1"
    )
    async with open_clients(settings) as clients:
        last, other = wire_maintenance(clients, settings), wire_maintenance(clients, settings)
        assert await last.run_once()
        assert not await other.run_once()
        relay.broken["/rpc/"] = Response(status_code=503)
        for _ in range(4):
            assert not await last.run_once()
            assert not await other.run_once()
        (unavailable,) = slack.texts
        assert "supabase_unavailable is firing" in unavailable
        relay.broken.clear()
        await other.run_once()
        await last.run_once()
    assert [text for text in slack.texts if "Supabase is back" in text] == slack.texts[1:2]


async def test_it_stops_at_once(clients: Clients, make_settings: MakeSettings) -> None:
    loop = wire_maintenance(clients, make_settings(maintenance_every_s=3600))
    with anyio.fail_after(20):
        working = asyncio.create_task(loop.run())
        await asyncio.sleep(0.05)
        loop.stop()
        await working


async def test_it_looks_by_itself_every_so_often(
    clients: Clients, make_settings: MakeSettings, records: Records, suno: Vendor
) -> None:
    loop = wire_maintenance(clients, make_settings(maintenance_every_s=0.2))
    seen = suno.calls().count("credit")
    working = asyncio.create_task(loop.run())
    with anyio.fail_after(30):
        while suno.calls().count("credit") < seen + 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    loop.stop()
    await working
