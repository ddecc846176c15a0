"""Everything with the keyboard alone."""

from playwright.sync_api import Page

from tests.browser.listener import Listener, Open

REACH_MAX = 12
FIRST_S_LONG = 900
"""Until the first preview, in the simulator's seconds: time to use the keyboard before."""


def focused(page: Page) -> str:
    """The words of what has the focus."""
    told = "(document.activeElement.ariaLabel ?? document.activeElement.innerText).trim()"
    return str(page.evaluate(told))


def part_in_focus(page: Page) -> str:
    """ "main", or the first class of what has the focus; "body" when nothing has."""
    told = "document.activeElement.className.split(' ')[0] || document.activeElement.localName"
    return str(page.evaluate(told))


def tab_to(page: Page, words: str) -> None:
    """Press Tab until these words have the focus."""
    passed: list[str] = []
    while focused(page) != words:
        assert len(passed) < REACH_MAX, f"{words!r} is out of reach; passed {passed}"
        page.keyboard.press("Tab")
        passed.append(focused(page))


def test_a_journey_with_the_keyboard_alone(open_listener: Open) -> None:
    listener = open_listener(bed=False, width=1440, height=900)
    page, keys = listener.page, listener.page.keyboard
    keys.press("Tab")
    tab_to(page, "Commencer")
    keys.press("Enter")
    listener.wait_for_button("stop")
    keys.press("Tab")
    assert focused(page) == "Stop", "first in the tab order while music is made"
    listener.wait_for_music()
    assert focused(page) == "Stop", "the music begins, the focus stays"

    tab_to(page, "Pause")
    keys.press("Space")
    listener.wait_for_button("resume")
    keys.press("Space")
    listener.wait_for_button("pause")

    for letter in "spkmnqjl ":
        page.evaluate("document.activeElement.blur()")
        keys.press(letter)
    assert listener.button("pause").is_visible(), "no single key does anything"

    tab_to(page, "Plus")
    keys.press("Enter")
    page.get_by_role("dialog").wait_for()
    keys.press("Tab")
    assert focused(page) == "Stop", "first in a dialog, too"
    bar = page.get_by_role("slider").first
    keys.press("Tab")
    keys.press("Tab")
    assert bar.evaluate("bar => bar === document.activeElement")
    assert " sur " in str(bar.get_attribute("aria-valuetext"))
    keys.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert focused(page) == "Plus", "closing gives the focus back"

    tab_to(page, "Aide")
    keys.press("Enter")
    page.get_by_role("dialog").wait_for()
    keys.press("Escape")
    assert listener.playing(), "help does not stop the music"
    page.evaluate("document.activeElement.blur()")
    keys.press("Escape")
    listener.wait_for_title("La musique est arrêtée")
    keys.press("Tab")
    tab_to(page, "Revenir au début")
    keys.press("Enter")
    listener.wait_for_button("start")
    assert listener.errors == []


def test_the_focus_is_never_lost_when_what_had_it_goes(open_listener: Open) -> None:
    listener = open_listener(bed=False, width=1440, height=900)
    page, keys = listener.page, listener.page.keyboard
    listener.deployment.tune(first_s=FIRST_S_LONG)
    listener.tap_start()
    listener.wait_for_button("rate")
    listener.button("rate").focus()
    keys.press("Enter")
    page.get_by_role("radio").first.wait_for()
    assert part_in_focus(page) == "offers", "the offer is gone, its place is not"
    keys.press("Tab")
    assert page.evaluate("document.activeElement.matches('.step input')")
    tab_to(page, "Passer")
    keys.press("Enter")
    listener.wait_for_button("rate")
    assert part_in_focus(page) == "offers"
    keys.press("Tab")
    assert focused(page) == "Respirer avec la lumière", "the first of what came in its place"

    listener.wait_for_music(60)
    listener.button("rate").wait_for(state="detached")
    assert part_in_focus(page) == "main", "the offers are gone"
    keys.press("Tab")
    assert focused(page) == "Stop"


def test_a_click_elsewhere_is_not_needed(listener: Listener) -> None:
    """Stop has the first Tab after a tap, too."""
    listener.tap_start()
    listener.wait_for_button("stop")
    listener.page.keyboard.press("Tab")

    assert focused(listener.page) == "Stop"
