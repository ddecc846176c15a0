"""The figures of a time: percentiles, shares, and sums."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours_xl.clients.database import SupabaseUnavailable
from parcours_xl.clients.operations_queries import OperationsQueries
from parcours_xl.operations.report.report import Figures, Timing, cut, read_figures

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TIMES = st.lists(st.integers(0, 600).map(float), max_size=40)


def timing(*seconds: float, late: int = 0) -> Timing:
    return Timing(seconds=Counter(seconds), late=late)


def test_a_percentile_is_a_time_that_was_measured() -> None:
    measured = timing(*range(1, 101))
    assert measured.percentile(0.50) == 50
    assert measured.percentile(0.95) == 95
    assert timing(7).percentile(0.5) == timing(7).percentile(0.95) == 7


def test_what_never_came_is_beyond_every_percentile() -> None:
    measured = timing(*[30.0] * 9, late=1)
    assert measured.percentile(0.5) == 30
    assert measured.percentile(0.95) is None
    assert measured.within(40) == 0.9


def test_without_a_measurement_there_is_no_figure() -> None:
    assert timing().percentile(0.5) is None
    assert timing().within(40) is None
    assert Figures().errors_share is None
    assert Figures().ttfc_slow_share is None
    assert Figures().timeouts_share is None
    assert Figures().asked_share is None


def test_the_target_itself_is_within_the_target() -> None:
    assert timing(40.0, 40.1).within(40) == 0.5


def test_errors_are_a_share_of_what_ended() -> None:
    assert Figures(errors=Counter(suno_error=1), complete=9).errors_share == 0.1


@given(TIMES, TIMES, st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_sums_of_slices_are_the_figures_of_the_whole(
    one: list[float], other: list[float], share: float
) -> None:
    whole = timing(*one, *other)
    assert (timing(*one) + timing(*other)) == whole
    if whole.measured:
        known = sorted([*one, *other])
        rank = next(i for i in range(1, len(known) + 1) if i / len(known) >= share)
        assert whole.percentile(share) == known[rank - 1]


def test_a_time_is_cut_into_pieces_without_gaps() -> None:
    pieces = cut(NOON - timedelta(days=7), NOON, 28)
    assert len(pieces) == 28
    assert (pieces[0][0], pieces[-1][1]) == (NOON - timedelta(days=7), NOON)
    assert all(one[1] == other[0] for one, other in pairwise(pieces))


EMPTY: dict[str, Any] = {
    "suno": {"submissions": 1, "retries": 0, "ttfc_slow": 0, "ttfc_measured": 0}
    | {"ttfp": {"late": 0, "seconds": {"1.5": 2}}, "ttfc": {"late": 0, "seconds": {}}},
    "listener": {
        key: {"late": 0, "seconds": {}} for key in ("ttfp", "ttfc", "ready", "suno_ready")
    },
    "timeouts": {"measured": 0, "timed_out": 0},
    "rolled_up": [],
    "costs": {"runs": 0, "kept": 0, "under_way": 0, "wasted": {}},
    "outcomes": {"complete": 1, "linked": 0, "errors": {}, "refusals": {"430": 1}, "put_off": {}}
    | {"messengers": {"callback": 2}},
    "statuses": {"runs": {"ready": 1}, "segments": {}},
    "briefs": {"briefs_written": 1, "briefs_curated": {}, "tokens_used": 0, "tokens_wasted": {}},
}


class Overloaded:
    """A database that manages so many minutes a call."""

    def __init__(self, minutes: float):
        self.minutes, self.calls = minutes, 0

    async def report_slice(self, start: datetime, end: datetime, _: Any) -> dict[str, Any]:
        self.calls += 1
        if (end - start) > timedelta(minutes=self.minutes):
            raise SupabaseUnavailable
        return EMPTY


async def test_a_time_too_long_for_one_call_is_halved_until_it_fits() -> None:
    slow = Overloaded(minutes=90)
    figures = await read_figures(cast(OperationsQueries, slow), NOON - timedelta(hours=6), NOON, {})
    assert figures.submissions == 4, "four pieces of 90 minutes, none lost"
    assert figures.suno_ttfp.seconds == {1.5: 8}
    assert figures.refusals == {"430": 4}
    assert figures.messengers == {"callback": 8}


async def test_a_database_that_is_unavailable_is_not_asked_for_ever() -> None:
    unavailable = Overloaded(minutes=0)
    with pytest.raises(SupabaseUnavailable):
        await read_figures(cast(OperationsQueries, unavailable), NOON - timedelta(days=7), NOON, {})
    assert unavailable.calls < 15
