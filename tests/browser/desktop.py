"""A screen and loudspeakers of the tests' own: Xvfb, and PulseAudio with one sink a browser.

What a browser plays goes to its null sink, and from there is recorded by `parec`: the last thing
before a sound card, the same for every engine.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parcours_dev.processes import Server, running_server, wait_until_ready
from tests.browser.recording import Mark, Recording, Sound
from tests.fixtures.waiting import wait_until

RATE = 48_000
BYTES_PER_SAMPLE = 4
READ_BYTES = 8192
LATENCY_MS = 10
SCREEN = "1280x1024x24"
PROGRAMS = ("Xvfb", "pulseaudio", "parec")
PACKAGES = "xvfb pulseaudio pulseaudio-utils"


def missing_programs() -> list[str]:
    """Those of PROGRAMS that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


@dataclass(frozen=True)
class Desktop:
    """display: of X11; socket: PulseAudio's; home: an empty one for every browser."""

    display: str
    socket: Path
    folder: Path

    def environment(self, sink: str) -> dict[str, str]:
        """For a browser whose sound goes to this sink; its own home and runtime folders."""
        home, runtime = self.folder / sink / "home", self.folder / sink / "runtime"
        for folder in (home, runtime):
            folder.mkdir(parents=True, exist_ok=True)
        runtime.chmod(0o700)
        return {
            **os.environ,
            "DISPLAY": self.display,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "PULSE_SERVER": f"unix:{self.socket}",
            "PULSE_SINK": sink,
        }


class SinkRecorder:
    """Records what leaves a sink, from `start` to `stop`, against the wall's clock."""

    def __init__(self, desktop: Desktop, sink: str) -> None:
        self._environment = desktop.environment(sink)
        self._sink = sink
        self._chunks: list[bytes] = []
        self._received = 0
        self._begins = float("inf")
        self._lock = threading.Lock()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *("parec", f"--device={self._sink}.monitor", "--raw", "--format=float32le"),
                *(f"--rate={RATE}", "--channels=1", f"--latency-msec={LATENCY_MS}"),
            ],
            env=self._environment,
            stdout=subprocess.PIPE,
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_until(lambda: self._received > 0, 10)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()

    def recording(self, marks: Sequence[Mark] = ()) -> Recording:
        """What has left the sink so far, by seconds since it began."""
        with self._lock:
            sound = b"".join(self._chunks)
            begins = self._begins
        whole = len(sound) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE
        samples: Sound = np.frombuffer(sound[:whole], dtype="<f4").astype(np.float64)
        mine = tuple(Mark(mark.name, mark.wall - begins, mark.wall) for mark in marks)
        return Recording(samples, RATE, 0.0, mine, ((0.0, begins),))

    def _read(self) -> None:
        assert self._process.stdout is not None
        while piece := os.read(self._process.stdout.fileno(), READ_BYTES):
            now = time.time()
            with self._lock:
                self._chunks.append(piece)
                self._received += len(piece)
                # A piece is never early: the earliest one tells when the recording began.
                seconds = self._received / BYTES_PER_SAMPLE / RATE
                self._begins = min(self._begins, now - seconds)


@contextmanager
def running_desktop(folder: Path, sinks: Sequence[str]) -> Iterator[Desktop]:
    """Xvfb and PulseAudio until the end of the block. folder: their own, empty."""
    socket = folder / "pulse.sock"
    desktop = Desktop(_free_display(), socket, folder)
    with _running_xvfb(desktop, folder / "xvfb.log"):
        script = folder / "pulse.pa"
        script.write_text("\n".join([_protocol(socket), *map(_null_sink, sinks)]) + "\n")
        with running_server(
            "PulseAudio",
            _pulseaudio(script),
            log=folder / "pulseaudio.log",
            environment={**desktop.environment("pulseaudio")},
        ) as server:
            wait_until_ready(server, socket.exists)
            yield desktop


@contextmanager
def _running_xvfb(desktop: Desktop, log: Path) -> Iterator[Server]:
    command = ["Xvfb", desktop.display, "-screen", "0", SCREEN, "-nolisten", "tcp", "-ac"]
    with running_server("Xvfb", command, log=log) as server:
        wait_until_ready(server, lambda: _socket_of(desktop.display).exists())
        yield server


def _free_display() -> str:
    # Far from those of people and of other tests on this machine.
    first = 100 + os.getpid() % 800
    free = (f":{number}" for number in range(first, first + 100))
    return next(display for display in free if not _socket_of(display).exists())


def _socket_of(display: str) -> Path:
    return Path("/tmp/.X11-unix") / f"X{display[1:]}"


def _protocol(socket: Path) -> str:
    return f"load-module module-native-protocol-unix socket={socket} auth-anonymous=1"


def _null_sink(name: str) -> str:
    return f"load-module module-null-sink sink_name={name} rate={RATE} channels=2 format=float32le"


def _pulseaudio(script: Path) -> list[str]:
    options = ("--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no")
    return ["pulseaudio", "-n", "-F", str(script), *options, "--realtime=no"]
