"""The package that other pages install: packed, installed into a fresh page, and heard there."""

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from parcours_dev.node import find_npm
from parcours_dev.player_build import WEB
from parcours_dev.player_package import SOURCES, pack_player
from parcours_dev.simulators.bed import START_BYTES_MAX
from tests.browser.deployment import Deployment
from tests.browser.listener import EAR
from tests.browser.page_proxy import recorder
from tests.browser.recording import Recording
from tests.fixtures.servers import running
from tests.fixtures.waiting import wait_until

OTHER_PAGE = Path(__file__).with_name("other_page")
NPM_S_MAX = 300
STEP_S = 0.1
INSTALLED = "node_modules/parcours-xl"


def npm(folder: Path, *arguments: str) -> None:
    code, said = ask_npm(folder, *arguments)
    assert code == 0, said


def ask_npm(folder: Path, *arguments: str) -> tuple[int, str]:
    done = find_npm()(arguments, cwd=folder, timeout=NPM_S_MAX, text=True, capture_output=True)
    return done.returncode, f"{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_player(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def built(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh page with the packed file, the newest it allows of nothing else, built by Vite."""
    page = tmp_path_factory.mktemp("other") / "page"
    shutil.copytree(OTHER_PAGE, page)
    ours = json.loads((WEB / "package.json").read_text())
    versions = ours["dependencies"] | ours["devDependencies"]
    tools = {name: versions[name] for name in ("@supabase/supabase-js", "typescript", "vite")}
    described = {
        "name": "another-page",
        "private": True,
        "type": "module",
        "dependencies": {"parcours-xl": f"file:{packed}"} | tools,
    }
    (page / "package.json").write_text(json.dumps(described))
    npm(page, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    npm(page, "exec", "--no", "--", "tsc")
    npm(page, "exec", "--no", "--", "vite", "build")
    return page / "dist"


@pytest.fixture
def elsewhere(built: Path) -> Iterator[str]:
    """The page's own server: another origin than everything of the deployment."""
    routes = [
        Route("/__recorder.js", recorder),
        Mount("/", StaticFiles(directory=built, html=True)),
    ]
    with running(Starlette(routes=routes)) as url:
        yield url


def test_it_holds_code_types_and_beds_and_no_second_supabase_js(packed: Path) -> None:
    with tarfile.open(packed) as archive:
        files = {
            member.name.removeprefix("package/"): archive.extractfile(member)
            for member in archive.getmembers()
        }
        texts = {name: file.read() for name, file in files.items() if file}

    described = json.loads(texts["package.json"])
    assert described == json.loads((SOURCES / "package.json").read_text())
    assert set(described["peerDependencies"]) == {"@supabase/supabase-js"}
    assert "dependencies" not in described
    types = described["exports"]["."]["types"].removeprefix("./")
    entries = {"dist/index.js", "dist/bed.mp3", "dist/bed-start.mp3", types}
    assert texts.keys() >= entries | {
        "README.md",
        "LICENSE",
        described["exports"]["."]["types"][2:],
    }
    assert len(texts["dist/bed-start.mp3"]) <= START_BYTES_MAX
    assert b'from "@supabase/supabase-js"' in texts["dist/index.js"]
    assert b"createClient" not in texts["dist/index.js"]
    assert not [name for name in texts if "test" in name.lower()]


def test_its_types_need_nothing_newer_than_es2022(built: Path) -> None:
    _, said = ask_npm(built.parent, "exec", "--no", "--", "tsc", "--skipLibCheck", "false")

    # supabase-js's own types are no more than what its users skip.
    ours = [line for line in said.splitlines() if line.startswith(("main.ts", f"{INSTALLED}/"))]
    assert (built.parent / INSTALLED / "dist" / "types").is_dir()
    assert ours == []


def test_the_readme_shows_what_the_fresh_page_does() -> None:
    readme, page = (SOURCES / "README.md").read_text(), (OTHER_PAGE / "main.ts").read_text()
    code = readme.split("```ts\n")[1].split("```")[0]
    lines = [line for line in code.splitlines() if line and "createClient(" not in line]

    assert len(lines) > 9
    assert [line for line in lines if line not in page.splitlines()] == []


def test_music_is_heard_in_a_fresh_page_on_another_origin(
    browser: Browser, deployment: Deployment, elsewhere: str
) -> None:
    context = browser.new_context()
    context.add_init_script(EAR)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    url, key = deployment.tcp_proxy.url, deployment.project.anon_key
    page.goto(f"{elsewhere}/?{urlencode({'url': url, 'key': key})}")

    page.get_by_role("button", name="Listen").click()
    page.locator("output").filter(has_text="playing").wait_for(timeout=60_000)
    wait_until(lambda: deployment.segments()[0]["status"] == "complete", 60)
    page.wait_for_timeout(6000)
    page.get_by_role("button", name="Stop").click()
    page.locator("output").filter(has_text="stopped").wait_for()
    heard = Recording.from_page(page.evaluate("__ear.recording()"))
    tones = deployment.tones()
    context.close()

    assert errors == []
    loudest = max((heard.tone(hertz, STEP_S, STEP_S) for hertz in tones), key=np.max)
    assert loudest.max() > 0.02, "the preview or the final of the first piece is heard"
    beside = heard.tone(tones[0] * 1.37, STEP_S, STEP_S)
    assert loudest.max() > 4 * beside.max(), "a tone, not any noise"
