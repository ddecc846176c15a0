"""Hearing once more what a busy machine has spoilt."""

from collections.abc import Callable

from tests.browser.listener import Listener, Open
from tests.browser.recording import Recording

TRIES_MAX = 3


def hear(
    open_listener: Open, act: Callable[[Listener], Recording], judge: Callable[[Recording], None]
) -> None:
    """Have what was heard judged; once more when it failed while the machine had other work.

    The limits are those of the player, however busy the machine is: the last try decides.
    """
    for tries_left in reversed(range(TRIES_MAX)):
        listener = open_listener(bed=False)
        heard = act(listener)
        held_up = listener.was_held_up
        listener.page.close()
        try:
            judge(heard)
        except AssertionError:
            if not held_up or tries_left == 0:
                raise
        else:
            return
