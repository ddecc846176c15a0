"""Keeps one server, and stops it when the pipe on standard input closes.

The pipe closes when the parent asks for the stop and when the parent dies, however it dies: one
path for both. Run as a script, without the package and its imports, by `processes.running_server`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any


def supervise(order: dict[str, Any]) -> int:
    """Run the ordered command to its end and hand back its exit code (negative: a signal)."""
    account = order["account"]
    server = subprocess.Popen(  # noqa: S603 - the order comes from our own parent
        order["command"],
        cwd=order["folder"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=account,
        group=account,
        extra_groups=None if account is None else [],
    )
    # Somebody who stops the supervisor means the server.
    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(order["stop_signal"]))
    threading.Thread(target=_stop_at_end_of_input, args=(server, order), daemon=True).start()
    code = server.wait()
    _kill_group(server.pid)
    return code


def _stop_at_end_of_input(server: subprocess.Popen[bytes], order: dict[str, Any]) -> None:
    while os.read(0, 1024):
        pass
    server.send_signal(order["stop_signal"])
    try:
        server.wait(order["grace_s"])
    except subprocess.TimeoutExpired:
        _kill_group(server.pid)


def _kill_group(group: int) -> None:
    # What the server left behind goes with it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    code = supervise(json.loads(sys.argv[1]))
    sys.exit(code if code >= 0 else 128 - code)
