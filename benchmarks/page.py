"""What a listener on a slow line waits for: until Start can be tapped, and until there is sound."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

KBITS_A_SECOND, RTT_MS = 400, 400
FLAGS = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=user-gesture-required")
ROUNDS = 5
WAIT_S_MAX = 60
WATCH = """
(() => {
  const seen = { start: null, tap: null, sound: null };
  Object.defineProperty(window, "__seen", { value: seen });
  const START = ".home button.solid";
  new MutationObserver((_, watcher) => {
    if (!document.querySelector(START)) return;
    seen.start = performance.now();
    watcher.disconnect();
  }).observe(document, { childList: true, subtree: true });
  addEventListener("click", () => { seen.tap ??= performance.now(); }, { capture: true });

  const AUDIBLE = 0.001; // of full scale: -60 dBFS
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode && target.context instanceof AudioContext) {
      const meter = new AnalyserNode(target.context, { fftSize: 2048 });
      connect.call(this, meter);
      const samples = new Float32Array(2048);
      const timer = setInterval(() => {
        meter.getFloatTimeDomainData(samples);
        if (!samples.some((sample) => Math.abs(sample) > AUDIBLE)) return;
        seen.sound ??= performance.now();
        clearInterval(timer);
      }, 10);
    }
    return connect.call(this, target, ...rest);
  };

  // Everything that had wholly arrived by then, as it came over the line.
  seen.bytes = (at) => [
    ...performance.getEntriesByType("navigation"),
    ...performance.getEntriesByType("resource"),
  ].filter(({ responseEnd }) => responseEnd > 0 && responseEnd <= at)
    .map(({ name, transferSize }) => ({ name: new URL(name).pathname, bytes: transferSize }));
})();
"""


@dataclass(frozen=True)
class FirstVisit:
    """before_start, before_sound: bytes over the line, by path; times in seconds."""

    start_s: float
    tap_to_sound_s: float
    before_start: dict[str, int]
    before_sound: dict[str, int]


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Debian's Chromium. Raises AssertionError where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is not installed (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


def visit(browser: Browser, url: str) -> FirstVisit:
    """Open the page for the first time on a slow line, and tap Start as soon as it is there."""
    context = browser.new_context(locale="fr-FR", service_workers="block")
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        _slow_down(page)
        page.goto(url, wait_until="commit")
        page.locator(".home button.solid").click(timeout=WAIT_S_MAX * 1000)
        _wait_for(page, "__seen.sound")
        seen = page.evaluate(
            "({ ...__seen, before: __seen.bytes(__seen.start), by: __seen.bytes(__seen.sound) })"
        )
        return FirstVisit(
            start_s=seen["start"] / 1000,
            tap_to_sound_s=(seen["sound"] - seen["tap"]) / 1000,
            before_start={one["name"]: one["bytes"] for one in seen["before"]},
            before_sound={one["name"]: one["bytes"] for one in seen["by"]},
        )
    finally:
        context.close()


def measure_page(url: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """The median visit of some: times, bytes, and what they were."""
    with running_browser() as browser:
        visits = [visit(browser, url) for _ in range(rounds)]
    chosen = sorted(visits, key=lambda one: one.start_s)[rounds // 2]
    return asdict(chosen) | {
        "start_s": median(one.start_s for one in visits),
        "tap_to_sound_s": median(one.tap_to_sound_s for one in visits),
        "bytes_before_start": sum(chosen.before_start.values()),
        "bytes_before_sound": sum(chosen.before_sound.values()),
    }


def _slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    bytes_a_second = KBITS_A_SECOND * 1000 / 8
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": RTT_MS,
            "downloadThroughput": bytes_a_second,
            "uploadThroughput": bytes_a_second,
        },
    )


def _wait_for(page: Page, condition: str) -> None:
    # Playwright's own wait_for_function is refused by the page's policy.
    page.evaluate(
        """async (milliseconds) => {
          const latest = performance.now() + milliseconds;
          while (!(CONDITION)) {
            if (performance.now() > latest) throw new Error("CONDITION");
            await new Promise((next) => setTimeout(next, 10));
          }
        }""".replace("CONDITION", condition),
        WAIT_S_MAX * 1000,
    )
