"""One run is one trace, from the tap to the stored track, over every process that works on it."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from parcours_dev.ports import choose_free_ports
from tests.end_to_end.deployment import Deployment, running_workers
from tests.fixtures.served import running_serve
from tests.fixtures.users import sign_up
from tests.fixtures.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TAP = f"00-{TRACE}-00f067aa0ba902b7-01"


@dataclass
class Collector:
    """Takes OTLP over HTTP, as a real one does. spans: by the name of their service's process."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)

    def of_trace(self, trace: str = TRACE) -> list[Span]:
        found = [span for span in self.spans if span.trace_id.hex() == trace]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def story(self) -> str:
        """The trace as a tree of lines: when, how long, what."""
        spans = self.of_trace()
        if not spans:
            return "no span"
        begin = spans[0].start_time_unix_nano
        ids = {span.span_id for span in spans}
        lines: list[str] = []

        def tell(parent: bytes | None, depth: int) -> None:
            for span in spans:
                is_here = (
                    span.parent_span_id not in ids
                    if parent is None
                    else (span.parent_span_id == parent)
                )
                if is_here:
                    at = (span.start_time_unix_nano - begin) / 1e6
                    took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
                    facts = " ".join(
                        f"{one.key}={one.value.string_value or one.value.int_value}"
                        for one in span.attributes
                    )
                    lines.append(f"{at:9.1f} ms {took:8.1f} ms  {'  ' * depth}{span.name}  {facts}")
                    tell(span.span_id, depth + 1)

        tell(None, 0)
        return "\n".join(lines)


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["content-length"]))
            export = ExportTraceServiceRequest.FromString(body)
            for resource in export.resource_spans:
                for scope in resource.scope_spans:
                    made.spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: it is no server's log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receive)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def facts(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


def test_a_run_is_one_trace_from_the_tap_to_the_last_stored_track(
    deployment: Deployment, collector: Collector, tmp_path: Path
) -> None:
    [port] = choose_free_ports(1)
    base = f"http://127.0.0.1:{port}/functions/v1"
    tracing = {
        "CALLBACK_BASE": f"{base}/parcours-xl-callback",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    person = asyncio.run(sign_up(deployment.project))
    headers = {"Authorization": f"Bearer {person.token}"}
    environment = {**deployment.environment, **tracing}
    with running_serve(environment, tmp_path / "serve.log", port=port):
        created = httpx.post(
            f"{base}/parcours-xl-create",
            json={"presetKey": "universel-reset", "emotionState": "fear-0.8"},
            headers=headers | {"traceparent": TAP},
            timeout=60,
        )
        assert created.status_code == 200, created.text
        run_id = created.json()["runId"]
        started = httpx.post(
            f"{base}/parcours-xl-runner", json={"runId": run_id}, headers=headers, timeout=60
        )
        assert started.status_code == 202, started.text
        with running_workers(deployment, 1, **tracing):
            deployment.wait_for(run_id, "ready", 120)

            def is_told() -> bool:
                stored = [s for s in collector.of_trace() if s.name == "sql record_track"]
                return len(stored) == int(created.json()["segmentsCount"])

            wait_until(is_told, 30, collector.story)

    spans = collector.of_trace()
    names = {span.name for span in spans}
    assert names >= {
        "POST /functions/v1/parcours-xl-create",
        "openai gpt-4o-mini",
        "sql create_run",
        "job parcours_generation submit",
        "suno generate",
        "callback first",
        "callback complete",
        "job parcours_tracks store",
        "sql record_track",
    }, collector.story()
    root = next(span for span in spans if span.name == "POST /functions/v1/parcours-xl-create")
    assert root.parent_span_id.hex() == TAP.split("-")[2], "below the tap's own span"
    for span in spans:
        if span.name.startswith(("job", "callback")) or span is root:
            assert facts(span)["parcours.run_id"] == run_id, span.name
    ids = {span.span_id for span in spans} | {root.parent_span_id}
    assert all(span.parent_span_id in ids for span in spans), collector.story()
    assert all(span.links for span in spans if span.name.startswith("callback"))

    text = "\n".join(map(str, collector.spans))
    secrets = [str(segment["callback_token"]) for segment in deployment.segments(run_id)]
    for personal in (str(person.id), person.token, "fear", "token=", *secrets):
        assert personal not in text


def test_without_the_setting_nothing_of_opentelemetry_is_imported() -> None:
    code = (
        "import sys; import parcours_xl.app, parcours_xl.serving, parcours_xl.worker.worker;"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.stdout.strip() == "[]", told.stderr
