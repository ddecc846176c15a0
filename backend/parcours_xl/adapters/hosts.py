"""Which addresses may be fetched, or handed to a listener's browser."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import SplitResult, urlsplit

URL_CHARS_MAX = 2048


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
    """The hosts that a deployment trusts (architecture: "Storing a track"; facts A8).

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
        host = (parts.hostname or "").rstrip(".")
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
    host = (parts.hostname or "").rstrip(".")
    return (
        parts.scheme == "https"
        and parts.username is None
        and parts.password is None
        and parts.port in (None, 443)
        and (is_public_address(host) if _is_address(host) else "." in host)
    )


def is_public_address(address: str) -> bool:
    """Whether an IP address is out on the internet: not private, loopback or link-local."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not parsed.is_multicast


def host_of(url: str) -> str:
    """The host of an address, for a log or an event; '?' where it has none."""
    parts = _split(url)
    return (parts and parts.hostname) or "?"


def _split(url: str) -> SplitResult | None:
    if len(url) > URL_CHARS_MAX or any(character <= " " for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("https", "http") and parts.hostname else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
