"""What browsers are told about the page."""

import httpx
import pytest

from parcours_xl.player.descriptions import describe_service
from parcours_xl.player.policy import content_policy
from parcours_xl.settings import Settings

pytestmark = pytest.mark.anyio


def directives(policy: str) -> dict[str, list[str]]:
    parts = [part.split() for part in policy.split(";")]
    return {name: sources for name, *sources in parts}


def test_the_page_may_do_nothing_but_play_its_music(settings: Settings) -> None:
    told = directives(content_policy(settings))

    assert told == {
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
        "connect-src": ["'self'", "https://abc.supabase.co", "wss://abc.supabase.co"],
        "media-src": [
            "'self'",
            "blob:",
            "https://abc.supabase.co",
            "https://suno.ai",
            "https://*.suno.ai",
            "http://127.0.0.1:4040",
        ],
    }


def test_nothing_is_allowed_everywhere(settings: Settings) -> None:
    policy = content_policy(settings)

    for loose in ("unsafe", "data:", "* ", "https: ", "http: "):
        assert loose not in policy


def test_only_music_may_come_from_a_blob(settings: Settings) -> None:
    told = directives(content_policy(settings))

    assert [name for name, sources in told.items() if "blob:" in sources] == ["media-src"]


def test_a_public_address_elsewhere_may_be_called(settings: Settings) -> None:
    there = settings.model_copy(update={"public_url": "https://parcours.example.org"})
    called = directives(content_policy(there))["connect-src"]

    assert "https://parcours.example.org" in called
    assert describe_service(there, "bed.mp3", None)["functionsUrl"] == (
        "https://parcours.example.org/functions/v1"
    )


def test_a_supabase_below_a_path_or_without_tls_is_named_by_its_origin(settings: Settings) -> None:
    local = settings.model_copy(update={"supabase_url": "http://127.0.0.1:54321/supabase"})
    told = directives(content_policy(local))

    assert told["connect-src"] == ["'self'", "http://127.0.0.1:54321", "ws://127.0.0.1:54321"]


@pytest.mark.parametrize("path", ["/", "/config.json", "/assets/main-0a1b2c3d.js", "/nothing"])
async def test_every_answer_carries_the_headers(page: httpx.AsyncClient, path: str) -> None:
    headers = (await page.get(path)).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "microphone=()" in headers["permissions-policy"]
    assert "camera=()" in headers["permissions-policy"]
