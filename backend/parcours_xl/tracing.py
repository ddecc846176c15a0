"""Traces by OpenTelemetry: one for each run, from the request to create to the last stored track.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT is set: then nothing of OpenTelemetry is imported, and a span
costs a comparison. Nothing personal is in a trace: names of functions, ids of runs, outcomes.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Tracer

SERVICE = "parcours-xl"
RUN_ID = "parcours.run_id"
TRACEPARENT_CHARS = 55
NOT_INSTALLED = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: "
    "pip install 'parcours-xl[otel]'"
)

_OFF: AbstractContextManager[None] = nullcontext()


class _Tracing:
    """What this process traces with; nothing while it is off."""

    provider: "TracerProvider | None" = None
    tracer: "Tracer | None" = None


class TracingNotInstalled(Exception):
    """The extra `otel` is missing."""


def start_export(endpoint: str) -> None:
    """Send spans to a collector, by OTLP over HTTP. Raises TracingNotInstalled.

    The other OTEL_… variables (headers, sampler, service name) are read by OpenTelemetry itself.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingNotInstalled(NOT_INSTALLED) from error
    path = urlsplit(endpoint).path
    whole = endpoint if path.endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
    start(BatchSpanProcessor(OTLPSpanExporter(endpoint=whole)))


def start(processor: "SpanProcessor") -> None:
    """Trace from now on, with a processor of spans."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider

    usual = Resource.create({"service.name": SERVICE, "service.version": version(SERVICE)})
    provider = TracerProvider(resource=usual.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(processor)
    _Tracing.provider, _Tracing.tracer = provider, provider.get_tracer(SERVICE)


def stop() -> None:
    """Send what is left, and trace no more."""
    if _Tracing.provider is not None:
        _Tracing.provider.shutdown()
    _Tracing.provider = _Tracing.tracer = None


def is_on() -> bool:
    return _Tracing.tracer is not None


def span(
    name: str, *, parent: str | None = None, server: bool = False, **attributes: Any
) -> AbstractContextManager[None]:
    """A span around what is done inside. parent: a traceparent; else the span that is open here.

    server: it answers a request. An error's type is noted, never its text.
    """
    return (
        _OFF
        if _Tracing.tracer is None
        else _span(_Tracing.tracer, name, parent, server, attributes)
    )


def child_span(name: str) -> AbstractContextManager[None]:
    """The same, only inside another span: what a worker asks every few seconds is no trace."""
    return _OFF if _Tracing.tracer is None or current() is None else span(name)


@contextmanager
def _span(
    tracer: "Tracer", name: str, parent: str | None, server: bool, attributes: Mapping[str, Any]
) -> Iterator[None]:
    from opentelemetry.trace import SpanKind, Status, StatusCode

    run_id = structlog.contextvars.get_contextvars().get("run_id")
    kind: SpanKind = SpanKind.SERVER if server else SpanKind.INTERNAL
    with tracer.start_as_current_span(
        name,
        _read(parent),
        kind,
        dict(attributes) | ({RUN_ID: run_id} if run_id else {}),
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        except BaseException as error:
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def _read(traceparent: str | None) -> "Context | None":
    """The context that a header or a message names; the one that is open here without."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    if traceparent is None or len(traceparent) != TRACEPARENT_CHARS:
        return None
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent})


def current() -> str | None:
    """The traceparent of the span that is open here; None while tracing is off."""
    if _Tracing.tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def note(**attributes: Any) -> None:
    """Say more of the span that is open here."""
    if _Tracing.tracer is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().set_attributes(attributes)


def note_run(run_id: object) -> None:
    """The span that is open here is about this run."""
    note(**{RUN_ID: str(run_id)})


def join(trace: str | None, name: str, began_ns: int, **attributes: Any) -> None:
    """Show in a run's trace what a request of another trace has done for it, and link the two.

    Suno calls back without any context: only the answer of the database says which run it is of.
    """
    tracer = _Tracing.tracer
    if tracer is None or trace is None:
        return
    from opentelemetry.trace import Link, get_current_span

    here = get_current_span().get_span_context()
    context = _read(trace)
    if context is None or get_current_span(context).get_span_context().trace_id == here.trace_id:
        return
    links = [Link(here)] if here.is_valid else []
    tracer.start_span(name, context, attributes=attributes, links=links, start_time=began_ns).end()
