"""What a browser may do with the page: nothing that the player does not need."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parcours_xl.settings import Settings

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid"),
        *("identity-credentials-get", "magnetometer", "microphone", "midi", "payment"),
        *("publickey-credentials-get", "serial", "usb", "xr-spatial-tracking"),
    )
)


def page_headers(settings: Settings) -> Mapping[str, str]:
    """The headers of everything that the player serves."""
    return {
        "content-security-policy": content_policy(settings),
        "permissions-policy": PERMISSIONS,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


def content_policy(settings: Settings) -> str:
    """The Content-Security-Policy: code and looks from here, data and music from Supabase."""
    supabase = _origin(settings.supabase_url)
    directives = {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        "script-src": ["'self'"],
        "worker-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": ["'self'"],
        "manifest-src": ["'self'"],
        "connect-src": [
            "'self'",
            *_public_origin(settings),
            supabase,
            supabase.replace("http", "ws", 1),
        ],
        # blob: is a piece that the browser keeps (docs/player.md#kept-music).
        "media-src": ["'self'", "blob:", supabase, *_media_sources(settings)],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def media_hosts(settings: Settings) -> list[str]:
    """The hosts that may serve previews, as the policy names them."""
    suffixes = settings.track_host_suffixes
    named = [host for suffix in suffixes for host in (suffix, f"*.{suffix}")]
    return [*named, *settings.track_hosts_exact]


def _media_sources(settings: Settings) -> Iterator[str]:
    exact = settings.track_hosts_exact
    for host in media_hosts(settings):
        # An exact host is a simulated Suno, free of the rule that tracks come over https.
        yield f"http://{host}" if host in exact else f"https://{host}"


def _public_origin(settings: Settings) -> list[str]:
    return [_origin(settings.public_url)] if settings.public_url else []


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class WithHeaders:
    """An application whose every answer carries these headers."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]):
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)
