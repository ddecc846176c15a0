"""CORS, as supabase-js needs it in a browser."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from parcours_xl.api.routes import FUNCTION_ROUTES
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.users import Person
from tests.js.modules import run_node

FUNCTIONS = [endpoint.name for endpoint in FUNCTION_ROUTES]

pytestmark = pytest.mark.anyio

ORIGIN = "https://app.example.org"
NEEDED = (
    "authorization",
    "x-client-info",
    "apikey",
    "content-type",
    "idempotency-key",
    "x-retry-count",
    "x-region",
    "traceparent",
    "tracestate",
    "baggage",
)
# As Chromium asks for supabase.functions.invoke() with a region and tracing: sorted, lower case.
SUPABASE_JS = "apikey,authorization,content-type,traceparent,x-client-info,x-region"


def preflight(headers: str, method: str = "POST", origin: str = ORIGIN) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_a_browser_may_call_every_function(service: httpx.AsyncClient, name: str) -> None:
    for headers in (*NEEDED, SUPABASE_JS, ", ".join(NEEDED), SUPABASE_JS.upper()):
        answer = await service.options(endpoint(name), headers=preflight(headers))
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "POST" in answer.headers["access-control-allow-methods"]
        allowed = {
            part.strip() for part in answer.headers["access-control-allow-headers"].split(",")
        }
        assert {header.lower() for header in allowed} >= set(NEEDED)
        assert "access-control-allow-credentials" not in answer.headers


async def test_what_supabase_js_sends_is_allowed(service: httpx.AsyncClient) -> None:
    done = run_node(Path(__file__).with_name("invoke_headers.js"), {}, timeout_s=60)
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)
    assert {"authorization", "apikey", "x-client-info", "x-region", "idempotency-key"} <= set(sent)
    headers = preflight(",".join(sorted(sent)))
    answer = await service.options(endpoint("parcours-xl-create"), headers=headers)
    assert answer.status_code == 200, answer.text


async def test_a_preflight_for_something_else_is_refused(service: httpx.AsyncClient) -> None:
    url = endpoint("sign-track")
    assert (await service.options(url, headers=preflight("x-secret"))).status_code == 400
    assert (await service.options(url, headers=preflight("apikey", "DELETE"))).status_code == 400


async def test_a_page_may_read_what_it_must_wait_and_what_to_report(
    service: httpx.AsyncClient,
) -> None:
    answer = await service.post(endpoint("sign-track"), headers={"Origin": ORIGIN})
    exposed = answer.headers["access-control-expose-headers"].lower()
    assert "retry-after" in exposed and "x-request-id" in exposed


@pytest.mark.parametrize(
    ("status", "name", "request_of"),
    [
        (400, "parcours-xl-runner", {"content": b"not json"}),
        (401, "sign-track", {"json": {}}),
        (404, "parcours-xl-runner", {"json": {"runId": "00000000-0000-4000-8000-000000000000"}}),
        (404, "no-such-function", {}),
        (413, "parcours-xl-runner", {"content": b" " * 70_000}),
    ],
)
async def test_errors_can_be_read_too(
    service: httpx.AsyncClient, status: int, name: str, request_of: dict[str, Any]
) -> None:
    answer = await service.post(endpoint(name), headers={"Origin": ORIGIN}, **request_of)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["error"]


async def test_a_wrong_method_can_be_read_too(service: httpx.AsyncClient) -> None:
    answer = await service.get(endpoint("sign-track"), headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_our_own_errors_can_be_read_too(
    make_settings: MakeSettings, owner: Person, dead_port: int
) -> None:
    headers = {"Origin": ORIGIN}
    full = make_settings(daily_run_quota=1)
    async with open_service(full) as service:
        url, body = endpoint("parcours-xl-create"), {"presetKey": "universel-reset"}
        for _ in range(2):
            answer = await service.post(url, json=body, headers=headers | owner.headers)
        assert answer.status_code == 429
        assert answer.headers["access-control-allow-origin"] == "*"
    unavailable = make_settings(postgrest_url=f"http://127.0.0.1:{dead_port}")
    async with open_service(unavailable) as service:
        body = {"runId": "00000000-0000-4000-8000-000000000000"}
        answer = await service.post(endpoint("parcours-xl-runner"), json=body, headers=headers)
        assert answer.status_code == 503
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_only_the_named_origins_may_call_when_some_are_named(
    make_settings: MakeSettings,
) -> None:
    async with open_service(make_settings(cors_origins=(ORIGIN,))) as service:
        url = endpoint("sign-track")
        ours = await service.options(url, headers=preflight(SUPABASE_JS))
        assert (ours.status_code, ours.headers["access-control-allow-origin"]) == (200, ORIGIN)
        assert "origin" in ours.headers["vary"].lower()
        theirs = await service.options(
            url, headers=preflight(SUPABASE_JS, origin="https://evil.example.org")
        )
        assert theirs.status_code == 400
        assert "access-control-allow-origin" not in theirs.headers
        answer = await service.post(url, headers={"Origin": "https://evil.example.org"})
        assert "access-control-allow-origin" not in answer.headers
