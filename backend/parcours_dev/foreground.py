"""A foreground program made of servers: it ends when told to, or when one of them ends."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from parcours_dev.processes import Server

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WATCH_S = 0.2


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal end the block, and the program with success.

    Once: while everything is being stopped further signals change nothing, since that has its own
    time limit.
    """

    def ignore(_signal: int, _frame: FrameType | None) -> None:
        pass

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, ignore)
        raise SystemExit(0)

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch(servers: Sequence[Server], *, shown: Server | None = None) -> None:
    """Stay until a server ends by itself; what the `shown` one logs is printed meanwhile.

    Raises LocalError, with what the ended one said last.
    """
    with open(shown.log if shown else os.devnull, "rb") as log:
        while True:
            sys.stdout.buffer.write(log.read())
            sys.stdout.buffer.flush()
            for server in servers:
                if not server.is_running():
                    raise server.ended()
            time.sleep(WATCH_S)
