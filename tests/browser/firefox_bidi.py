"""Starts Firefox for Playwright, and answers the one command that an ESR does not know yet.

Playwright drives a stock Firefox by WebDriver BiDi, and asks every one for media features that
Firefox ESR 153 cannot emulate: `emulation.setMediaFeaturesOverride` is answered here.
"""

import asyncio
import json
import re
import sys
from typing import Any

import websockets.asyncio.client as client
import websockets.asyncio.server as server

UNKNOWN = "emulation.setMediaFeaturesOverride"
MESSAGE_BYTES_MAX = 256 * 2**20
"""A recording of a minute takes 16 MB in base 64."""
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


async def pass_on(here: server.ServerConnection, address: str) -> None:
    """Everything between Playwright and Firefox, both ways, until one of them hangs up."""
    path = here.request.path if here.request else "/session"
    async with client.connect(
        address + path, max_size=MESSAGE_BYTES_MAX, compression=None, proxy=None, ping_interval=None
    ) as firefox:

        async def ask() -> None:
            async for message in here:
                answer = answer_for(message)
                await (here.send(answer) if answer else firefox.send(message))

        async def tell() -> None:
            async for message in firefox:
                await here.send(message)

        tasks = {asyncio.create_task(ask()), asyncio.create_task(tell())}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


def answer_for(message: str | bytes) -> str | None:
    """What Firefox would answer if it knew this command; None for those it knows."""
    if UNKNOWN not in str(message):
        return None
    asked: dict[str, Any] = json.loads(message)
    if asked["method"] != UNKNOWN:
        return None
    return json.dumps({"type": "success", "id": asked["id"], "result": {}})


async def main(command: list[str]) -> int:
    firefox = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert firefox.stderr is not None
    async with asyncio.TaskGroup() as group:
        async for line in firefox.stderr:
            said = line.decode(errors="replace")
            if found := LISTENING.search(said):
                port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
                serving = group.create_task(serve(found[1], port))
                said = f"WebDriver BiDi listening on ws://127.0.0.1:{await port}\n"
            sys.stderr.write(said)
            sys.stderr.flush()
        serving.cancel()
    return await firefox.wait()


async def serve(address: str, port: "asyncio.Future[int]") -> None:
    async with server.serve(
        lambda here: pass_on(here, address),
        "127.0.0.1",
        0,
        max_size=MESSAGE_BYTES_MAX,
        compression=None,
        ping_interval=None,
    ) as listening:
        port.set_result(next(iter(listening.sockets)).getsockname()[1])
        await listening.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(["firefox-esr", *sys.argv[1:]])))
