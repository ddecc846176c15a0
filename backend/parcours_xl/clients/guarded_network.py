"""Connections to the public internet only, judged on the address that is connected to."""

import socket
from collections.abc import Iterable, Sequence

import anyio
import httpcore

from parcours_xl.clients.hosts import is_public_address


class PrivateAddress(Exception):
    """A name leads into a private network; nothing was connected."""


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name itself and connects to that very address, if it is public.

    exact: "host:port" of a simulated Suno, which may be anywhere.
    """

    def __init__(self, exact: Sequence[str]):
        self._exact = exact
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = host
        if f"{host}:{port}" not in self._exact:
            address = await _resolve_public(host, port)
        return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


async def _resolve_public(host: str, port: int) -> str:
    """One address of the name. A name with any private address is refused whole."""
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError("the name is not known") from error
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not addresses or not all(is_public_address(address) for address in addresses):
        raise PrivateAddress(host)
    return addresses[0]
