"""Audio URLs as faults disturb them, alike in callbacks and in record-info."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from parcours_dev.simulators.faults import Fault

FILE_FIELDS = ("audio_url", "source_audio_url")
STREAM_FIELDS = ("stream_audio_url", "source_stream_audio_url")


def with_url_faults(items: list[dict[str, Any]], hit: Mapping[str, Fault]) -> list[dict[str, Any]]:
    """The same songs with their URLs moved to another host, or without any."""
    if "url_host" in hit:
        items = [_moved(item, hit["url_host"].text("host")) for item in items]
    if "empty_urls" in hit:
        nothing = dict.fromkeys(FILE_FIELDS, None) | dict.fromkeys(STREAM_FIELDS, "")
        items = [item | nothing for item in items]
    return items


def _moved(item: dict[str, Any], host: str) -> dict[str, Any]:
    """An origin such as https://cdn.example may be given instead of a host:port."""
    moved = {
        name: _with_host(item[name], host) for name in (*FILE_FIELDS, *STREAM_FIELDS) if item[name]
    }
    return item | moved


def _with_host(url: str, host: str) -> str:
    parts = urlsplit(url)
    scheme, _, place = host.rpartition("://")
    return parts._replace(scheme=scheme or parts.scheme, netloc=place).geturl()
