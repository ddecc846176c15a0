"""CORS as supabase-js needs it in a browser (docs/vendors.md#supabase-cors)."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

ALLOWED_HEADERS = (
    "authorization",
    "x-client-info",
    "apikey",
    "content-type",
    "idempotency-key",
    "x-retry-count",
    "x-region",
    "traceparent",
    "tracestate",
    "baggage",
)
EXPOSED_HEADERS = ("Retry-After", "X-Request-Id")
PREFLIGHT_S = 86400


def allow_origins(origins: tuple[str, ...]) -> Middleware:
    """Let these origins call, without credentials: tokens travel in headers, never in cookies."""
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=("POST",),
        allow_headers=ALLOWED_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        max_age=PREFLIGHT_S,
    )
