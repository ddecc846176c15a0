"""/healthz, /readyz and /metrics: is this process alive, can it work, and what are the figures?"""

import hmac
from collections.abc import Iterable, Mapping

import anyio
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_xl.api.authentication import read_bearer, require_access
from parcours_xl.api.state import AppState, app_state
from parcours_xl.clients.database import KeyRefused
from parcours_xl.errors import ParcoursError, RetryableError
from parcours_xl.operations.alerts import Snapshot, judge
from parcours_xl.operations.report.report import Timing
from parcours_xl.settings import Targets

log = structlog.get_logger(__name__)

READY_S_MAX = 3


async def healthz(_: Request) -> Response:
    """This process answers; nothing else is asked. For whoever restarts what is dead."""
    return JSONResponse({"ok": True})


async def readyz(request: Request) -> Response:
    """Supabase answers and both queues are there; 503 otherwise. For whoever routes requests."""
    if app_state(request).draining.begun:
        return JSONResponse({"ok": False, "stopping": True}, 503)
    try:
        with anyio.fail_after(READY_S_MAX):
            queues = await app_state(request).clients.queries.read_queues()
    except KeyRefused:
        return JSONResponse({"ok": False, "supabase": "the service key is refused"}, 503)
    except (ParcoursError, TimeoutError):
        return JSONResponse({"ok": False, "supabase": "away"}, 503)
    except Exception:
        log.exception("readiness.failed")
        return JSONResponse({"ok": False, "supabase": "not as it should be"}, 503)
    return JSONResponse({"ok": True, "supabase": "ok", "queues": [q.queue for q in queues]})


ANSWER_S_MAX = 2
"""Prometheus gives up after 10 s by default; what is known is told before."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def metrics(request: Request) -> Response:
    """For Prometheus. Needs the service-role key or METRICS_TOKEN; answers without Supabase too."""
    state = app_state(request)
    _require_metrics_access(request, state)
    registry = CollectorRegistry()
    try:
        with anyio.fail_after(ANSWER_S_MAX):
            snapshot = await state.snapshots.read()
    except (RetryableError, TimeoutError):
        registry.register(_Figures([_gauge("supabase_up", "Whether Supabase answers", 0)]))
    else:
        registry.register(_Figures(_describe(snapshot, state.settings)))
    own = (registry, state.latencies.registry, state.page_errors.registry)
    text = b"".join(map(generate_latest, (*own, state.connections.registry)))
    return Response(text, media_type=CONTENT_TYPE)


def _require_metrics_access(request: Request, state: AppState) -> None:
    token = state.settings.metrics_token
    given = read_bearer(request).encode()
    if token and hmac.compare_digest(given, token.get_secret_value().encode()):
        return
    require_access(request, state.clients.auth, "service_role")


class _Figures:
    """A collector of what has already been read."""

    def __init__(self, families: Iterable[Metric]):
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _describe(snapshot: Snapshot, targets: Targets) -> Iterable[Metric]:
    figures, gauges = snapshot.figures, snapshot.gauges
    yield _gauge("supabase_up", "Whether Supabase answers", 1)
    yield _gauge("window_seconds", "How far the figures look back", snapshot.window.total_seconds())
    timings = {
        ("ttfp", "listener"): (figures.ttfp, targets.ttfp_target_s),
        ("ttfp", "suno"): (figures.suno_ttfp, targets.ttfp_target_s),
        ("ttfc", "listener"): (figures.ttfc, targets.ttfc_target_s),
        ("ttfc", "suno"): (figures.suno_ttfc, targets.ttfc_target_s),
        ("ready", "suno"): (figures.suno_ready, targets.ready_target_s),
        ("ready", "listener"): (figures.ready, targets.ready_target_s),
    }
    yield from _timings(timings)
    yield _gauge("errors_ratio", "Attempts that failed, of those that ended", figures.errors_share)
    ended = figures.errors.total() + figures.complete
    yield _gauge("attempts_ended", "Attempts that ended", ended)
    yield _gauge("ttfc_slow_ratio", "Tracks slower than TTFC_ALERT_S", figures.ttfc_slow_share)
    yield _gauge("ttfc_measured", "Tracks of which that is known", figures.ttfc_measured)
    yield _gauge(
        "runner_timeouts_ratio", "Runs slower than RUNNER_TIMEOUT_S", figures.timeouts_share
    )
    yield _gauge("runs_measured", "Runs of which that is known", figures.runs_measured)
    yield _gauge("submissions", "Requests for music", figures.submissions)
    yield _gauge("retries", "Requests for music that was asked for before", figures.retries)
    yield _gauge("linked", "Tracks that play from Suno's own address", figures.linked)
    yield _by("errors", "Attempts that failed", "cause", figures.errors)
    yield _by("refusals", "What Suno refused", "code", figures.errors)
    yield _by("messages", "Previews and tracks, by who told of them", "by", figures.messengers)
    yield _by("runs", "Runs created in the window", "status", figures.runs)
    yield _by("segments", "Segments of these runs", "status", figures.segments)
    curated = {("curated", reason): count for reason, count in figures.briefs_curated.items()}
    yield _briefs({("openai", ""): figures.briefs_written, **curated})
    queues = snapshot.queues
    yield _by("queue_depth", "Jobs", "queue", {one.queue: one.depth for one in queues})
    yield _by("queue_due", "Jobs that may be taken now", "queue", {q.queue: q.due for q in queues})
    yield _by(
        "queue_oldest_seconds",
        "How long the oldest job has waited",
        "queue",
        {one.queue: one.oldest_s for one in queues},
    )
    yield _gauge("jobs_given_up", "Jobs that wait for the doctor", gauges.jobs_given_up)
    yield _gauge("jobs_unreadable", "Those of them that nobody can read", gauges.jobs_unreadable)
    yield _gauge("runs_daily", "Runs created in the last 24 hours", gauges.day.runs)
    yield _gauge("runs_daily_max", "RUNS_DAILY_MAX", targets.runs_daily_max)
    yield _gauge("suno_credits_daily", "Credits of the last 24 hours", gauges.day.credits)
    yield _gauge("suno_credits_daily_max", "SUNO_CREDITS_DAILY_MAX", targets.suno_credits_daily_max)
    yield _gauge("suno_credits", "Credits left at Suno", gauges.credits)
    firing = {alert.name: float(alert.firing) for alert in judge(snapshot, targets)}
    yield _by("alert_firing", "1 while an alert is firing", "alert", firing)


def _briefs(counted: Mapping[tuple[str, str], int]) -> Metric:
    family = GaugeMetricFamily(
        "parcours_briefs",
        "Runs created in the window, by who wrote the brief and why OpenAI did not",
        labels=("source", "reason"),
    )
    for labels, count in counted.items():
        family.add_metric(labels, count)
    return family


def _timings(timings: Mapping[tuple[str, str], tuple[Timing, float]]) -> Iterable[Metric]:
    seconds = GaugeMetricFamily(
        "parcours_latency_seconds",
        "Time to first preview, to first complete track, and until a run is ready",
        labels=("latency", "whose", "quantile"),
    )
    within = GaugeMetricFamily(
        "parcours_latency_within_target_ratio",
        "The share that came within its target",
        labels=("latency", "whose"),
    )
    for (latency, whose), (timing, target_s) in timings.items():
        for share in (0.5, 0.95):
            value = timing.percentile(share)
            if value is not None:
                seconds.add_metric((latency, whose, str(share)), value)
        in_time = timing.within(target_s)
        if in_time is not None:
            within.add_metric((latency, whose), in_time)
    yield seconds
    yield within


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
