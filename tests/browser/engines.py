"""The three engines that the page is tried in, as Debian ships them, each with its own sink."""

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser import desktop as desktops
from tests.browser import firefox_bidi
from tests.browser.deployment import Deployment
from tests.browser.desktop import Desktop, SinkRecorder
from tests.browser.listener import Listener, PageOptions, Playing, open_page
from tests.browser.recording import Mark, Recording
from tests.browser.webkit import LANGUAGE, WebKitListener, find_browser, running_webkit

NAMES = ("chromium", "firefox", "webkitgtk")
CHROMIUM_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


class EngineListener(Protocol):
    """One listener, whatever the engine: see Listener, whose verbs these are."""

    deployment: Deployment
    options: PageOptions

    def tap_start(self) -> None: ...
    def tap(self, selector: str) -> None: ...
    def press(self, name: str) -> None: ...
    def reload(self) -> None: ...
    def another_tab(self) -> "EngineListener": ...
    def close(self) -> None: ...
    def wait_for(self, condition: str, seconds: float = 30) -> None: ...
    def wait_for_button(self, name: str, seconds: float = 30) -> None: ...
    def wait_for_music(self, seconds: float = 30) -> None: ...
    def wait_for_screen(self, name: str, seconds: float = 30) -> None: ...
    def wait_for_playing(self, condition: str) -> None: ...
    def listen_for(self, seconds: float) -> None: ...
    def evaluate(self, expression: str) -> Any: ...
    def playing(self) -> list[Playing]: ...
    def marks(self) -> list[Mark]: ...
    def recording(self) -> Recording: ...
    def text(self) -> str: ...
    def keep_picture(self, name: str) -> None: ...


@dataclass(frozen=True)
class Engine:
    """A browser that runs, and what is heard of it. open: a new listener who has it alone."""

    name: str
    version: str
    open: Callable[[Deployment, PageOptions], EngineListener]
    sink: SinkRecorder
    language: str = "fr"

    def heard(self, listener: EngineListener) -> Recording:
        """What has left the sink, with what has happened to the page since it was loaded."""
        return self.sink.recording(listener.marks())


def missing(name: str) -> str | None:
    """What this machine lacks for an engine, in words; None when it can be tried."""
    programs = desktops.missing_programs()
    if programs:
        return f"{', '.join(programs)} missing (Debian: apt-get install {desktops.PACKAGES})"
    found = {"chromium": find_chromium, "firefox": find_firefox, "webkitgtk": find_browser}[name]()
    if found:
        return None
    package = {"chromium": "chromium", "firefox": "firefox-esr", "webkitgtk": "webkit2gtk-driver"}
    return f"{name} is not installed (Debian: apt-get install {package[name]})"


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def find_firefox() -> str | None:
    return shutil.which("firefox-esr")


@contextmanager
def running_engine(name: str, desktop: Desktop) -> Iterator[Engine]:
    """One of NAMES, until the end of the block."""
    sink = SinkRecorder(desktop, name)
    sink.start()
    try:
        start = _running_webkit if name == "webkitgtk" else _running_by_playwright
        with start(name, desktop, sink) as engine:
            yield engine
    finally:
        sink.stop()


@contextmanager
def _running_by_playwright(name: str, desktop: Desktop, sink: SinkRecorder) -> Iterator[Engine]:
    launch = _launch_chromium if name == "chromium" else _launch_firefox
    with sync_playwright() as playwright:
        browser = launch(playwright, desktop)

        def open_one(deployment: Deployment, options: PageOptions) -> Listener:
            return open_page(browser, deployment, options)

        yield Engine(name, browser.version, open_one, sink)
        browser.close()


@contextmanager
def _running_webkit(name: str, desktop: Desktop, sink: SinkRecorder) -> Iterator[Engine]:
    browser = find_browser()
    assert browser is not None
    with ExitStack() as opened:

        def open_one(deployment: Deployment, options: PageOptions) -> WebKitListener:
            opened.close()  # one at a time: what others play goes to the same sink
            driver = opened.enter_context(running_webkit(desktop, browser, name))
            listener = WebKitListener(driver, deployment, options, driver.current_window_handle)
            listener.visit()
            return listener

        with running_webkit(desktop, browser, name) as driver:
            version = str(driver.capabilities["browserVersion"])
        yield Engine(name, version, open_one, sink, LANGUAGE)


def _launch_chromium(playwright: Playwright, desktop: Desktop) -> Browser:
    return playwright.chromium.launch(
        executable_path=find_chromium(),
        headless=False,
        args=CHROMIUM_FLAGS,
        ignore_default_args=["--mute-audio"],
        env={**desktop.environment("chromium")},
    )


def _launch_firefox(playwright: Playwright, desktop: Desktop) -> Browser:
    return playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=_firefox_for_playwright(desktop.folder),
        headless=False,
        env={**desktop.environment("firefox")},
    )


def _firefox_for_playwright(folder: Path) -> Path:
    """A program that Playwright can start."""
    program = folder / "firefox-for-playwright"
    script = firefox_bidi.__file__
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program
