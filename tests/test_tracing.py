"""Spans: below whom, about which run, and what is never in them."""

import sys
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from parcours_xl import telemetry, tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def told() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.start(SimpleSpanProcessor(exporter))
    yield exporter
    tracing.stop()


def test_a_span_is_below_the_one_that_is_named_or_open(told: InMemorySpanExporter) -> None:
    with (
        structlog.contextvars.bound_contextvars(run_id="a-run"),
        tracing.span("job", parent=PARENT),
        telemetry.call("suno", "generate"),
    ):
        current = tracing.current()
    call, job = told.get_finished_spans()
    assert job.parent is not None and call.parent is not None
    assert f"{job.context.trace_id:032x}" == TRACE and f"{job.parent.span_id:016x}" == SPAN
    assert call.name == "suno generate" and call.parent.span_id == job.context.span_id
    assert current == f"00-{TRACE}-{call.context.span_id:016x}-01"
    assert {span.attributes["parcours.run_id"] for span in (call, job) if span.attributes} == {
        "a-run"
    }


def test_a_call_outside_of_every_span_is_no_trace(told: InMemorySpanExporter) -> None:
    with telemetry.call("sql", "next_steps"):
        pass
    assert told.get_finished_spans() == ()


@pytest.mark.parametrize("parent", ["", "00-0-0-01", PARENT[:-1], "x" * 55, PARENT + "0" * 99])
def test_what_is_no_traceparent_begins_a_trace(told: InMemorySpanExporter, parent: str) -> None:
    with tracing.span("request", parent=parent):
        pass
    [span] = told.get_finished_spans()
    assert span.parent is None


def test_of_an_error_only_its_type_is_told(told: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="secret"), tracing.span("request"):
        raise ValueError("secret")
    [span] = told.get_finished_spans()
    assert span.status.description == "ValueError" and span.events == ()
    assert "secret" not in span.to_json()


def test_while_it_is_off_there_is_no_context() -> None:
    with tracing.span("request", parent=PARENT), telemetry.call("sql", "next_steps"):
        tracing.note_run("a-run")
        tracing.join(PARENT, "callback first", 0)
        assert tracing.current() is None


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(tracing.TracingNotInstalled, match=r"parcours-xl\[otel\]"):
        tracing.start_export("http://127.0.0.1:4318")
