"""How long the pieces of a journey last: asked by the brief, decided here. All in seconds."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

SEGMENTS_MIN, SEGMENTS_MAX = 3, 4
SEGMENT_S_MIN, SEGMENT_S_MAX = 240, 360
JOURNEY_S_MIN, JOURNEY_S_MAX = 1080, 1440


@dataclass(frozen=True, slots=True)
class Bounds:
    """How short and how long a segment and a whole journey may be; the product's, by default.

    ValueError for bounds that no journey of three or four segments can keep.
    """

    segment_s_min: int = SEGMENT_S_MIN
    segment_s_max: int = SEGMENT_S_MAX
    journey_s_min: int = JOURNEY_S_MIN
    journey_s_max: int = JOURNEY_S_MAX

    def __post_init__(self) -> None:
        if not 0 < self.segment_s_min <= self.segment_s_max:
            raise ValueError("the shortest segment is longer than the longest one")
        if not self.journey_s_min <= self.journey_s_max:
            raise ValueError("the shortest journey is longer than the longest one")
        if SEGMENTS_MIN * self.segment_s_max < self.journey_s_min:
            raise ValueError(f"{SEGMENTS_MIN} segments cannot fill the shortest journey")
        if SEGMENTS_MAX * self.segment_s_max < self.journey_s_max:
            raise ValueError(f"{SEGMENTS_MAX} segments cannot fill the longest journey")
        if SEGMENTS_MAX * self.segment_s_min > self.journey_s_min:
            raise ValueError(f"{SEGMENTS_MAX} segments do not fit the shortest journey")


BOUNDS = Bounds()


def fit_durations(
    asked: Sequence[float],
    total_min_s: int,
    total_max_s: int,
    bounds: Bounds = BOUNDS,
    first_s: int | None = None,
) -> tuple[int, ...]:
    """Whole seconds for 3 or 4 segments, as near to what was asked as a journey allows.

    Every segment lasts 240-360 s and all together 1080-1440 s, or what `bounds` says; the total
    also lies between `total_min_s` and `total_max_s` where that many segments can reach it (three
    can only fill 1080 s). Wild numbers are bent, never refused. first_s: the first segment lasts
    exactly so long, and the others make up for it. ValueError for another number of segments, and
    when no journey of so many begins with that first one.
    """
    if not SEGMENTS_MIN <= len(asked) <= SEGMENTS_MAX:
        raise ValueError(f"a journey has {SEGMENTS_MIN} or {SEGMENTS_MAX} segments")
    low, high = reachable_totals(len(asked), total_min_s, total_max_s, bounds)
    wanted = [_allowed(seconds, bounds) for seconds in asked]
    fitted = [round(seconds) for seconds in wanted]
    fixed = 0
    if first_s is not None:
        low, high = _totals_after(first_s, len(asked) - 1, low, high, bounds)
        wanted[0] = fitted[0] = first_s
        fixed = 1
    total = sum(fitted)
    if total < low:
        _bend(fitted, wanted, low - total, 1, bounds.segment_s_max, fixed)
    elif total > high:
        _bend(fitted, wanted, total - high, -1, bounds.segment_s_min, fixed)
    return tuple(fitted)


def _totals_after(
    first_s: int, others: int, low: int, high: int, bounds: Bounds
) -> tuple[int, int]:
    """The nearest totals that so many segments after the first can reach. ValueError for none."""
    low = min(low, first_s + others * bounds.segment_s_max)
    high = max(high, first_s + others * bounds.segment_s_min)
    if low < bounds.journey_s_min or high > bounds.journey_s_max:
        raise ValueError(f"{others} segments after one of {first_s} s make no journey")
    return low, high


def _bend(
    fitted: list[int], wanted: Sequence[float], seconds: int, step: int, end: int, fixed: int
) -> None:
    """Give or take so many seconds, each where that strays least from what was wanted.

    fixed: so many segments, from the first, stay as they are.
    """
    strays = [
        ((fitted[i] - wanted[i]) * step, i) for i in range(fixed, len(fitted)) if fitted[i] != end
    ]
    heapq.heapify(strays)
    for _ in range(seconds):
        i = strays[0][1]
        fitted[i] += step
        if fitted[i] == end:
            heapq.heappop(strays)
        else:
            heapq.heapreplace(strays, ((fitted[i] - wanted[i]) * step, i))


def reachable_totals(
    segments: int, total_min_s: int, total_max_s: int, bounds: Bounds = BOUNDS
) -> tuple[int, int]:
    """The shortest and longest total that this many segments may have, nearest to what is asked."""
    shortest = max(bounds.journey_s_min, segments * bounds.segment_s_min)
    longest = min(bounds.journey_s_max, segments * bounds.segment_s_max)
    low = min(max(total_min_s, shortest), longest)
    high = min(max(total_max_s, low), longest)
    return low, high


def _allowed(seconds: float, bounds: Bounds) -> float:
    if math.isnan(seconds):
        return (bounds.segment_s_min + bounds.segment_s_max) / 2  # nothing sensible was asked
    return min(max(seconds, bounds.segment_s_min), bounds.segment_s_max)
