"""Every screen, for everybody: what axe finds, and what it cannot see."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, ViewportSize

from parcours_dev.player_build import WEB
from tests.browser.listener import HERE, SHOTS, Listener, Open
from tests.browser.screens import Screen, visit_every_screen

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
AUDIT = HERE / "audit.js"
EVERY_RULE = {"resultTypes": ["violations"]}
COLOURS = EVERY_RULE | {"runOnly": ["color-contrast", "link-in-text-block"]}
MORE_CONTRAST = EVERY_RULE | {"runOnly": ["color-contrast-enhanced"]}
THEMES = {"dark": EVERY_RULE, "light": COLOURS}
"""What is asked of axe in each; between themes nothing but colours differs."""

LARGE = ("as it is", "text at 200 %", "320 px wide, text at 200 %")
"""What is looked at in the second language: its words are as long, and elsewhere."""

LAYOUTS = (*LARGE, "320 px wide")
"""In which the place of things is judged: between the others nothing moves."""

SIZES = ((360, 740), (768, 1024), (1440, 900))
PICTURES = os.environ.get("PICTURES", "some")
"""`all`: each screen at three sizes, in both themes, and with text of twice the size."""


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_screen_is_for_everybody(open_listener: Open, language: str) -> None:
    listener = open_listener(bed=False, language=language)
    _bring_the_tools(listener)
    faults: list[str] = []
    for screen in visit_every_screen(listener):
        screen.page.evaluate("__audit.settled()")
        _keep_pictures(screen, language)
        conditions = CONDITIONS if language == "fr" else LARGE
        said = [
            *_what_axe_says(screen.page),
            *_what_axe_cannot_see(screen, conditions),
            *_how_it_looks(screen.page),
        ]
        faults += [f"{screen.name}: {fault}" for fault in said]

    assert faults == []
    assert listener.errors == []


SPOIL = """() => {
  const bad = document.createElement("button");
  bad.textContent = "Trop petit";
  bad.style = "position: fixed; top: 120px; left: 330px; width: 60px; height: 20px;"
    + " color: #333; background: #222; border: 0; padding: 0; font-size: 10px";
  document.querySelector("main").prepend(bad);
  const veil = document.createElement("div");
  veil.style = "position: fixed; inset: 0 0 auto; height: 100px; z-index: 9";
  document.body.append(veil);
  const white = document.createElement("h1");
  white.textContent = "Trop blanc";
  white.style = "color: #fff; font: 700 20px monospace; transition: width 2s";
  const wide = document.createElement("p");
  wide.textContent = "et trop long ".repeat(20);
  wide.ariaLabel = "Trop large";
  wide.style = "width: 640px; max-width: none; align-self: flex-start";
  document.querySelector(".screen").append(white, wide);
}"""


def test_what_a_screen_must_not_be_is_found(listener: Listener) -> None:
    """The judge, judged."""
    _bring_the_tools(listener)
    listener.wait_for_button("start")
    listener.page.evaluate(SPOIL)
    said = "\n".join(
        [
            *_what_axe_says(listener.page),
            *_what_axe_cannot_see(Screen("home", listener.page), CONDITIONS),
            *_how_it_looks(listener.page),
        ]
    )

    for fault in (
        "dark: color-contrast",
        "« Trop petit » is 60 x 20 px",
        "« Aide » is covered when it has the focus",
        "« Trop petit » leaves the screen",
        "there is no Stop",
        "« Trop blanc » is written in rgb(255, 255, 255)",
        "« Trop blanc » is bold",
        "« Trop blanc » is of 20px",
        "« Trop blanc » is set in monospace",
        "« Trop blanc » changes its width in 2s",
        "« Trop large » has lines of",
        "768 px, light: p « Trop large » is 640 px wide",
    ):
        assert fault in said


def _bring_the_tools(listener: Listener) -> None:
    for tool in (AXE, AUDIT):
        listener.context.add_init_script(path=tool)
    listener.page.reload()


def _what_axe_says(page: Page) -> Iterator[str]:
    for theme, rules in THEMES.items():
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        found = page.evaluate("wishes => axe.run(document, wishes)", rules)
        for violation in found["violations"]:
            where = [node["target"] for node in violation["nodes"]]
            yield f"{theme}: {violation['id']} at {where}: {violation['help']}"
        page.emulate_media(contrast="more")
        found = page.evaluate("wishes => axe.run(document, wishes)", MORE_CONTRAST)
        for violation in found["violations"]:
            where = [node["target"] for node in violation["nodes"]]
            yield f"{theme}, more contrast: {violation['id']} at {where}"
        page.emulate_media(contrast="no-preference")
    page.emulate_media(color_scheme="dark")


def _what_axe_cannot_see(screen: Screen, conditions: Iterable[str]) -> Iterator[str]:
    page = screen.page
    yield from page.evaluate("__audit.targets()")
    for condition in conditions:
        with CONDITIONS[condition](page):
            found = page.evaluate(
                "underWay => [...__audit.reflow(), ...__audit.stopFirst(underWay),"
                " ...__audit.focus(), ...__audit.loudest(underWay)]",
                screen.under_way,
            )
            if condition in LAYOUTS:
                found += page.evaluate("__audit.layout()")
            yield from (f"{condition}: {fault}" for fault in found)


def _how_it_looks(page: Page) -> Iterator[str]:
    for width, height in SIZES:
        with _sized(page, width, height):
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                found = page.evaluate("__audit.looks()")
                yield from (f"{width} px, {theme}: {fault}" for fault in found)
    page.emulate_media(color_scheme="dark")


@contextmanager
def _as_it_is(_: Page) -> Iterator[None]:
    yield


@contextmanager
def _narrow(page: Page) -> Iterator[None]:
    with _sized(page, 320, 640):
        yield


@contextmanager
def _large_text(page: Page) -> Iterator[None]:
    page.evaluate("__audit.enlarge(200)")
    yield
    page.evaluate("__audit.enlarge(100)")


@contextmanager
def _narrow_and_large(page: Page) -> Iterator[None]:
    with _narrow(page), _large_text(page):
        yield


@contextmanager
def _spaced_text(page: Page) -> Iterator[None]:
    page.evaluate("__audit.space(true)")
    yield
    page.evaluate("__audit.space(false)")


@contextmanager
def _forced_colours(page: Page) -> Iterator[None]:
    page.emulate_media(forced_colors="active")
    yield
    page.emulate_media(forced_colors="none")


CONDITIONS = {
    "as it is": _as_it_is,
    "320 px wide": _narrow,
    "text at 200 %": _large_text,
    "320 px wide, text at 200 %": _narrow_and_large,
    "spaced text": _spaced_text,
    "forced colours": _forced_colours,
}


@contextmanager
def _sized(page: Page, width: int, height: int) -> Iterator[None]:
    before = page.viewport_size
    assert before is not None
    page.set_viewport_size(ViewportSize(width=width, height=height))
    yield
    page.set_viewport_size(before)


def _keep_pictures(screen: Screen, language: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = screen.page
    for width, height in SIZES if PICTURES == "all" else SIZES[:1]:
        with _sized(page, width, height):
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                name = f"{screen.name}-{language}-{width}x{height}-{theme}"
                page.screenshot(path=SHOTS / f"{name}.png")
            page.emulate_media(color_scheme="dark")
            if PICTURES == "all":
                with _large_text(page):
                    page.screenshot(
                        path=SHOTS / f"{screen.name}-{language}-{width}x{height}-200.png"
                    )
