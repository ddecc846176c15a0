"""Chromium itself says whether the page can be installed."""

from tests.browser.listener import Listener, Open


def test_nothing_keeps_a_browser_from_installing_the_page(open_listener: Open) -> None:
    listener: Listener = open_listener(bed=False)
    session = listener.context.new_cdp_session(listener.page)
    found = session.send("Page.getAppManifest")
    faults = session.send("Page.getInstallabilityErrors")

    assert found["errors"] == []
    assert found["url"].endswith("/manifest.webmanifest")
    # A profile that keeps nothing cannot install anything; that is no matter of the page.
    ids = {fault["errorId"] for fault in faults["installabilityErrors"]} - {"in-incognito"}
    assert ids == set()
