"""What a process measures of its own calls, for Prometheus (docs/deployment.md#what-is-watched).

One registry a process, as prometheus-client has it: several applications in one process share it.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from parcours_xl import tracing
from parcours_xl.errors import PermanentError, RetryableError

# The moments at which series began would double their number, and no dashboard asks for them.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)
Info("parcours_build", "Which version runs", registry=REGISTRY).info(
    {"version": version("parcours-xl")}
)

SQL_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8, 30)
VENDOR_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 10, 15, 30, 60)
JOB_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

SQL_SECONDS = Histogram(
    "parcours_sql_seconds",
    "How long calls of SQL functions take",
    ("function", "outcome"),
    buckets=SQL_BUCKETS_S,
    registry=REGISTRY,
)
SUNO_SECONDS = Histogram(
    "parcours_suno_seconds",
    "How long Suno takes to answer",
    ("call", "outcome"),
    buckets=VENDOR_BUCKETS_S,
    registry=REGISTRY,
)
OPENAI_SECONDS = Histogram(
    "parcours_openai_seconds",
    "How long OpenAI takes to answer",
    ("model", "outcome"),
    buckets=VENDOR_BUCKETS_S,
    registry=REGISTRY,
)
OPENAI_TOKENS = Counter(
    "parcours_openai_tokens",
    "Tokens that OpenAI has counted, by model and kind (input or output)",
    ("model", "kind"),
    registry=REGISTRY,
)
JOB_SECONDS = Histogram(
    "parcours_job_seconds",
    "How long jobs take",
    ("queue", "outcome"),
    buckets=JOB_BUCKETS_S,
    registry=REGISTRY,
)


DAILY_LIMITS = ("runs_daily_user", "runs_daily_max", "credits_daily_max")
"""As SQL names them beside PT429 (parcours.check_quotas)."""
CREATES_REFUSED = Counter(
    "parcours_creates_refused",
    "Requests to create that a limit of the day refused",
    ("limit",),
    registry=REGISTRY,
)
for limit in DAILY_LIMITS:
    CREATES_REFUSED.labels(limit)

CALLS = {"sql": SQL_SECONDS, "suno": SUNO_SECONDS, "openai": OPENAI_SECONDS}


@contextmanager
def call(system: str, name: str) -> Iterator[None]:
    """Measure a call of one of CALLS, and trace it.

    How it ended is one of: ok, refused, later, cancelled, error.
    """
    started_at, outcome = time.perf_counter(), "ok"
    try:
        with tracing.child_span(f"{system} {name}"):
            yield
    except BaseException as error:
        outcome = _outcome(error)
        raise
    finally:
        CALLS[system].labels(name, outcome).observe(time.perf_counter() - started_at)


def _outcome(error: BaseException) -> str:
    match error:
        case PermanentError():
            return "refused"
        case RetryableError():
            return "later"
        case asyncio.CancelledError():
            return "cancelled"
        case _:
            return "error"
