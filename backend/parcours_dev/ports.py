"""Ports of the loopback address."""

import random
import socket

from parcours_dev.errors import LocalError

# Below the range from which systems draw the near end of outgoing connections, so that a port found
# free here is still free when its server binds it a moment later.
FREE_PORTS = range(20000, 32000)
FREE_PORT_TRIES_MAX = 100


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do: the lingering connections of one that has just stopped are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def choose_free_ports(count: int) -> list[int]:
    """That many different free ports, drawn at random.

    Raises LocalError when none can be found.
    """
    chosen: list[int] = []
    for _ in range(FREE_PORT_TRIES_MAX):
        if len(chosen) == count:
            return chosen
        port = random.choice(FREE_PORTS)  # noqa: S311 - no secret
        if port not in chosen and is_free(port):
            chosen.append(port)
    raise LocalError(f"No {count} free ports were found between 20000 and 32000.")
