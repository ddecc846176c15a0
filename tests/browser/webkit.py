"""One listener in WebKitGTK: the engine of Safari, driven by WebDriver.

What Playwright calls WebKit is a build of its own; this is the one that Debian ships.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from tests.browser.deployment import Deployment
from tests.browser.desktop import Desktop
from tests.browser.listener import FLUSH_S, PLAYING_S_MAX, READY_S, SHOTS, PageOptions, Playing
from tests.browser.recording import Mark, Recording, marks_of
from tests.browser.words import WORDS
from tests.fixtures.waiting import wait_until

DRIVER = "WebKitWebDriver"
BROWSERS = "*/webkit2gtk-4.*/MiniBrowser"
AS_ROOT_IN_SOFTWARE = {
    "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
    "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
    "LIBGL_ALWAYS_SOFTWARE": "1",
}
LANGUAGE = "en"
"""Whatever the locale: Debian's minimal installations have none but C."""

FIND_BUTTON = """
  const [name] = arguments;
  const plain = (text) => (text ?? "").replace(/\\s+/g, " ").trim();
  return [...document.querySelectorAll("button")].find((button) =>
    plain(button.getAttribute("aria-label") ?? button.innerText) === name
    && button.getClientRects().length > 0) ?? null;
"""


def find_browser() -> Path | None:
    """MiniBrowser, if this machine has it and its driver."""
    found = Path("/usr/lib").glob(BROWSERS)
    return next(found, None) if shutil.which(DRIVER) else None


@contextmanager
def running_webkit(desktop: Desktop, browser: Path, sink: str) -> Iterator[webdriver.WebKitGTK]:
    """A fresh browser, without any memory of those before."""
    options = Options()
    options.binary_location = str(browser)
    options.add_argument("--automation")
    environment = desktop.environment(sink) | AS_ROOT_IN_SOFTWARE
    driver = webdriver.WebKitGTK(options, Service(shutil.which(DRIVER), env=environment))
    try:
        yield driver
    finally:
        driver.quit()


@dataclass
class WebKitListener:
    """The verbs of Listener (listener.py), by WebDriver."""

    driver: webdriver.WebKitGTK
    deployment: Deployment
    options: PageOptions
    window: str

    # What a person does

    def tap_start(self) -> None:
        self.press("start")

    def button(self, name: str) -> WebElement | None:
        found: WebElement | None = self._run(FIND_BUTTON, WORDS[LANGUAGE][name])
        return found

    def press(self, name: str) -> None:
        self.wait_for_button(name)
        button = self.button(name)
        assert button is not None, f"the button {name} is there"
        button.click()

    def tap(self, selector: str) -> None:
        self.wait_for(f"document.querySelector({selector!r})")
        self._run("return document.querySelector(arguments[0])", selector).click()

    def reload(self) -> None:
        self._run("location.reload()")
        time.sleep(READY_S)

    def another_tab(self) -> "WebKitListener":
        self._look_at_mine()
        self.driver.switch_to.new_window("tab")
        other = replace(self, window=self.driver.current_window_handle)
        other.visit()
        return other

    def visit(self) -> None:
        self._look_at_mine()
        self.driver.set_window_size(self.options.width, self.options.height)
        self.driver.get(self.deployment.url + self.options.path)
        time.sleep(READY_S)

    def close(self) -> None:
        self._look_at_mine()
        self.driver.get("about:blank")

    # What is waited for

    def wait_for(self, condition: str, seconds: float = 30) -> None:
        """Until this holds, in JavaScript."""
        wait_until(
            lambda: self.evaluate(f"Boolean({condition})"),
            seconds,
            lambda: f"{condition}\n{self.playing()}\n{self.text()}",
        )

    def wait_for_button(self, name: str, seconds: float = 30) -> None:
        wait_until(lambda: self.button(name), seconds, lambda: f"no {name}: {self.text()}")

    def wait_for_music(self, seconds: float = 30) -> None:
        self.wait_for_button("pause", seconds)

    def wait_for_screen(self, name: str, seconds: float = 30) -> None:
        self.wait_for(f"document.querySelector('.screen.{name}')", seconds)

    def wait_for_playing(self, condition: str) -> None:
        self.wait_for(f"((playing) => {condition})(__ear.playing())", PLAYING_S_MAX)

    def listen_for(self, seconds: float) -> None:
        time.sleep(seconds)

    # What is heard and seen

    def evaluate(self, expression: str) -> Any:
        return self._run(f"return ({expression})")

    def playing(self) -> list[Playing]:
        return [Playing(**told) for told in self.evaluate("__ear.playing()")]

    def marks(self) -> list[Mark]:
        return marks_of(self.evaluate("__ear.marks"))

    @property
    def errors(self) -> list[str]:
        return list(self.evaluate("__ear.troubles"))

    def text(self) -> str:
        return str(self.evaluate("document.body.innerText"))

    def keep_picture(self, name: str) -> None:
        self._look_at_mine()
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SHOTS / f"{name}-webkitgtk.png"))

    def recording(self) -> Recording:
        """What the graph has sent so far."""
        self.listen_for(FLUSH_S)
        return Recording.from_page(self.evaluate("__ear.recording()"))

    def _look_at_mine(self) -> None:
        self.driver.switch_to.window(self.window)

    def _run(self, script: str, *arguments: object) -> Any:
        self._look_at_mine()
        return self.driver.execute_script(script, *arguments)
