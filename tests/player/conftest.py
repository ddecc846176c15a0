"""A service's settings, and a small built page to serve."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from parcours_xl.player.pages import create_player
from parcours_xl.player.site import Site
from parcours_xl.settings import Settings

SECRETS = ("a-service-role-key", "a-suno-key", "an-openai-key", "a-jwt-secret")


@pytest.fixture
def settings() -> Settings:
    return Settings(
        supabase_url="https://abc.supabase.co",
        supabase_anon_key="sb_publishable_everybody",
        supabase_service_role_key=SECRETS[0],
        supabase_jwt_secret=SECRETS[3],
        postgrest_url="http://10.0.0.7:3000",
        openai_api_key=SECRETS[2],
        suno_api_key=SECRETS[1],
        callback_base="https://abc.supabase.co/functions/v1/parcours-xl-callback",
        track_host_suffixes=("suno.ai",),
        track_hosts_exact=("127.0.0.1:4040",),
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A built page: index, service worker, a hashed script, the bed."""
    (tmp_path / "assets").mkdir()
    for name, text in {
        "index.html": "<!doctype html><title>Parcours XL</title>",
        "sw.js": "self.skipWaiting()",
        "assets/main-0a1b2c3d.js": "export {}",
        "assets/bed-4e5f6a7b.mp3": "not quite music",
        "assets/bed-start-5f6a7b8c.mp3": "a little of it",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
async def page(settings: Settings, site: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the player alone."""
    transport = httpx.ASGITransport(create_player(settings, Site(site)))
    async with httpx.AsyncClient(transport=transport, base_url="http://player") as client:
        yield client
