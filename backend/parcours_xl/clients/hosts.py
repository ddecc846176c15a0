"""Which addresses may be fetched, or handed to a listener's browser.

A connection is judged on the address that is connected to: the public internet only.
"""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import SplitResult, urlsplit

import anyio
import httpcore

URL_CHARS_MAX = 2048
HOST_CHARS_MAX = 253

LABEL_CHARS_MAX = 63
_LABEL_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_ENDING_IN_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "64:ff9b::/96")))
# IANA's registries of special-purpose addresses, whole, because what `ipaddress` counts as public
# differs between versions of Python. A range that is partly public (192.0.0.0/24, 2001::/23) is
# refused whole: no track is kept there.
_SPECIAL_PURPOSE = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "::/128",
            "::1/128",
            "::ffff:0:0/96",
            "64:ff9b:1::/48",
            "100::/64",
            "100:0:0:1::/64",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "2620:4f:8000::/48",
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        ),
    )
)


class Verdict(Enum):
    """What may be done with the address of a track.

    TRUSTED: fetched at its word. CONFIRM: fetched only if Suno's own record names it. REFUSED:
    never fetched, and stored nowhere.
    """

    TRUSTED = "trusted"
    CONFIRM = "confirm"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TrackHosts:
    """The hosts that a deployment trusts (docs/vendors.md#suno-audio-hosts).

    suffixes: domain names, each with its subdomains, over https on the usual port. exact:
    "host:port" of a simulated Suno, free of the https and address rules.
    """

    suffixes: Sequence[str]
    exact: Sequence[str] = ()

    def judge(self, url: str) -> Verdict:
        parts = _split(url)
        if parts is None:
            return Verdict.REFUSED
        if self.is_exact(parts.netloc):
            return Verdict.TRUSTED
        if not is_public_https(parts):
            return Verdict.REFUSED
        host = _host(parts)
        if any(host == suffix or host.endswith(f".{suffix}") for suffix in self.suffixes):
            return Verdict.TRUSTED
        return Verdict.CONFIRM

    def allows_preview(self, url: str) -> bool:
        """Only the owner's browser opens a preview: any public https address will do."""
        return self.judge(url) is not Verdict.REFUSED

    def is_exact(self, netloc: str) -> bool:
        return netloc in self.exact


def is_public_https(parts: SplitResult) -> bool:
    """https on its usual port, without userinfo, on a name or address of the public internet."""
    return (
        parts.scheme == "https"
        and "@" not in parts.netloc
        and parts.port in (None, 443)
        and _is_public_host(_host(parts))
    )


def is_public_address(address: str) -> bool:
    """Whether an IP address is out on the internet: in no range that has a special purpose."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = _carried(parsed) or parsed
    is_special = any(parsed.version == net.version and parsed in net for net in _SPECIAL_PURPOSE)
    return parsed.is_global and not is_special


def host_of(url: str) -> str:
    """The host of an address, for a log or an event; '?' where it has none."""
    parts = _split(url)
    return (parts and parts.hostname) or "?"


def _split(url: str) -> SplitResult | None:
    if len(url) > URL_CHARS_MAX or not (url.isascii() and url.isprintable()) or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("https", "http") and parts.hostname else None


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").removesuffix(".")


def _is_public_host(host: str) -> bool:
    if _is_name(host):
        return True
    try:
        return "%" not in host and is_public_address(host)
    except ValueError:
        return False


def _is_name(host: str) -> bool:
    """Whether it is a domain name of at least two labels."""
    labels = host.split(".")
    # Resolvers and browsers read a name that ends in a number as an address: 127.1, 0x7f.0.0.1.
    return (
        len(host) <= HOST_CHARS_MAX
        and len(labels) > 1
        and all(map(_is_label, labels))
        and labels[-1][0].isalpha()
    )


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= LABEL_CHARS_MAX
        and _LABEL_CHARS.issuperset(label)
        and not label.startswith("-")
        and not label.endswith("-")
    )


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 or 6to4."""
    if any(address in network for network in _ENDING_IN_IPV4):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


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
