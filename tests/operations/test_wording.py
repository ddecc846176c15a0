"""Figures in the words that operators read."""

from datetime import timedelta

import pytest

from parcours_xl.operations.wording import period, seconds, share


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.34, "0.3 s"),
        (5, "5 s"),
        (41.2, "41 s"),
        (59.7, "1 min"),
        (125, "2 min 05"),
        (1440, "24 min"),
        (4200, "1 h 10"),
    ],
)
def test_times(value: float | None, words: str) -> None:
    assert seconds(value).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "0 %"),
        (0.0001, "0.1 %"),
        (0.004, "0.4 %"),
        (0.5, "50 %"),
        (0.99, "99 %"),
        (0.9999, "99.9 %"),
        (1, "100 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(value: float | None, words: str) -> None:
    assert share(value).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(hours=48), "2 days"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=15), "15 minutes"),
        (timedelta(seconds=20), "20 seconds"),
    ],
)
def test_periods(length: timedelta, words: str) -> None:
    assert period(length) == words
