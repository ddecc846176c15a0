"""/healthz, /readyz and /metrics: is this process alive, can it work, and what are the figures?

The service answers them, and every worker that was given a port.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import anyio
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_xl.api.authentication import read_bearer, require_access
from parcours_xl.clients.clients import Clients
from parcours_xl.clients.database import KeyRefused
from parcours_xl.clients.operations_queries import Gauges
from parcours_xl.errors import ParcoursError, RetryableError
from parcours_xl.operations.alerts import Snapshot, SnapshotCache, judge
from parcours_xl.operations.measurements import JourneyMeasurements
from parcours_xl.operations.report.report import Costs, Timing
from parcours_xl.settings import Settings, Targets
from parcours_xl.telemetry import REGISTRY

log = structlog.get_logger(__name__)

READY_S_MAX = 3
ANSWER_S_MAX = 2
"""Prometheus gives up after 10 s by default; what is known is told before."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What the three routes answer from. registries: of the application that they belong to."""

    settings: Settings
    clients: Clients
    snapshots: SnapshotCache
    journeys: JourneyMeasurements
    registries: Sequence[CollectorRegistry]
    is_stopping: Callable[[], bool]

    @classmethod
    def of(
        cls,
        settings: Settings,
        clients: Clients,
        *registries: CollectorRegistry,
        is_stopping: Callable[[], bool],
    ) -> "Monitoring":
        snapshots = SnapshotCache(clients.queries, settings)
        journeys = JourneyMeasurements(clients.queries, settings)
        return cls(settings, clients, snapshots, journeys, registries, is_stopping)


def _monitoring(request: Request) -> Monitoring:
    return cast(Monitoring, request.state.monitoring)


async def healthz(_: Request) -> Response:
    """This process answers; nothing else is asked. For whoever restarts what is dead."""
    return JSONResponse({"ok": True})


async def readyz(request: Request) -> Response:
    """Supabase answers and both queues are there; 503 otherwise. For whoever routes requests."""
    monitoring = _monitoring(request)
    if monitoring.is_stopping():
        return JSONResponse({"ok": False, "stopping": True}, 503)
    try:
        with anyio.fail_after(READY_S_MAX):
            queues = await monitoring.clients.queries.read_queues()
    except KeyRefused:
        return JSONResponse({"ok": False, "supabase": "the service key is refused"}, 503)
    except (ParcoursError, TimeoutError):
        return JSONResponse({"ok": False, "supabase": "unavailable"}, 503)
    except Exception:
        log.exception("readiness.failed")
        return JSONResponse({"ok": False, "supabase": "not as it should be"}, 503)
    return JSONResponse({"ok": True, "supabase": "ok", "queues": [q.queue for q in queues]})


async def metrics(request: Request) -> Response:
    """For Prometheus. Needs the service-role key or METRICS_TOKEN; answers without Supabase too."""
    monitoring = _monitoring(request)
    _require_metrics_access(request, monitoring)
    figures = CollectorRegistry()
    snapshot: Snapshot | None = None
    with suppress(RetryableError, TimeoutError), anyio.fail_after(ANSWER_S_MAX):
        snapshot = await monitoring.snapshots.read()
        await monitoring.journeys.follow()
    figures.register(_Figures(_describe(snapshot, monitoring.settings)))
    registries = (figures, monitoring.journeys.registry, REGISTRY, *monitoring.registries)
    return Response(b"".join(map(generate_latest, registries)), media_type=CONTENT_TYPE)


MONITORING_ROUTES = (
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", metrics),
)


def _require_metrics_access(request: Request, monitoring: Monitoring) -> None:
    token = monitoring.settings.metrics_token
    given = read_bearer(request).encode()
    if token and hmac.compare_digest(given, token.get_secret_value().encode()):
        return
    require_access(request, monitoring.clients.auth, "service_role")


class _Figures:
    """A collector of what has already been read."""

    def __init__(self, families: Iterable[Metric]):
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _describe(snapshot: Snapshot | None, targets: Targets) -> Iterable[Metric]:
    yield _gauge("supabase_up", "Whether Supabase answers", float(snapshot is not None))
    yield _by(
        "target_seconds",
        "What a latency is to stay below",
        "latency",
        {
            "ttfp": targets.ttfp_target_s,
            "ttfc": targets.ttfc_target_s,
            "run_ready": targets.ready_target_s,
        },
    )
    if snapshot is not None:
        yield from _describe_snapshot(snapshot, targets)


def _describe_snapshot(snapshot: Snapshot, targets: Targets) -> Iterable[Metric]:
    figures, gauges = snapshot.figures, snapshot.gauges
    yield _gauge(
        "window_seconds",
        "How far the shares look back",
        snapshot.window.total_seconds(),
    )
    yield _within_target(
        {
            ("ttfp", "listener"): (figures.ttfp, targets.ttfp_target_s),
            ("ttfp", "suno"): (figures.suno_ttfp, targets.ttfp_target_s),
            ("ttfc", "listener"): (figures.ttfc, targets.ttfc_target_s),
            ("ttfc", "suno"): (figures.suno_ttfc, targets.ttfc_target_s),
            ("run_ready", "suno"): (figures.suno_ready, targets.ready_target_s),
            ("run_ready", "listener"): (figures.ready, targets.ready_target_s),
        }
    )
    yield _gauge("errors_ratio", "Attempts that failed, of those that ended", figures.errors_share)
    yield _gauge("ttfc_slow_ratio", "Tracks slower than TTFC_ALERT_S", figures.ttfc_slow_share)
    yield _gauge(
        "runner_timeouts_ratio", "Runs slower than RUNNER_TIMEOUT_S", figures.timeouts_share
    )
    yield _gauge("asked_ratio", "Previews and tracks that came by no callback", figures.asked_share)
    yield _gauge(
        "briefs_curated_ratio", "Briefs that OpenAI did not write", figures.briefs_curated_share
    )
    yield _by("runs", "Runs created in the window, as they stand now", "status", figures.runs)
    yield _by("segments", "Segments of these runs", "status", figures.segments)
    queues = snapshot.queues
    yield _by("queue_depth", "Jobs", "queue", {one.queue: one.depth for one in queues})
    yield _by("queue_due", "Jobs that may be taken now", "queue", {q.queue: q.due for q in queues})
    yield _by(
        "queue_oldest_seconds",
        "How long the oldest job has waited",
        "queue",
        {one.queue: one.oldest_s for one in queues},
    )
    yield _by(
        "jobs_failing",
        "Jobs that have failed at least once and are tried again",
        "queue",
        {one.queue: one.failing for one in queues},
    )
    yield _gauge("jobs_given_up", "Jobs that wait for the doctor", gauges.jobs_given_up)
    yield _gauge("jobs_unreadable", "Those of them that nobody can read", gauges.jobs_unreadable)
    yield _gauge("runs_daily", "Runs created in the last 24 hours", gauges.day.runs)
    yield _gauge("runs_daily_max", "RUNS_DAILY_MAX", targets.runs_daily_max)
    yield _gauge("suno_credits_daily", "Credits of the last 24 hours", gauges.day.credits)
    yield _gauge("suno_credits_daily_max", "SUNO_CREDITS_DAILY_MAX", targets.suno_credits_daily_max)
    yield _gauge("suno_credits", "Credits left at Suno", gauges.credits)
    yield from _describe_reserve(gauges, targets)
    yield from _describe_costs(figures.costs)
    firing = {alert.name: float(alert.firing) for alert in judge(snapshot, targets)}
    yield _by("alert_firing", "1 while an alert is firing", "alert", firing)


def _describe_reserve(gauges: Gauges, targets: Targets) -> Iterable[Metric]:
    ready = {key: stock.ready for key, stock in gauges.reserve.items()}
    missing = sum(stock.missing for stock in gauges.reserve.values())
    yield _by("reserve_pieces", "Ready pieces of the reserve", "preset", ready)
    yield _gauge("reserve_per_preset", "RESERVE_PER_PRESET", targets.reserve_per_preset)
    yield _gauge("reserve_missing", "Pieces of the reserve whose file is missing", missing)
    yield _gauge(
        "reserve_tasks_failed",
        "Tasks of the last 24 hours that gave the reserve no piece",
        gauges.reserve_failed,
    )


def _describe_costs(costs: Costs) -> Iterable[Metric]:
    yield _gauge("cost_runs", "Runs of the window for which Suno was asked", costs.runs)
    for what, kept, wasted, about in (
        ("credits", costs.credits_kept, costs.credits_wasted, "Suno credits"),
        ("tokens", costs.tokens_used, costs.tokens_wasted, "OpenAI tokens"),
    ):
        family = GaugeMetricFamily(
            f"parcours_cost_{what}",
            f"{about} of the window, by what became of them, and why they were wasted",
            labels=("outcome", "reason"),
        )
        family.add_metric(("kept", ""), kept)
        for reason, spent in wasted.items():
            family.add_metric(("wasted", reason), spent)
        if what == "credits":
            family.add_metric(("under_way", ""), costs.credits_under_way)
            family.add_metric(("reserve", ""), costs.credits_reserve)
        yield family
    yield _by("runs_put_off", "Runs of the window that wait, by why", "reason", costs.put_off)


def _within_target(timings: Mapping[tuple[str, str], tuple[Timing, float]]) -> Metric:
    within = GaugeMetricFamily(
        "parcours_latency_within_target_ratio",
        "The share that came within its target; what never came did not",
        labels=("latency", "whose"),
    )
    for labels, (timing, target_s) in timings.items():
        in_time = timing.within(target_s)
        if in_time is not None:
            within.add_metric(labels, in_time)
    return within


def _gauge(name: str, about: str, value: float | None) -> Metric:
    """What is not known has no sample."""
    family = GaugeMetricFamily(f"parcours_{name}", about)
    if value is not None:
        family.add_metric((), value)
    return family


def _by(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"parcours_{name}", about, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family
