"""What a telephone needs to keep the page on its first screen: the manifest and its icons."""

import re
import struct
from collections.abc import AsyncIterator
from urllib.parse import urljoin

import httpx
import pytest

from parcours_dev.player_build import build_player
from parcours_xl.player.pages import create_player
from parcours_xl.player.site import Site
from parcours_xl.settings import Settings

pytestmark = pytest.mark.anyio
PNG_BYTES_MAX = 100_000


@pytest.fixture
async def built(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the page as it is built."""
    transport = httpx.ASGITransport(create_player(settings, Site(build_player())))
    async with httpx.AsyncClient(transport=transport, base_url="http://player") as client:
        yield client


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height, from its first chunk."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


async def link(client: httpx.AsyncClient, rel: str) -> tuple[str, httpx.Response]:
    """Where the page's link leads, and what is there."""
    html = (await client.get("/")).text
    [tag] = re.findall(rf'<link[^>]*rel="{rel}"[^>]*>', html)
    [href] = re.findall(r'href="([^"]+)"', tag)
    address = urljoin("http://player/", href)
    return address, await client.get(address)


async def test_the_manifest_is_one_that_can_be_installed(built: httpx.AsyncClient) -> None:
    address, answer = await link(built, "manifest")
    manifest = answer.json()

    assert answer.headers["content-type"].startswith("application/manifest+json")
    assert manifest["lang"] == "fr"
    assert manifest["name"]
    assert 0 < len(manifest["short_name"]) <= 12, "longer names are cut below an icon"
    assert (await built.get(urljoin(address, manifest["start_url"]))).status_code == 200
    assert manifest["display"] == "standalone"
    for colour in ("background_color", "theme_color"):
        assert re.fullmatch("#[0-9A-F]{6}", manifest[colour])


async def test_each_icon_of_the_manifest_is_what_it_says(built: httpx.AsyncClient) -> None:
    address, answer = await link(built, "manifest")
    icons = answer.json()["icons"]

    for icon in icons:
        file = await built.get(urljoin(address, icon["src"]))
        assert file.status_code == 200
        assert file.headers["content-type"].partition(";")[0] == icon["type"]
        if icon["type"] == "image/png":
            width, height = size_of(file.content)
            assert icon["sizes"] == f"{width}x{height}"
            assert len(file.content) <= PNG_BYTES_MAX
    kinds = {(icon["sizes"], icon["purpose"]) for icon in icons if icon["type"] == "image/png"}
    assert kinds == {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}


async def test_an_iphone_finds_its_icon(built: httpx.AsyncClient) -> None:
    _, icon = await link(built, "apple-touch-icon")

    assert icon.headers["content-type"] == "image/png"
    assert size_of(icon.content) == (180, 180)
    assert len(icon.content) <= PNG_BYTES_MAX
