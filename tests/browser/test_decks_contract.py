"""Contract tests of the real decks (web/deck-contract): in Chromium, with real files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from parcours_dev.node import find_npm
from parcours_dev.player_build import BUILD_S_MAX, WEB, install_modules
from parcours_dev.simulators.mp3 import encode
from parcours_dev.simulators.signals import produce
from tests.browser.hearing import TRIES_MAX
from tests.fixtures.servers import running

LONG_S, SHORT_S = 30, 2
TOLERANCE_S = 0.1


@pytest.fixture(scope="module")
def suite(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the test page and its files, in ranges too."""
    folder = tmp_path_factory.mktemp("contract")
    build_contract_suite(folder)
    write_tone(folder / "long.mp3", LONG_S)
    write_tone(folder / "short.mp3", SHORT_S)
    with running(Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))])) as url:
        yield url


def build_contract_suite(folder: Path) -> None:
    """The page, not minified: its failures read as they were written."""
    install_modules()
    options = ["--config", "vite.config.ts", "--outDir", str(folder), "--minify", "false"]
    done = find_npm()(
        ["run", "--silent", "build", "--", "deck-contract", *options],
        cwd=WEB,
        timeout=BUILD_S_MAX,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def write_tone(file: Path, seconds: float) -> None:
    blocks = produce("tones", words="", seconds=seconds, seed="contract", order=0)
    file.write_bytes(b"".join(encode(blocks)))


@pytest.mark.parametrize("output", ["graph", "plain"])
def test_a_real_deck_passes_the_contract_tests_of_every_deck(
    browser: Browser, suite: str, output: str
) -> None:
    # A machine with other work is late at times; a deck that is wrong is wrong each time.
    for _ in range(TRIES_MAX):
        failures = run_contract(browser, suite, output)
        if not failures:
            return
    assert failures == {}


def test_a_limiter_keeps_peaks_under_minus_1_and_leaves_the_rest_alone(
    browser: Browser, suite: str
) -> None:
    page = browser.new_page()
    page.goto(suite)
    peaks = {dbfs: page.evaluate("dbfs => limited(dbfs)", dbfs) for dbfs in (-30, -10, 0, 6, 10)}
    page.close()

    assert peaks[-30] == pytest.approx(-30, abs=0.1)
    assert peaks[-10] == pytest.approx(-10, abs=0.1)
    assert max(peaks[0], peaks[6], peaks[10]) <= -1


def run_contract(browser: Browser, suite: str, output: str) -> dict[str, str]:
    """Return the failures of the decks of this output, by test name."""
    files = {"long": "long.mp3", "short": "short.mp3", "missing": "missing.mp3"}
    page = browser.new_page()
    page.goto(suite)
    page.mouse.click(10, 10)  # before a gesture nothing may sound
    results = page.evaluate(
        "([output, files]) => runContract(output, files)",
        [output, files | {"toleranceSeconds": TOLERANCE_S}],
    )
    page.close()
    assert results, "the suite has tests"
    return {result["name"]: result["failure"] for result in results if result["failure"]}
