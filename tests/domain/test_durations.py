"""Fitting what was asked into a journey of 18 to 24 minutes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours_xl.domain.durations import fit_durations, reachable_totals

ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(10**6), 10**6)
ASKED = st.lists(ANY_NUMBER, min_size=3, max_size=4)
SENSIBLE = st.lists(st.floats(240, 360), min_size=3, max_size=4)
MINUTES = st.tuples(st.integers(18, 24), st.integers(18, 24)).map(sorted)


@given(ASKED, MINUTES)
def test_whatever_is_asked_becomes_a_journey(asked: list[float], minutes: list[int]) -> None:
    fitted = fit_durations(asked, minutes[0] * 60, minutes[1] * 60)

    assert len(fitted) == len(asked)
    assert all(isinstance(seconds, int) and 240 <= seconds <= 360 for seconds in fitted)
    assert 1080 <= sum(fitted) <= 1440


@given(st.lists(ANY_NUMBER, min_size=4, max_size=4), MINUTES)
def test_four_pieces_last_what_the_preset_announces(asked: list[float], minutes: list[int]) -> None:
    shortest, longest = minutes[0] * 60, minutes[1] * 60

    assert shortest <= sum(fit_durations(asked, shortest, longest)) <= longest


@given(ASKED, st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_impossible_totals_still_give_a_journey(
    asked: list[float], total_min_s: int, total_max_s: int
) -> None:
    assert 1080 <= sum(fit_durations(asked, total_min_s, total_max_s)) <= 1440


@given(SENSIBLE, MINUTES)
def test_no_other_share_of_the_seconds_is_nearer_to_what_was_asked(
    asked: list[float], minutes: list[int]
) -> None:
    low, high = reachable_totals(len(asked), minutes[0] * 60, minutes[1] * 60)
    fitted = fit_durations(asked, low, high)

    def distance(seconds: list[int]) -> float:
        return sum((s - a) ** 2 for s, a in zip(seconds, asked, strict=True))

    best = distance([*fitted])
    for other in _neighbours([*fitted]):
        if all(240 <= s <= 360 for s in other) and low <= sum(other) <= high:
            assert distance(other) >= best - 1e-6


@given(st.lists(st.integers(270, 300), min_size=4, max_size=4))
def test_what_already_fits_is_left_alone(asked: list[int]) -> None:
    assert fit_durations(asked, 1080, 1440) == tuple(asked)


def test_three_pieces_are_six_minutes_each() -> None:
    assert fit_durations([300, 300, 300], 1200, 1320) == (360, 360, 360)


def test_missing_seconds_are_shared_evenly() -> None:
    assert fit_durations([250, 250, 280, 280], 1200, 1200) == (285, 285, 315, 315)


def test_a_wild_number_counts_as_the_nearest_allowed_one() -> None:
    assert fit_durations([-5, math.inf, 300, math.nan], 1080, 1440) == (240, 360, 300, 300)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_another_number_of_pieces_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="3 or 4 segments"):
        fit_durations([300] * count, 1080, 1440)


def _neighbours(seconds: list[int]) -> list[list[int]]:
    """Every split that moves one second into, out of, or between pieces."""
    moves = []
    for i in range(len(seconds)):
        for j in range(len(seconds)):
            for gain, loss in ((1, 0), (0, 1), (1, 1)):
                other = [*seconds]
                other[i] += gain
                other[j] -= loss
                moves.append(other)
    return moves


@given(st.lists(ANY_NUMBER, min_size=4, max_size=4), MINUTES, st.integers(240, 360))
def test_four_pieces_after_a_given_first_one_make_a_journey(
    asked: list[float], minutes: list[int], first_s: int
) -> None:
    fitted = fit_durations(asked, minutes[0] * 60, minutes[1] * 60, first_s=first_s)

    assert fitted[0] == first_s
    assert all(240 <= seconds <= 360 for seconds in fitted)
    assert 1080 <= sum(fitted) <= 1440
    # Three others of at most 360 s cannot always reach the preset's minutes.
    if minutes[0] * 60 <= first_s + 3 * 360 and minutes[1] * 60 >= first_s + 3 * 240:
        assert minutes[0] * 60 <= sum(fitted) <= minutes[1] * 60


def test_three_pieces_need_a_first_one_of_six_minutes() -> None:
    assert fit_durations([300, 300, 300], 1080, 1200, first_s=360) == (360, 360, 360)
    with pytest.raises(ValueError, match="make no journey"):
        fit_durations([300, 300, 300], 1080, 1200, first_s=359)
