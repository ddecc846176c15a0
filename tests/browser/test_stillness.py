"""Who wants no motion gets none, and what is not needed steps back."""

from tests.browser.listener import Listener, Open

IDLE_S = 8
OPACITIES = """() => Object.fromEntries(
  [...document.querySelectorAll("button, .screen")].map((element) => [
    element.classList.contains("screen") ? "words" : element.innerText.trim(),
    Number(getComputedStyle(element).opacity),
  ]),
)"""


def ambient_light(listener: Listener) -> bytes:
    """The light as it is drawn now."""
    return listener.page.locator("#ambient-light").screenshot()


def test_after_eight_seconds_all_but_stop_and_help_step_back_and_nothing_moves(
    open_listener: Open,
) -> None:
    listener = open_listener(bed=False, still=True)
    listener.tap_start()
    listener.wait_for_music()
    listener.page.mouse.move(10, 300)
    before = ambient_light(listener)
    listener.listen_for(IDLE_S / 2)
    assert set(listener.page.evaluate(OPACITIES).values()) == {1}
    assert ambient_light(listener) == before, "a still gradient"
    assert listener.page.evaluate("document.getAnimations().length") == 0

    listener.listen_for(IDLE_S / 2 + 0.5)
    seen = listener.page.evaluate(OPACITIES)
    assert (seen["Stop"], seen["Aide"]) == (1, 1)
    assert (seen["Pause"], seen["Plus"], seen["words"]) == (0.6, 0.6, 0.6)

    listener.page.mouse.move(20, 300)
    assert set(listener.page.evaluate(OPACITIES).values()) == {1}


def test_motion_can_be_hidden_by_one_who_did_not_say_so_to_the_system(listener: Listener) -> None:
    listener.press("help")
    listener.page.get_by_role("checkbox", name="Lumière immobile").check(force=True)
    listener.press("close help")
    listener.listen_for(1)
    before = ambient_light(listener)
    listener.listen_for(1.5)
    assert ambient_light(listener) == before

    listener.press("help")
    listener.page.get_by_role("checkbox", name="Lumière immobile").uncheck(force=True)
    listener.press("close help")
    listener.listen_for(1.5)
    assert ambient_light(listener) != before, "it breathes"
