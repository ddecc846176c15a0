"""Everything with the keyboard alone."""

from playwright.sync_api import Page

from tests.browser.listener import Listener, Open

REACH_MAX = 12


def focused(page: Page) -> str:
    """The words of what has the focus."""
    told = "(document.activeElement.ariaLabel ?? document.activeElement.innerText).trim()"
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
    listener.wait_for_title("Arrêter est toujours une bonne décision")
    keys.press("Tab")
    tab_to(page, "Revenir au début")
    keys.press("Enter")
    listener.wait_for_button("start")
    assert listener.troubles == []


def test_a_click_elsewhere_is_not_needed(listener: Listener) -> None:
    """Stop has the first Tab after a tap, too."""
    listener.tap_start()
    listener.wait_for_button("stop")
    listener.page.keyboard.press("Tab")

    assert focused(listener.page) == "Stop"
