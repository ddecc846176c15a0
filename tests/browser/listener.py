"""One listener: a browser profile, a page, two hands, and an ear at the loudspeaker."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize

from tests.browser.deployment import FIRST_S, Deployment
from tests.browser.recording import Mark, Recording, marks_of
from tests.browser.words import WORDS
from tests.fixtures.waiting import wait_until

HERE = Path(__file__).parent
EAR = (HERE / "ear.js").read_text()
SHOTS = HERE.parents[1] / "build" / "screenshots"

READY_S, FLUSH_S = 0.7, 0.4
HELD_UP_MS = 25
PLAYING_S_MAX = 90


@dataclass(frozen=True)
class PageOptions:
    """Who listens, and with what. bed: whether the music for waiting is to be had at all."""

    language: str = "fr"
    theme: str = "dark"
    width: int = 360
    height: int = 740
    bed: bool = True
    path: str = ""
    offline_page: bool = False
    """Let the service worker keep the page; what it answers cannot be intercepted."""
    still: bool = False


@dataclass(frozen=True)
class Playing:
    """One `<audio>`. at: seconds; volume: 0 to 1, its own; graph: heard through Web Audio."""

    address: str
    at: float
    volume: float
    graph: bool


Open = Callable[..., "Listener"]


@dataclass
class Listener:
    page: Page
    context: BrowserContext
    deployment: Deployment
    options: PageOptions
    errors: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    # The first tap. Nothing may be asked of the page before it: that counts as a gesture.

    def tap_start(self) -> None:
        """Tap the first card's Start, by its place on the screen."""
        x, y = _place_of_start(self)
        self.page.mouse.click(x, y)
        before = self.page.evaluate("__ear.activeBeforeTap")
        # In Firefox whatever Playwright does counts as a gesture.
        assert before is False or not self.is_chromium, "no gesture before the tap"

    @property
    def is_chromium(self) -> bool:
        browser = self.context.browser
        return browser is not None and browser.browser_type.name == "chromium"

    def start_with_a_final_soon(self) -> None:
        """Tap, until the first piece sounds whose final is composed next.

        The piece after it comes late: once that is there, so short a piece is not swapped any more.
        """
        self.deployment.tune(first_s=FIRST_S, complete_s=90)
        self.tap_start()
        self.wait_for_music()
        self.deployment.tune(first_s=150)

    # What a person does

    def button(self, name: str) -> Locator:
        words = WORDS[self.options.language][name]
        return self.page.get_by_role("button", name=words, exact=True)

    def press(self, name: str) -> None:
        self.button(name).first.click()

    def follow(self, name: str) -> None:
        """A link, by its words."""
        self.page.get_by_role("link", name=WORDS[self.options.language][name]).first.click()

    def say(self, field: str, words: str) -> None:
        """Type into a field, and press Enter."""
        box = self.page.get_by_label(WORDS[self.options.language][field], exact=True)
        box.fill(words)
        box.press("Enter")

    def wait_for_button(self, name: str, seconds: float = 30) -> None:
        self.button(name).first.wait_for(timeout=seconds * 1000)

    def wait_for_music(self, seconds: float = 30) -> None:
        """Until the first piece sounds."""
        self.wait_for_button("pause", seconds)

    def wait_for_words(self, words: str, seconds: float = 30) -> None:
        """Until they can be read somewhere on the page."""
        self.page.get_by_text(words).first.wait_for(timeout=seconds * 1000)

    def wait_for_title(self, words: str, seconds: float = 30) -> None:
        """Until the line of words says this."""
        title = self.page.get_by_role("heading", level=1).filter(has_text=words)
        title.wait_for(timeout=seconds * 1000)

    def wait_for_playing(self, condition: str) -> None:
        """Until this holds, in JavaScript, of the `playing` elements (see Playing)."""
        # Playwright's own wait_for_function is refused by the page's policy.
        self.page.evaluate(
            """async (milliseconds) => {
              const latest = performance.now() + milliseconds;
              const holds = (playing) => CONDITION;
              while (!holds(__ear.playing())) {
                if (performance.now() > latest) throw new Error(JSON.stringify(__ear.playing()));
                await new Promise((next) => setTimeout(next, 10));
              }
            }""".replace("CONDITION", condition),
            PLAYING_S_MAX * 1000,
        )

    def press_key(self, action: str) -> None:
        """A key of headphones or of the lock screen."""
        self.page.evaluate(f"__ear.keys[{action!r}]()")

    def wait_for(self, condition: str, seconds: float = 30) -> None:
        """Until this holds, in JavaScript."""
        wait_until(lambda: self.evaluate(f"Boolean({condition})"), seconds, self.text)

    def wait_for_screen(self, name: str, seconds: float = 30) -> None:
        """Until this one is shown: home, listen, playing, waiting, end."""
        self.page.locator(f".screen.{name}").wait_for(timeout=seconds * 1000)

    def tap(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def reload(self) -> None:
        self.page.reload()

    def listen_for(self, seconds: float) -> None:
        self.page.wait_for_timeout(seconds * 1000)

    # What is heard and seen

    def evaluate(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def marks(self) -> list[Mark]:
        """What has happened to the page."""
        return marks_of(self.evaluate("__ear.marks"))

    def recording(self) -> Recording:
        """Everything that has sounded so far."""
        self.listen_for(FLUSH_S)
        return Recording.from_page(self.page.evaluate("__ear.recording()"))

    def watch_the_machine(self) -> None:
        """From now on."""
        self.page.evaluate("__ear.late = 0")

    @property
    def was_held_up(self) -> bool:
        """Whether the machine had other work when the page wanted to act."""
        return float(self.page.evaluate("__ear.late")) > HELD_UP_MS

    def playing(self) -> list["Playing"]:
        """The elements that play now; those past the graph are not in a recording."""
        return [Playing(**told) for told in self.page.evaluate("__ear.playing()")]

    def text(self) -> str:
        return self.page.locator("body").inner_text()

    def keep_picture(self, name: str) -> None:
        """A screenshot among the artefacts."""
        options = self.options
        SHOTS.mkdir(parents=True, exist_ok=True)
        file = f"{name}-{options.width}x{options.height}-{options.theme}-{options.language}.png"
        self.page.screenshot(path=SHOTS / file)

    def another_tab(self) -> "Listener":
        """The same browser, once more; closed with this one."""
        return _visit(replace(self, page=self.context.new_page(), errors=[], fetched=[]))

    def close(self) -> None:
        self.context.close()


def open_page(browser: Browser, deployment: Deployment, options: PageOptions) -> Listener:
    """A new listener at the door; the page has loaded, and has not been touched."""
    return _visit(_open(browser, deployment, options))


def _visit(listener: Listener) -> Listener:
    page, options = listener.page, listener.options
    page.on("console", lambda said: _note(listener, said.type, said.text))
    page.on("request", lambda request: listener.fetched.append(request.url))
    page.on("pageerror", lambda error: listener.errors.append(str(error)))
    if not options.bed:
        page.route("**/bed-*.mp3", lambda route: route.fulfill(status=404))
    page.goto(listener.deployment.url + options.path, wait_until="load")
    time.sleep(READY_S)  # asking the page whether it is ready would be a gesture
    return listener


def _open(browser: Browser, deployment: Deployment, options: PageOptions) -> Listener:
    context = browser.new_context(
        locale={"fr": "fr-FR", "en": "en-GB"}[options.language],
        color_scheme=options.theme,  # type: ignore[arg-type]
        reduced_motion="reduce" if options.still else "no-preference",
        viewport=ViewportSize(width=options.width, height=options.height),
        service_workers="allow" if options.offline_page else "block",
    )
    context.add_init_script(EAR)
    return Listener(context.new_page(), context, deployment, options)


def _note(listener: Listener, kind: str, text: str) -> None:
    # What the browser says of a refused request is the test's own doing.
    if kind == "error" and "Failed to load resource" not in text:
        listener.errors.append(text)


_places: dict[Any, tuple[float, float]] = {}


def _place_of_start(listener: Listener) -> tuple[float, float]:
    """Where Start is, as another page of the same kind has shown."""
    options = replace(listener.options, path="", bed=False)
    if options not in _places:
        browser = listener.context.browser
        assert browser is not None
        scout = open_page(browser, listener.deployment, options)
        box = scout.button("start").first.bounding_box()
        assert box, "Start is in sight"
        _places[options] = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        scout.close()
    return _places[options]
