"""Suno's rate limit: so many calls in any so many seconds; more are refused, not queued."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

ARRIVALS_KEPT = 5_000


class RateWindow:
    """Counts every call that arrives, and refuses those over the limit."""

    def __init__(
        self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit, self.seconds = limit, seconds
        self.worst, self.refused = 0, 0
        self._clock = clock
        self._recent: deque[float] = deque()
        self._admitted: deque[float] = deque()
        self._arrivals: deque[dict[str, Any]] = deque(maxlen=ARRIVALS_KEPT)

    def admit(self, call: str) -> bool:
        """Note an arrival; False when the last window already holds as many admitted calls."""
        now = self._clock()
        for calls in (self._recent, self._admitted):
            while calls and calls[0] <= now - self.seconds:
                calls.popleft()
        self._recent.append(now)
        self.worst = max(self.worst, len(self._recent))
        admitted = len(self._admitted) < self.limit
        if admitted:
            self._admitted.append(now)
        else:
            self.refused += 1
        self._arrivals.append({"at": round(time.time(), 4), "call": call, "admitted": admitted})
        return admitted

    def describe(self) -> dict[str, Any]:
        """As the control endpoint shows it; worst counts refused arrivals too."""
        return {
            "limit": self.limit,
            "seconds": self.seconds,
            "worst": self.worst,
            "refused": self.refused,
            "arrivals": list(self._arrivals),
        }
