"""An error of the page itself reaches the service's counter, under the page's real policy."""

import re

import httpx

from tests.browser.deployment import Deployment
from tests.browser.listener import Listener
from tests.fixtures.waiting import wait_until


def counted(deployment: Deployment, kind: str) -> float:
    key = {"Authorization": f"Bearer {deployment.project.service_role_key}"}
    text = httpx.get(f"{deployment.url}metrics", headers=key, trust_env=False).text
    [value] = re.findall(rf'^parcours_page_errors_total{{kind="{kind}"}} (\S+)', text, re.MULTILINE)
    return float(value)


def test_what_nobody_caught_is_counted_and_stop_still_stops(
    listener: Listener, deployment: Deployment
) -> None:
    before = {kind: counted(deployment, kind) for kind in ("uncaught", "unhandled")}
    listener.tap_start()
    listener.wait_for_music()
    listener.page.evaluate(
        "setTimeout(() => { Promise.reject(new Error('a')); throw new Error('b'); })"
    )

    once_more = {kind: times + 1 for kind, times in before.items()}
    wait_until(lambda: {kind: counted(deployment, kind) for kind in before} == once_more, 10)
    assert [error for error in listener.errors if "policy" in error.lower()] == []
    listener.press("stop")
    listener.wait_for_playing("playing.length === 0")
