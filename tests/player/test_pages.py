"""The page, its files, and what it reads first, as a browser asks for them."""

import gzip
from pathlib import Path

import httpx
import pytest

from parcours_xl.app import create_app
from parcours_xl.domain.presets import all_presets
from parcours_xl.player.pages import create_player
from parcours_xl.player.site import Site
from parcours_xl.settings import Settings
from tests.player.conftest import SECRETS

pytestmark = pytest.mark.anyio


async def test_the_page_is_at_the_root_and_asked_about_each_time(page: httpx.AsyncClient) -> None:
    answer = await page.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert "Parcours XL" in answer.text


@pytest.mark.parametrize("path", ["/", "/sw.js", "/config.json", "/presets.json"])
async def test_what_has_not_changed_is_not_sent_again(page: httpx.AsyncClient, path: str) -> None:
    first = await page.get(path)
    again = await page.get(path, headers={"if-none-match": first.headers["etag"]})
    other = await page.get(path, headers={"if-none-match": '"something else"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"]
    assert other.status_code == 200


async def test_hashed_assets_are_kept_for_ever_and_nothing_else(page: httpx.AsyncClient) -> None:
    asset = await page.get("/assets/main-0a1b2c3d.js")
    worker = await page.get("/sw.js")

    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"


@pytest.fixture
def compressed(site: Path) -> bytes:
    """What `web/compressed.ts` makes of a script: two smaller forms beside it."""
    script = site / "assets" / "main-0a1b2c3d.js"
    text = b"export {}" * 99
    script.write_bytes(text)
    # The service sends what is there: whether it is brotli is the build's affair.
    Path(f"{script}.br").write_bytes(b"as brotli")
    Path(f"{script}.gz").write_bytes(gzip.compress(text))
    return text


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"),
        ("gzip", "gzip"),
        ("identity", None),
        ("br;q=0.0, gzip;q=0", None),
        ("", None),
    ],
)
async def test_a_browser_is_sent_the_smallest_form_that_it_takes(
    page: httpx.AsyncClient, compressed: bytes, accepted: str, sent: str | None
) -> None:
    request = page.build_request(
        "GET", "/assets/main-0a1b2c3d.js", headers={"accept-encoding": accepted}
    )
    answer = await page.send(request, stream=True)
    raw = b"".join([chunk async for chunk in answer.aiter_raw()])

    forms = {"br": b"as brotli", "gzip": gzip.compress(compressed), None: compressed}
    assert answer.headers.get("content-encoding") == sent
    assert gzip.decompress(raw) == compressed if sent == "gzip" else raw == forms[sent]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-length"] == str(len(raw))
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_each_form_has_an_etag_of_its_own(page: httpx.AsyncClient, compressed: bytes) -> None:
    async def ask(path: str, accepted: str, etag: str = "") -> httpx.Response:
        headers = {"accept-encoding": accepted, "if-none-match": etag}
        async with page.stream("GET", path, headers=headers) as answer:
            return answer

    for path, encodings in {
        "/assets/main-0a1b2c3d.js": ("br", "gzip", "identity"),
        "/presets.json": ("gzip", "identity"),
    }.items():
        etags = [(await ask(path, one)).headers["etag"] for one in encodings]
        assert len(set(etags)) == len(encodings)
        again = [
            (await ask(path, one, etag)).status_code
            for one, etag in zip(encodings, etags, strict=True)
        ]
        assert again == [304] * len(encodings)
        other = await ask(path, encodings[0], etags[1])
        assert (other.status_code, other.headers["vary"]) == (200, "accept-encoding")


async def test_a_part_is_a_part_of_the_file_itself(
    page: httpx.AsyncClient, compressed: bytes
) -> None:
    headers = {"range": "bytes=0-5", "accept-encoding": "br"}
    answer = await page.get("/assets/main-0a1b2c3d.js", headers=headers)

    assert (answer.status_code, answer.content) == (206, b"export")
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("ending", [".br", ".gz"])
async def test_the_forms_are_no_files_of_the_page(
    page: httpx.AsyncClient, compressed: bytes, ending: str
) -> None:
    assert (await page.get(f"/assets/main-0a1b2c3d.js{ending}")).status_code == 404


async def test_the_descriptions_are_compressed_too(page: httpx.AsyncClient) -> None:
    plain = await page.get("/presets.json", headers={"accept-encoding": "identity"})
    smaller = await page.get("/presets.json", headers={"accept-encoding": "gzip"})

    assert smaller.headers["content-encoding"] == "gzip"
    assert smaller.json() == plain.json()
    assert int(smaller.headers["content-length"]) < int(plain.headers["content-length"]) / 3


async def test_the_bed_can_be_fetched_in_parts(page: httpx.AsyncClient) -> None:
    bed = (await page.get("/config.json")).json()["bedUrl"]
    answer = await page.get(f"/{bed}", headers={"range": "bytes=4-8"})

    assert bed == "assets/bed-4e5f6a7b.mp3"
    assert (answer.status_code, answer.text) == (206, "quite")
    assert answer.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize("path", ["/", "/config.json", "/presets.json", "/sw.js"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_pages_are_only_read(page: httpx.AsyncClient, path: str, method: str) -> None:
    head = await page.head(path)
    answer = await page.request(method, path)

    assert (head.status_code, head.content) == (200, b"")
    assert answer.status_code == 405


@pytest.mark.parametrize(
    "path", ["/nothing", "/assets/", "/assets", "/../pages.py", "/%2e%2e/pages.py", "/.git/config"]
)
async def test_nothing_else_is_there(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)

    assert answer.status_code == 404
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/config.json", "/presets.json", "/sw.js", "/nothing"])
async def test_no_secret_leaves_the_service(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)

    said = answer.text + str(answer.headers)
    assert not [secret for secret in (*SECRETS, "10.0.0.7") if secret in said]


async def test_the_config_says_where_supabase_is_and_how_long_the_music_lasts(
    page: httpx.AsyncClient,
) -> None:
    config = (await page.get("/config.json")).json()

    assert config == {
        "supabaseUrl": "https://abc.supabase.co",
        "functionsUrl": "functions/v1",
        "publishableKey": "sb_publishable_everybody",
        "realtime": False,
        "mediaHosts": ["suno.ai", "*.suno.ai", "127.0.0.1:4040"],
        "bedUrl": "assets/bed-4e5f6a7b.mp3",
        "bedStartUrl": "assets/bed-start-5f6a7b8c.mp3",
        "settings": {
            "journeySecondsMin": 1080,
            "journeySecondsMax": 1440,
            "carriedSecondsMin": 20,
            "pieceSecondsMin": 30,
            "crossfadeSeconds": 4,
        },
    }


async def test_the_twenty_presets_come_in_the_order_of_the_cards(page: httpx.AsyncClient) -> None:
    presets = (await page.get("/presets.json")).json()

    assert [preset["key"] for preset in presets] == [preset.key for preset in all_presets()]
    assert presets[0]["slug"] == "universel-reset"
    assert {preset["group"] for preset in presets} == {"overflow", "weight", "loop", "spring"}
    for preset in presets:
        assert preset["emotion"]
        assert 18 <= preset["minutes"]["min"] <= preset["minutes"]["max"] <= 24
        notes = preset["contraindications"]
        bilingual = [
            preset[name] for name in ("groupName", "title", "from", "to", "text", "firstTitle")
        ]
        assert all(words["fr"] and words["en"] for words in [*bilingual, *notes])


async def test_a_service_without_the_page_says_so(settings: Settings, tmp_path: Path) -> None:
    transport = httpx.ASGITransport(create_player(settings, Site(tmp_path / "none")))
    async with httpx.AsyncClient(transport=transport, base_url="http://player") as page:
        answer = await page.get("/")
        config = await page.get("/config.json")

    assert answer.status_code == 503
    assert "has not been built" in answer.text
    assert "112" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert config.status_code == 200


async def test_the_service_serves_the_page_beside_its_functions(settings: Settings) -> None:
    transport = httpx.ASGITransport(create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as service:
        config = await service.get("/config.json")
        function = await service.get("/functions/v1/parcours-xl-create")
        unknown = await service.get("/functions/v1/other")

    assert config.json()["supabaseUrl"] == "https://abc.supabase.co"
    assert function.status_code == 405
    assert (unknown.status_code, unknown.json()) == (404, {"error": "Not Found"})
    assert "content-security-policy" not in function.headers
