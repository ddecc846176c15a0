"""Child processes that never outlive us, and tell why they ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from parcours_dev.errors import LocalError

SUPERVISOR = Path(__file__).with_name("supervisor.py")

# The service itself may take 30 s: DRAIN_S to answer what it has begun, and 10 s to end.
STOP_GRACE_S = 32.0
SUPERVISOR_GRACE_S = STOP_GRACE_S + 5.0
READY_S_MAX = 30.0
POLL_S = 0.02
LOG_TAIL_LINES = 8

assert STOP_GRACE_S < SUPERVISOR_GRACE_S, (
    "a supervisor has the time to kill a server that will not stop"
)


@dataclass(frozen=True)
class Server:
    """A running child process, known to people by its name."""

    name: str
    log: Path
    supervisor: subprocess.Popen[bytes]

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.supervisor.poll() is None

    def stop(self) -> None:
        """Ask it to stop, and wait until it has; what does not stop in time is killed."""
        assert self.supervisor.stdin is not None
        self.supervisor.stdin.close()
        try:
            self.supervisor.wait(SUPERVISOR_GRACE_S)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            self.supervisor.wait()

    def ended(self) -> LocalError:
        """The sentence about its unexpected end, with the last lines of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines()[-LOG_TAIL_LINES:]
        said = "".join(f"\n  | {line}" for line in lines)
        code = self.supervisor.returncode
        return LocalError(f"{self.name} ended unexpectedly (code {code}), see {self.log}{said}")


@contextmanager
def running_server(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
    account: int | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[Server]:
    """Run a command until the end of the block, or of this process, whichever comes first.

    It gets its own session, the environment given (or ours), and an account (a numeric id) when we
    are root and it must not be. What it says goes to `log`, begun anew.
    """
    order = {
        "command": [str(word) for word in command],
        "folder": str(folder),
        "account": account,
        "stop_signal": int(stop_signal),
        "grace_s": STOP_GRACE_S,
    }
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log.open("wb") as output:
        supervisor = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(SUPERVISOR), json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if environment is None else environment),
            start_new_session=True,
        )
    server = Server(name, log, supervisor)
    try:
        yield server
    finally:
        server.stop()


def wait_until_ready(
    server: Server, is_ready: Callable[[], bool], seconds_max: float = READY_S_MAX
) -> None:
    """Wait for a server to answer.

    Raises LocalError when it ends first, or takes too long.
    """
    deadline = time.monotonic() + seconds_max
    while not is_ready():
        if not server.is_running():
            raise server.ended()
        if time.monotonic() > deadline:
            raise LocalError(f"{server.name} was not ready in {seconds_max:g} s, see {server.log}")
        time.sleep(POLL_S)
