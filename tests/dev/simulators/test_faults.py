"""Faults hit the next so many, for so long, whom they are meant for, and end."""

from typing import Any

import pytest

from parcours_dev.simulators.faults import FaultBook, Kind, UnknownFaultError

KINDS = {
    "busy": Kind("call", "busy", {"code": 430, "hard": False, "to": "x"}, {"call": "submit"}),
    "slow": Kind("call", "slow", {"delay_s": 1.0}),
    "lost": Kind("callback", "lost"),
}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _book(*faults: dict[str, Any], clock: Clock | None = None) -> FaultBook:
    book = FaultBook(KINDS, clock or Clock())
    for fault in faults:
        book.add(fault)
    return book


def test_a_fault_hits_once_unless_told_otherwise() -> None:
    book = _book({"fault": "lost"}, {"fault": "slow", "times": 2})
    assert list(book.take("callback")) == ["lost"]
    assert not book.take("callback")
    assert [bool(book.take("call")) for _ in range(3)] == [True, True, False]


def test_zero_times_lasts_until_it_is_cleared() -> None:
    book = _book({"fault": "lost", "times": 0})
    assert all(book.take("callback") for _ in range(50))
    book.clear()
    assert not book.take("callback")


def test_a_fault_for_some_seconds_has_no_count() -> None:
    clock = Clock()
    book = _book({"fault": "lost", "seconds": 5}, clock=clock)
    assert all(book.take("callback") for _ in range(3))
    clock.now = 5
    assert not book.take("callback")


def test_only_those_it_matches_are_hit() -> None:
    book = _book({"fault": "lost", "match": {"segment": "b"}})
    assert not book.take("callback", segment="a")
    assert not book.take("callback")
    assert book.take("callback", segment="b")


def test_a_kind_says_whom_it_hits_usually_and_a_star_is_everybody() -> None:
    assert not _book({"fault": "busy"}).take("call", call="credit")
    assert _book({"fault": "busy", "match": {"call": "*"}}).take("call", call="credit")


def test_unlike_faults_compose_and_like_ones_follow_one_another() -> None:
    book = _book({"fault": "busy"}, {"fault": "slow"}, {"fault": "busy", "code": 500})
    first = book.take("call", call="submit")
    assert set(first) == {"busy", "slow"}
    assert first["busy"].number("code") == 430
    assert book.take("call", call="submit")["busy"].number("code") == 500


@pytest.mark.parametrize(
    "wrong",
    [
        "busy",
        {"fault": "unheard of"},
        {"fault": "busy", "cod": 1},
        {"fault": "busy", "code": "430"},
        {"fault": "busy", "hard": 1},
        {"fault": "busy", "to": 1},
        {"fault": "busy", "times": -1},
        {"fault": "busy", "seconds": "5"},
        {"fault": "busy", "match": "submit"},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(UnknownFaultError):
        _book().add(wrong)


def test_what_is_in_force_can_be_seen() -> None:
    book = _book({"fault": "slow", "times": 3, "match": {"segment": "a"}})
    book.take("call", segment="a")
    assert book.describe() == [
        {
            "fault": "slow",
            "times": 2,
            "seconds": None,
            "match": {"segment": "a"},
            "struck": 1,
            "delay_s": 1.0,
        }
    ]
