"""Content-Encoding: which of the forms at hand a browser is sent (RFC 9110, 12.5.3)."""

import re
from collections.abc import Collection

from starlette.datastructures import Headers

BEST_FIRST = ("br", "gzip")
_NEVER = re.compile(r";\s*q=0(?:\.0{0,3})?\s*$")


def choose_encoding(headers: Headers, at_hand: Collection[str]) -> str | None:
    """The smallest form that the request accepts; None is the file as it is."""
    if "range" in headers:
        return None
    accepted = {
        part.partition(";")[0].strip().lower()
        for part in headers.get("accept-encoding", "").split(",")
        if not _NEVER.search(part)
    }
    return next((one for one in BEST_FIRST if one in accepted and one in at_hand), None)
