"""The rate limit counts a sliding window, as sunoapi.org describes its own."""

from parcours_dev.simulators.rate_window import RateWindow


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_twenty_first_call_in_ten_seconds_is_refused() -> None:
    clock = Clock()
    window = RateWindow(20, 10, clock)
    assert all(window.admit("submit") for _ in range(20))
    clock.now += 9.99
    assert not window.admit("submit")
    assert (window.worst, window.refused) == (21, 1)


def test_room_comes_back_call_by_call() -> None:
    clock = Clock()
    window = RateWindow(2, 10, clock)
    window.admit("submit")
    clock.now += 6
    window.admit("credit")
    clock.now += 4
    assert window.admit("record-info")
    assert not window.admit("record-info")


def test_refused_calls_take_no_room() -> None:
    clock = Clock()
    window = RateWindow(1, 10, clock)
    window.admit("submit")
    clock.now += 9
    assert not window.admit("submit")
    clock.now += 1
    assert window.admit("submit")


def test_arrivals_are_told_with_their_times() -> None:
    window = RateWindow(1, 10)
    window.admit("submit")
    window.admit("credit")
    told = window.describe()
    assert [(call["call"], call["admitted"]) for call in told["arrivals"]] == [
        ("submit", True),
        ("credit", False),
    ]
    assert told["worst"] == 2
