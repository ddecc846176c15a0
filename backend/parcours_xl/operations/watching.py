"""What alerts and metrics look at, read together."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from parcours_xl.adapters.oversight import Oversight, QueueHealth, Signs
from parcours_xl.operations.figures import Figures, read_figures
from parcours_xl.targets import Targets

FRESH_S = 10


@dataclass(frozen=True)
class Watch:
    """Everything that alerts and metrics look at, read at one moment."""

    window: timedelta
    figures: Figures
    queues: list[QueueHealth]
    signs: Signs


async def keep_watch(oversight: Oversight, targets: Targets) -> Watch:
    """The figures of the alert window, the queues and the signs. Raises Postponed."""
    now = datetime.now(UTC)
    window = timedelta(seconds=targets.alert_window_s)
    return Watch(
        window,
        await read_figures(oversight, now - window, now, targets.targets),
        await oversight.read_queues(),
        await oversight.read_signs(now - window),
    )


class Watching:
    """One reading serves whoever asks within ten seconds."""

    def __init__(self, oversight: Oversight, targets: Targets):
        self._oversight = oversight
        self._targets = targets
        self._lock = asyncio.Lock()
        self._watch: Watch | None = None
        self._read_at = 0.0

    async def read(self) -> Watch:
        """Raises Postponed."""
        async with self._lock:
            if self._watch is None or time.monotonic() - self._read_at > FRESH_S:
                self._watch = await keep_watch(self._oversight, self._targets)
                self._read_at = time.monotonic()
            return self._watch
