"""BackgroundWork: what a request begins is waited for while draining, and cut off in the end."""

import asyncio

import pytest

from parcours_xl.api.draining import BackgroundWork, Draining
from tests.fixtures.captured_logs import CaptureLogs
from tests.fixtures.waiting import until

pytestmark = pytest.mark.anyio


async def test_draining_waits_for_what_was_begun() -> None:
    draining, done = Draining(), asyncio.Event()
    background = BackgroundWork(draining)
    goes_on = asyncio.Event()

    async def work() -> None:
        await goes_on.wait()
        done.set()

    background.start(work())
    await until(lambda: draining.under_way == 1)
    draining.begin()
    finishing = asyncio.create_task(draining.finish(60))
    goes_on.set()
    await finishing
    assert done.is_set() and draining.under_way == 0


async def test_what_takes_too_long_is_cut_off() -> None:
    draining, cut = Draining(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    BackgroundWork(draining).start(work())
    await until(lambda: draining.under_way == 1)
    draining.begin()
    await draining.finish(1)
    assert cut.is_set() and draining.under_way == 0


async def test_closing_ends_what_is_left() -> None:
    draining = Draining()
    background = BackgroundWork(draining)
    background.start(asyncio.Event().wait())
    await until(lambda: draining.under_way == 1)
    await background.close()
    assert draining.under_way == 0


async def test_what_fails_is_logged(capture_logs: CaptureLogs) -> None:
    draining = Draining()
    logged = capture_logs("json", "info")

    async def work() -> None:
        raise RuntimeError("a fault of ours")

    BackgroundWork(draining).start(work())
    await until(lambda: "background.failed" in logged.getvalue())
    assert draining.under_way == 0
