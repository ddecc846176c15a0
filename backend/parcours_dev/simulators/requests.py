"""What both simulated vendors read from a request."""

import hmac
import json
from typing import Any

from starlette.requests import Request


def carries_key(request: Request, known: str | None) -> bool:
    """Whether the bearer is the known key; any bearer will do when none is known."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return False
    return known is None or hmac.compare_digest(key.strip().encode(), known.encode())


async def read_object(request: Request) -> dict[str, Any] | None:
    """The body as a JSON object, or None; a request keeps its body for the next reader."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
