"""What the page says, and to whom: numbers by country, the brief by language."""

import pytest
from playwright.sync_api import Browser, Locator

from tests.browser.deployment import Deployment
from tests.browser.listener import Open
from tests.browser.words import WRITTEN

LOCAL = "le numéro d'urgence de votre pays"


def numbers(part: Locator) -> list[str]:
    """What one tap would call, in the order in which it stands there."""
    part.wait_for()
    told = "links => links.map(link => link.getAttribute('href').replace('tel:', ''))"
    return list(part.locator("a[href^='tel:']").evaluate_all(told))


@pytest.mark.parametrize(
    ("locale", "zone", "called", "sentence"),
    [
        ("fr-CA", "UTC", ["911", "112"], f"Appelez le 911, le 112 ou {LOCAL}."),
        ("fr-CH", "Europe/Paris", ["144", "112"], f"Appelez le 144, le 112 ou {LOCAL}."),
        ("fr-FR", "America/Toronto", ["15", "112"], "Appelez le 15 ou le 112."),
        ("fr", "America/Toronto", ["911", "112"], f"Appelez le 911, le 112 ou {LOCAL}."),
        ("fr", "UTC", ["112"], f"Appelez le 112 ou {LOCAL}."),
        ("en-GB", "UTC", ["999", "112"], "Call 999, 112 or your local emergency number."),
    ],
)
def test_emergency_numbers_follow_the_country(
    browser: Browser,
    deployment: Deployment,
    locale: str,
    zone: str,
    called: list[str],
    sentence: str,
) -> None:
    with browser.new_context(locale=locale, timezone_id=zone) as context:
        page = context.new_page()
        page.goto(deployment.url)
        red_flags = page.locator(".home .red-flags")
        assert numbers(red_flags) == called
        assert sentence in red_flags.inner_text()
        page.locator(".help-button").click()
        assert numbers(page.locator("dialog .help-kind").first) == called

        # The listener's own choice comes first, and is kept.
        page.locator("dialog select").select_option("BE")
        page.reload()
        assert numbers(red_flags) == ["112"]


def test_the_brief_is_in_the_language_of_the_page_and_follows_it(open_listener: Open) -> None:
    listener = open_listener(bed=False, language="en")
    listener.deployment.tune(first_s=1e9)
    listener.tap_start()
    brief = listener.page.locator(WRITTEN)
    brief.wait_for()
    written = listener.deployment.last_run()["metadata"]["brief"]
    assert (brief.get_attribute("lang"), brief.inner_text()) == ("en", written["en"])
    listener.press("help")
    listener.press("language")
    assert (brief.get_attribute("lang"), brief.inner_text()) == ("fr", written["fr"])
    assert written["fr"] != written["en"]
