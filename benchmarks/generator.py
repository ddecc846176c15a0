"""The load generator: `python -m benchmarks.generator`, a process of its own.

It does as little as it can, so that the other side is what is measured: requests come ready-made,
connections stay open, answers are parsed in C. One order a line in, one line of figures out.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httptools

ANSWER_S_MAX = 60


class Connection(asyncio.Protocol):
    """One kept-alive HTTP/1.1 connection, one request at a time."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "TCP is a stream"
        self.transport = transport

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        """Send a whole request; the status of its answer, once that is whole."""
        self._parser = httptools.HttpResponseParser(self)
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answered

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._answered is not None:
            self._answered.set_result(self._parser.get_status_code())
            self._answered = None

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered is not None:
            self._answered.set_exception(error or ConnectionError("the server hung up"))
            self._answered = None


async def load(port: int, requests: list[bytes], concurrent: int) -> dict[str, Any]:
    """Send every request once, so many at a time, each connection one after the other.

    seconds: for all of them; ms: how long each took; statuses: how many answers of each.
    """
    loop = asyncio.get_running_loop()
    lines = [
        (await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(concurrent)
    ]
    left, took_ms, statuses = iter(requests), [], Counter[str]()

    async def work(line: Connection, left: Iterator[bytes]) -> None:
        for request in left:
            started_at = time.perf_counter()
            statuses[str(await asyncio.wait_for(line.ask(request), ANSWER_S_MAX))] += 1
            took_ms.append((time.perf_counter() - started_at) * 1000)

    started_at = time.perf_counter()
    await asyncio.gather(*(work(line, left) for line in lines))
    seconds = time.perf_counter() - started_at
    for line in lines:
        line.transport.close()
    return {"seconds": seconds, "ms": took_ms, "statuses": dict(statuses)}


def main() -> None:
    """Carry orders out until standard input ends."""
    for order in map(json.loads, sys.stdin):
        requests = [text.encode() for text in order["requests"]]
        seen = asyncio.run(load(order["port"], requests, order["concurrent"]))
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
