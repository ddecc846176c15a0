"""How long the pieces of a journey last: asked by the brief, decided here. All in seconds."""

import math
from collections.abc import Sequence

SEGMENTS_MIN, SEGMENTS_MAX = 3, 4
SEGMENT_S_MIN, SEGMENT_S_MAX = 240, 360
JOURNEY_S_MIN, JOURNEY_S_MAX = 1080, 1440
SEGMENT_S_USUAL = 300  # where nothing sensible was asked

assert SEGMENT_S_MIN <= SEGMENT_S_USUAL <= SEGMENT_S_MAX, "the usual piece is an allowed piece"
assert SEGMENTS_MIN * SEGMENT_S_MAX >= JOURNEY_S_MIN, "the fewest pieces can fill a journey"
assert SEGMENTS_MAX * SEGMENT_S_MAX >= JOURNEY_S_MAX, "the most pieces can fill the longest journey"
assert SEGMENTS_MAX * SEGMENT_S_MIN <= JOURNEY_S_MIN, "the most pieces fit the shortest journey"


def fit_durations(asked: Sequence[float], total_min_s: int, total_max_s: int) -> tuple[int, ...]:
    """Whole seconds for 3 or 4 segments, as near to what was asked as a journey allows.

    Every segment lasts 240-360 s and all together 1080-1440 s; the total also lies between
    `total_min_s` and `total_max_s` where that many segments can reach it (three can only fill
    1080 s). Wild numbers are bent, never refused. ValueError for another number of segments.
    """
    if not SEGMENTS_MIN <= len(asked) <= SEGMENTS_MAX:
        raise ValueError(f"a journey has {SEGMENTS_MIN} or {SEGMENTS_MAX} segments")
    low, high = reachable_totals(len(asked), total_min_s, total_max_s)
    wanted = [_allowed(seconds) for seconds in asked]
    fitted = [round(seconds) for seconds in wanted]
    while sum(fitted) < low:
        room = [i for i, seconds in enumerate(fitted) if seconds < SEGMENT_S_MAX]
        fitted[min(room, key=lambda i: fitted[i] - wanted[i])] += 1
    while sum(fitted) > high:
        room = [i for i, seconds in enumerate(fitted) if seconds > SEGMENT_S_MIN]
        fitted[max(room, key=lambda i: fitted[i] - wanted[i])] -= 1
    return tuple(fitted)


def reachable_totals(segments: int, total_min_s: int, total_max_s: int) -> tuple[int, int]:
    """The shortest and longest total that this many segments may have, nearest to what is asked."""
    shortest = max(JOURNEY_S_MIN, segments * SEGMENT_S_MIN)
    longest = min(JOURNEY_S_MAX, segments * SEGMENT_S_MAX)
    low = min(max(total_min_s, shortest), longest)
    high = min(max(total_max_s, low), longest)
    return low, high


def _allowed(seconds: float) -> float:
    if math.isnan(seconds):
        return SEGMENT_S_USUAL
    return min(max(seconds, SEGMENT_S_MIN), SEGMENT_S_MAX)
