"""A browser, a deployment for it, and one listener a test."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from parcours_dev.deployment import temporary_state
from parcours_dev.player_build import build_player
from parcours_dev.supabase.stack import running_stack
from tests.browser.deployment import Deployment, running_deployment
from tests.browser.listener import Listener, Open, PageOptions, open_page

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Debian's Chromium. Without one these tests are skipped, but never in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # Not longer: while Playwright is open no other event loop can run in this thread.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session_deployment(chromium: str) -> Iterator[Deployment]:
    """A Supabase of its own: its worker would take the jobs of other tests."""
    build_player()
    with (
        temporary_state("parcours-browser-") as folder,
        running_stack(folder) as project,
        running_deployment(project) as deployment,
    ):
        yield deployment


@pytest.fixture
def deployment(session_deployment: Deployment) -> Iterator[Deployment]:
    """The deployment, repaired."""
    session_deployment.recover()
    yield session_deployment
    session_deployment.recover()


@pytest.fixture
def open_listener(browser: Browser, deployment: Deployment) -> Iterator[Open]:
    """Opens pages; each is a listener with a browser profile of their own."""
    opened: list[Listener] = []

    def open_one(options: PageOptions | None = None, **changes: object) -> Listener:
        opened.append(open_page(browser, deployment, options or PageOptions(**changes)))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for listener in opened:
        listener.close()


@pytest.fixture
def listener(open_listener: Open) -> Listener:
    """Somebody French, at night, on a telephone; nothing but the journey's own music sounds."""
    return open_listener(bed=False)
