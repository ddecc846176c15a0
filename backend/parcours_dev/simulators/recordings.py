"""Tracks on disk: composed when first fetched, readable while they grow, kept within a bound."""

import asyncio
import tempfile
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from parcours_dev.simulators.mp3 import encode
from parcours_dev.simulators.signals import Kind, produce
from parcours_dev.simulators.tasks import Task, Track

COMPOSERS = 2
"""Threads; numpy and LAME let go of the interpreter lock, so the event loop keeps answering."""
READ_BYTES = 32 * 1024
MEDIA_TYPE = "audio/mpeg"


class Recording:
    """One MP3 that grows on disk until it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.holders = 0
        self.work: asyncio.Future[None] | None = None
        self._grown = asyncio.Event()

    @property
    def whole(self) -> bool:
        return self.work is not None and self.work.done()

    @property
    def spoilt(self) -> bool:
        """Composing it went wrong."""
        return self.work is not None and self.work.done() and self.work.exception() is not None

    def grow(self, size: int) -> None:
        """So many bytes more are on disk; whoever waits may go on."""
        self.size += size
        self._grown.set()
        self._grown = asyncio.Event()

    async def wait_whole(self) -> None:
        """Return when the last byte is written; raises what went wrong in composing."""
        assert self.work is not None, "a recording is handed out once its work has begun"
        await asyncio.shield(self.work)

    async def read(self) -> AsyncIterator[bytes]:
        """All bytes in order, waiting for those that are still being composed."""
        async with await anyio.open_file(self.path, "rb") as file:
            place = 0
            while True:
                grown = self._grown
                if place < self.size:
                    piece = await file.read(min(READ_BYTES, self.size - place))
                    place += len(piece)
                    yield piece
                elif self.whole:
                    await self.wait_whole()
                    return
                else:
                    await grown.wait()


class Recordings:
    """All recordings of a simulator, in a temporary folder."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._folder = tempfile.TemporaryDirectory(prefix="parcours-suno-")
        self._recordings: OrderedDict[str, Recording] = OrderedDict()
        self._threads = ThreadPoolExecutor(COMPOSERS, thread_name_prefix="composer")
        self._closing = threading.Event()

    @asynccontextmanager
    async def hold(self, task: Task, track: Track, kind: Kind) -> AsyncIterator[Recording]:
        """The recording of a track, begun if need be, and safe from removal while held.

        A stream and its file are one recording, but for tones, which tell the two apart.
        """
        name = f"{track.id}-{kind}" if task.signal == "tones" else track.id
        recording = self._recordings.get(name)
        if recording is None or recording.spoilt:
            recording = self._recordings[name] = self._begin(task, track, kind, name)
        self._recordings.move_to_end(name)
        recording.holders += 1
        try:
            yield recording
        finally:
            recording.holders -= 1
            self._make_room()

    def close(self) -> None:
        """Stop composing and remove everything."""
        self._closing.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._folder.cleanup()

    @property
    def bytes_kept(self) -> int:
        return sum(recording.size for recording in self._recordings.values())

    def _begin(self, task: Task, track: Track, kind: Kind, name: str) -> Recording:
        recording = Recording(Path(self._folder.name) / f"{name}.mp3")
        recording.path.touch()
        blocks = produce(
            task.signal,
            words=f"{task.payload.get('style') or ''} {task.payload.get('prompt') or ''}",
            seconds=track.seconds,
            seed=f"{task.id}/{track.id}",
            order=track.order,
            kind=kind,
        )
        levelled = (block * track.level for block in blocks)
        loop = asyncio.get_running_loop()

        def write() -> None:
            for size in _write(recording.path, encode(levelled)):
                if self._closing.is_set():
                    return
                loop.call_soon_threadsafe(recording.grow, size)

        recording.work = loop.run_in_executor(self._threads, write)
        recording.work.add_done_callback(lambda _: recording.grow(0))
        return recording

    def _make_room(self) -> None:
        """Remove what was longest not asked for and is not in use."""
        kept = self.bytes_kept
        for name, recording in list(self._recordings.items()):
            if kept <= self._bytes_max:
                return
            if recording.whole and not recording.holders:
                kept -= recording.size
                del self._recordings[name]
                recording.path.unlink(missing_ok=True)


def _write(path: Path, pieces: Iterator[bytes]) -> Iterator[int]:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            file.flush()
            yield len(piece)
