"""The page is built when its sources have changed, and only then."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from parcours_dev import player_build
from parcours_dev.errors import LocalError
from parcours_dev.player_build import build_player, hash_sources, install_modules
from parcours_dev.simulators.bed import START_BYTES_MAX
from parcours_xl.player.site import ENDINGS
from tests.fixtures.waiting import wait_until

PACKAGE = '{"type": "module", "scripts": {"build": "vite build"}}'
CONFIG = """
import { compressed } from "./compressed";
export default { base: "./", plugins: [compressed()] };
"""
LONG = "console.log('Calm, calm, calm, and once more calm');" * 99
PAGE = '<!doctype html><title>A page</title><script type="module" src="./main.ts"></script>'


@pytest.fixture(scope="module")
def modules() -> Path:
    """The page's packages, installed once."""
    install_modules()
    return player_build.WEB / "node_modules"


@pytest.fixture
def web(tmp_path: Path, modules: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of two files, to be built with the real tools into a folder of its own."""
    web = tmp_path / "web"
    web.mkdir()
    (web / "node_modules").symlink_to(modules)
    (web / "package.json").write_text(PACKAGE)
    (web / "package-lock.json").write_text("{}")
    (web / "vite.config.ts").write_text(CONFIG)
    shutil.copy(player_build.WEB / "compressed.ts", web)
    (web / "index.html").write_text(PAGE)
    (web / "main.ts").write_text("document.title = 'Calm' as string")
    monkeypatch.setattr(player_build, "ROOT", tmp_path)
    monkeypatch.setattr(player_build, "WEB", web)
    monkeypatch.setattr(player_build, "BED_SOURCES", ())
    monkeypatch.setattr(player_build, "SITE", tmp_path / "package" / "site")
    monkeypatch.setattr(player_build, "install_modules", lambda: None)
    return web


def test_the_page_and_its_bed_are_built_under_names_that_tell_their_content(web: Path) -> None:
    site = build_player()

    assert "A page" in (site / "index.html").read_text()
    [script] = (site / "assets").glob("*.js")
    assert "Calm" in script.read_text()
    [bed] = (site / "assets").glob("bed-????????.mp3")
    assert bed.stat().st_size > 100_000
    [start] = (site / "assets").glob("bed-start-????????.mp3")
    assert 0 < start.stat().st_size <= START_BYTES_MAX


def test_texts_are_compressed_once_and_sound_is_not(web: Path) -> None:
    (web / "main.ts").write_text(LONG)
    (web / "public").mkdir()
    (web / "public" / "sw.js").write_text(LONG)
    site = build_player()

    for text in (site / "sw.js", *(site / "assets").glob("*.js")):
        brotli, gzipped = (Path(f"{text}{ending}") for ending in ENDINGS.values())
        assert gzip.decompress(gzipped.read_bytes()) == text.read_bytes()
        assert brotli.stat().st_size <= gzipped.stat().st_size < text.stat().st_size
    assert not [*(site / "assets").glob("*.mp3.*")]


def test_what_has_not_changed_is_not_built_again(web: Path) -> None:
    before = (build_player() / "index.html").stat().st_mtime_ns

    assert (build_player() / "index.html").stat().st_mtime_ns == before


def test_a_changed_source_is_built_and_nothing_of_the_old_page_stays(web: Path) -> None:
    [old] = (build_player() / "assets").glob("*.js")
    (web / "main.ts").write_text("document.title = 'Quiet' as string")
    site = build_player()

    [new] = (site / "assets").glob("*.js")
    assert new.name != old.name
    assert "Quiet" in new.read_text()
    assert sorted(path.name for path in site.parent.iterdir()) == [".site.lock", "site"]


def test_tests_and_installed_packages_are_no_sources(web: Path) -> None:
    before = hash_sources()
    (web / "tests").mkdir()
    (web / "tests" / "main.test.ts").write_text("")
    (web / "node_modules" / ".parcours-probe").touch()
    try:
        assert hash_sources() == before
    finally:
        (web / "node_modules" / ".parcours-probe").unlink()
    (web / "public").mkdir()
    (web / "public" / "icon.svg").write_text("<svg/>")
    assert hash_sources() != before


def test_a_page_that_does_not_build_leaves_the_old_one_and_says_why(web: Path) -> None:
    site = build_player()
    (web / "main.ts").write_text("import './nothing'")

    with pytest.raises(LocalError, match=r"(?s)could not be built: .*nothing"):
        build_player()
    assert "A page" in (site / "index.html").read_text()
    assert sorted(path.name for path in site.parent.iterdir()) == [".site.lock", "site"]


def test_an_installed_wheel_has_nothing_to_build(web: Path, tmp_path: Path) -> None:
    player_build.WEB = tmp_path / "nowhere"  # the fixture's monkeypatch puts it back

    assert build_player() == tmp_path / "package" / "site"


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_while_it_works_ends_in_silence(tmp_path: Path) -> None:
    """npm is at work for long; the terminal sends the signal to it as well."""
    begun, programs = tmp_path / "begun", tmp_path / "bin"
    programs.mkdir()
    for name, script in (("node", "echo v99.0.0"), ("npm", f"touch {begun}\nexec sleep 600")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    building = subprocess.Popen(
        [sys.executable, "-m", "parcours_dev.player_build", "--check"],
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(begun.exists, 60)
        os.killpg(building.pid, signal.SIGINT)
        said, _ = building.communicate(timeout=60)
    finally:
        building.kill()
    assert (said, building.returncode) == ("", 130)
