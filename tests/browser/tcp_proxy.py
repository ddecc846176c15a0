"""The wire between the browser and the gateway: it can be cut, and repaired."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

READ_BYTES = 64 * 1024


class TcpProxy:
    """Passes bytes on, both ways, until it is cut; then nobody gets through."""

    def __init__(self, port: int | None):
        self._upstream = port
        self._whole = True
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Every connection breaks, and no new one is made."""
        self._whole = False
        self._loop.call_soon_threadsafe(self._break)

    def recover(self) -> None:
        self._whole = True

    def _break(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        async with await asyncio.start_server(self._pass, "127.0.0.1", 0) as server:
            self.port = int(server.sockets[0].getsockname()[1])
            started.set()
            await stop.wait()
            self._break()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there}
        await asyncio.gather(self._pump(reader, there), self._pump(there_reader, writer))
        self._open -= {writer, there}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(READ_BYTES):
                writer.write(piece)
                await writer.drain()
        with suppress(OSError):
            writer.close()


@contextmanager
def running_tcp_proxy(port: int | None) -> Iterator[TcpProxy]:
    """A wire to a port of this machine, on a port of its own."""
    tcp_proxy = TcpProxy(port)
    loop, started, stop = tcp_proxy._loop, threading.Event(), asyncio.Event()
    thread = threading.Thread(
        target=loop.run_until_complete, args=(tcp_proxy.serve(started, stop),)
    )
    thread.start()
    try:
        assert started.wait(10), "the wire starts"
        yield tcp_proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
