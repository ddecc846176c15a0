"""Latencies and counts of journeys for Prometheus, added up from the journal of events.

Each process that is asked reads the events since it was asked first: all of them show the whole
deployment, so a dashboard takes one of them (`max`), not their sum.
"""

import asyncio

from prometheus_client import CollectorRegistry, Counter, Histogram

from parcours_xl.clients.operations_queries import Measurement, OperationsQueries
from parcours_xl.settings import Targets

SECONDS = (2, 5, 10, 20, 30, 40, 60, 90, 120, 180, 240, 300, 600, 900, 1200, 1440, 1800, 3600)
"""Upper ends of the buckets; each target becomes one as well, so that it can be asked about."""

LATENCIES = {
    "ttfp": "Time to first preview",
    "ttfc": "Time to first complete track",
    "run_ready": "Time until all tracks of a run are stored",
}


class JourneyMeasurements:
    """What happened to journeys since this process was asked first."""

    def __init__(self, queries: OperationsQueries, targets: Targets):
        self.registry = CollectorRegistry()
        self._queries = queries
        self._after: int | None = None
        self._lock = asyncio.Lock()
        whole = sorted(
            {
                *map(float, SECONDS),
                *(targets.ttfp_target_s, targets.ttfc_target_s, targets.ready_target_s),
                *(targets.gate_ttfp_s, targets.ttfc_alert_s),
            }
        )
        self._seconds = {
            name: Histogram(
                f"parcours_{name}_seconds",
                f"{about}, for the listener (from the request to create) and Suno's share of it",
                ("whose",),
                buckets=whole,
                registry=self.registry,
            )
            for name, about in LATENCIES.items()
        }
        self._runs_created = self._counter("runs_created", "Runs created", "brief_source")
        self._runs_ready = self._counter("runs_ready", "Runs of which every track is stored")
        self._runs_failed = self._counter(
            "runs_failed", "Runs that failed, and whether anything was heard of them", "heard"
        )
        self._submissions = self._counter("submissions", "Requests for music", "attempt")
        self._messages = self._counter("messages", "Previews and tracks, by who told of them", "by")
        self._complete = self._counter("tracks", "Tracks that came, by where they play", "where")
        self._failed = self._counter("attempts_failed", "Attempts that failed", "cause")
        self._refusals = self._counter("refusals", "Requests that Suno put off", "code")

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"parcours_{name}", about, labels, registry=self.registry)

    async def follow(self) -> None:
        """Add up what has happened since. Raises RetryableError; what was read before counts."""
        async with self._lock:
            while True:
                page = await self._queries.read_measurements(self._after)
                began = self._after is None
                self._after = page.after
                for row in page.rows:
                    self._add(row)
                if not began and not page.rows:
                    return

    def _add(self, row: Measurement) -> None:
        match row.what:
            # Whose brief is still being written is counted when it is known who wrote it.
            case "run.created" | "run.briefed" if row.label != "being_written":
                self._runs_created.labels(row.label).inc()
            case "run.ready":
                self._runs_ready.inc()
                self._observe("run_ready", row.listener_s, row.suno_s)
            case "run.failed":
                self._runs_failed.labels("no" if row.first else "yes").inc()
            case "segment.claimed":
                self._submissions.labels(row.label).inc()
            case "segment.first":
                self._messages.labels(row.label).inc()
                self._heard(row)
            case "segment.delivered":
                self._messages.labels(row.label).inc()
                self._heard(row)
                self._observe("ttfc", None, row.suno_s)
            case "segment.complete":
                self._complete.labels(row.label).inc()
                self._observe("ttfc", row.listener_s if row.first else None, None)
            case "segment.failed" if row.label != "cancelled":
                self._failed.labels(row.label).inc()
            case "segment.refused":
                self._refusals.labels(row.label).inc()

    def _heard(self, row: Measurement) -> None:
        # A track that is delivered without a preview before it is the first sound as well.
        self._observe(
            "ttfp",
            row.listener_s if row.first else None,
            row.suno_s if row.attempt_first else None,
        )

    def _observe(self, name: str, listener_s: float | None, suno_s: float | None) -> None:
        for whose, seconds in (("listener", listener_s), ("suno", suno_s)):
            if seconds is not None:
                self._seconds[name].labels(whose).observe(seconds)
