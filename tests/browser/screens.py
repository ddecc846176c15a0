"""A walk through every screen that a listener can meet."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from playwright.sync_api import Page, Route

from tests.browser.deployment import Deployment
from tests.browser.listener import Listener
from tests.browser.words import WORDS, WRITTEN

NEVER = 1e9
LONG_TRACK_S = 60
"""Music that outlasts the looking at a screen on a busy machine."""
RESERVE_PRESET = "00-universel-reset"
FIRST_CARD = 2
"""The third card: any will do but the one that needs no reading."""


@dataclass(frozen=True)
class Screen:
    """under_way: music sounds, is paused, or is being made, so Stop is there."""

    name: str
    page: Page
    under_way: bool = True


def visit_every_screen(listener: Listener) -> Iterator[Screen]:
    """Each screen in turn; it stays until the next is asked for."""
    yield from _before(listener)
    yield from _signing_up(listener)
    yield from _waiting(listener)
    yield from _playing(listener)
    yield from _afterwards(listener)
    yield from _coming_back(listener)
    yield from _troubled(listener)
    yield from _with_the_reserve(listener)


def _before(listener: Listener) -> Iterator[Screen]:
    page = listener.page
    listener.wait_for_button("start")
    yield Screen("home", page, under_way=False)
    page.get_by_role("listitem").get_by_role("link").nth(FIRST_CARD).click()
    page.get_by_role("radio").first.wait_for()
    yield Screen("card", page, under_way=False)
    listener.press("help")
    page.get_by_role("dialog").wait_for()
    yield Screen("help", page, under_way=False)
    listener.press("close help")


def _signing_up(listener: Listener) -> Iterator[Screen]:
    with no_anonymous_listeners(listener):
        listener.press("start")
        listener.wait_for_button("continue")
        yield Screen("sign-in", listener.page)
        listener.press("no account")
        listener.say("email", f"{uuid4()}@example.org")
        listener.wait_for_button("create account")
        yield Screen("password", listener.page)
    listener.press("stop")
    listener.press("home")


def _waiting(listener: Listener) -> Iterator[Screen]:
    listener.deployment.tune(first_s=NEVER)
    listener.press("start")
    listener.page.locator(WRITTEN).wait_for()
    yield Screen("waiting", listener.page)
    listener.press("rate")
    yield Screen("rating", listener.page)
    listener.press("skip")
    listener.press("breathe")
    yield Screen("breathing", listener.page)
    listener.press("look around")
    listener.press("stop")
    listener.press("home")
    listener.deployment.recover()


def _playing(listener: Listener) -> Iterator[Screen]:
    page = listener.page
    listener.deployment.tune(track_seconds=LONG_TRACK_S)
    listener.press("start")
    listener.wait_for_music()
    yield Screen("playing", page)
    listener.press("more")
    page.get_by_role("dialog").wait_for()
    yield Screen("more", page)
    listener.press("close")
    listener.press("pause")
    listener.wait_for_button("resume")
    yield Screen("paused", page)
    listener.press("help")
    page.get_by_role("dialog").wait_for()
    yield Screen("help-under-way", page)
    listener.press("close help")
    page.evaluate("location.hash = 'runs'")
    page.locator(".run").first.wait_for()
    yield Screen("runs-under-way", page)
    listener.press("stop")


def _afterwards(listener: Listener) -> Iterator[Screen]:
    page = listener.page
    listener.wait_for_button("home")
    yield Screen("stopped", page, under_way=False)
    page.get_by_role("radio", name="9", exact=True).check(force=True)
    page.locator(".help-first").wait_for()
    yield Screen("help-first", page, under_way=False)
    listener.follow("keep")
    listener.wait_for_button("continue")
    yield Screen("keep", page, under_way=False)
    listener.follow("runs")
    page.locator(".run").first.wait_for()
    yield Screen("runs", page, under_way=False)
    listener.follow("back")


def _coming_back(listener: Listener) -> Iterator[Screen]:
    page = listener.page
    listener.press("start")
    listener.wait_for_music()
    page.reload()
    listener.wait_for_button("leave")
    yield Screen("kept", page, under_way=False)
    page.locator(".solid").click()
    listener.wait_for_button("pause")
    other = listener.another_tab()
    other.wait_for_button("listen here")
    yield Screen("other-tab", other.page, under_way=False)
    other.page.close()
    listener.press("stop")
    listener.press("home")


def _troubled(listener: Listener) -> Iterator[Screen]:
    page = listener.page
    listener.deployment.fail("refused", times=0)
    listener.press("start")
    listener.wait_for_button("compose again")
    yield Screen("failed", page)
    listener.deployment.recover()
    listener.press("stop")
    listener.press("home")
    with answered(page, "**/parcours-xl-create", 429, {"error": "enough"}, {"retry-after": "7200"}):
        listener.press("start")
        page.locator(".error-screen").wait_for()
        yield Screen("quota", page)
    listener.press("stop")
    listener.press("home")
    with answered(page, "**/config.json", 500, {}):
        page.reload()
        page.locator(".home [role=status]").wait_for()
        yield Screen("stranded", page, under_way=False)


def _with_the_reserve(listener: Listener) -> Iterator[Screen]:
    page, deployment = listener.page, listener.deployment
    page.reload()
    deployment.tune(track_seconds=LONG_TRACK_S)
    with filled_reserve(deployment):
        deployment.tune(first_s=NEVER)
        listener.press("start")
        page.get_by_text(WORDS[listener.options.language]["until yours"]).first.wait_for()
        yield Screen("reserve", page)
        listener.press("stop")
        listener.press("home")
        deployment.recover()
        deployment.fail("refused", times=0)
        listener.press("start")
        page.get_by_text(WORDS[listener.options.language]["reserve alone"]).first.wait_for()
        yield Screen("reserve-alone", page)
        listener.press("stop")
        listener.press("home")


@contextmanager
def filled_reserve(deployment: Deployment) -> Iterator[None]:
    """Two ready pieces of the preset without a card of its own; they are gone afterwards."""
    run_reserve(deployment, "fill", "--per-preset", "2", "--preset", RESERVE_PRESET, "--yes")
    try:
        yield
    finally:
        for piece in deployment.query("select id from parcours.reserve_pieces"):
            run_reserve(deployment, "drop", str(piece["id"]))


def run_reserve(deployment: Deployment, *words: str) -> None:
    """`parcours reserve`, as the operator types it."""
    subprocess.run(
        [sys.executable, "-m", "parcours_xl.cli.main", "reserve", *words],
        check=True,
        env={**os.environ, **deployment.environment},
        capture_output=True,
    )


@contextmanager
def no_anonymous_listeners(listener: Listener) -> Iterator[None]:
    """As a project that lets nobody in without a name."""

    def refuse(route: Route) -> None:
        if (route.request.post_data_json or {}).get("email"):
            return route.continue_()
        code = "anonymous_provider_disabled"
        body = {"code": 422, "error_code": code, "msg": "Anonymous sign-ins are disabled"}
        headers = {"x-supabase-api-version": "2024-01-01", "content-type": "application/json"}
        return route.fulfill(status=422, headers=headers, body=json.dumps(body))

    listener.page.route("**/auth/v1/signup*", refuse)
    yield
    listener.page.unroute("**/auth/v1/signup*", refuse)


@contextmanager
def answered(
    page: Page, address: str, status: int, body: object, headers: dict[str, str] | None = None
) -> Iterator[None]:
    """Every request of that address gets this answer instead."""

    def answer(route: Route) -> None:
        route.fulfill(
            status=status,
            body=json.dumps(body),
            headers={"content-type": "application/json", **(headers or {})},
        )

    page.route(address, answer)
    yield
    page.unroute(address, answer)
