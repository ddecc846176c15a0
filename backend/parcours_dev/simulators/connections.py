"""Breaking a connection as a failing server does, without an answer."""

import asyncio
from contextlib import suppress

from starlette.types import Receive

HANG_S_MAX = 300.0


async def hang_up(receive: Receive, after_s: float = 0.0) -> None:
    """Wait, then cut the connection; what was already sent still arrives.

    Returns early when the client leaves first. Under a server other than uvicorn, which has no
    connection to cut, raises ConnectionResetError.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(min(after_s, HANG_S_MAX)):
            await _until_disconnected(receive)
            return
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the simulated server dropped the connection")
    transport.close()
    await asyncio.sleep(0)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
