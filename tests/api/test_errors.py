"""Every error is JSON with `error`, tells what to do, and never shows internals."""

import asyncio
import json
from uuid import uuid4

import httpx
import pytest
from starlette.responses import JSONResponse

from parcours_xl.api.routes import FUNCTION_ROUTES
from parcours_xl.app import create_app
from tests.fixtures.captured_logs import CaptureLogs
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Forger, Person

FUNCTIONS = [endpoint.name for endpoint in FUNCTION_ROUTES]

pytestmark = pytest.mark.anyio

BODIES: dict[str, dict[str, object]] = {
    "parcours-xl-create": {"presetKey": "universel-reset"},
    "parcours-xl-runner": {"runId": str(uuid4())},
    "parcours-xl-generate": {"segmentId": str(uuid4())},
    "parcours-xl-callback": {"stage": "first"},
    "sign-track": {"segmentId": str(uuid4())},
    "parcours-xl-cancel": {"runId": str(uuid4())},
    "parcours-xl-reserve": {"presetKey": "universel-reset"},
}


def url_of(name: str) -> str:
    query = f"?segment={uuid4()}&token={uuid4()}" if name == "parcours-xl-callback" else ""
    return endpoint(name) + query


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
async def test_only_post_is_answered(service: httpx.AsyncClient, name: str, method: str) -> None:
    answer = await service.request(method, url_of(name))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert answer.json() == {"error": "Method Not Allowed"}


@pytest.mark.parametrize("path", ["/functions/v1/", "/functions/v1/parcours-xl-extend"])
async def test_no_other_function_is_there(service: httpx.AsyncClient, path: str) -> None:
    answer = await service.post(path)
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_a_database_that_is_unavailable_is_a_503(
    make_settings: MakeSettings, owner: Person, dead_port: int, name: str
) -> None:
    unavailable = make_settings(postgrest_url=f"http://127.0.0.1:{dead_port}")
    async with open_service(unavailable) as service:
        answer = await service.post(url_of(name), json=BODIES[name], headers=owner.headers)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json() == {
        "error": "The service cannot reach its database right now. Please try again."
    }


@pytest.mark.parametrize("name", ["parcours-xl-create", "sign-track", "parcours-xl-cancel"])
async def test_an_auth_that_is_unavailable_is_a_503_and_never_a_401(
    make_settings: MakeSettings, owner: Person, forger: Forger, dead_port: int, name: str
) -> None:
    tokens = owner.token, forger.sign_with_secret(forger.claims(owner.id))
    unavailable = make_settings(supabase_url=f"http://127.0.0.1:{dead_port}")
    async with open_service(unavailable) as service:
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await service.post(endpoint(name), json=BODIES[name], headers=headers)
            assert answer.status_code == 503
            assert "try again" in answer.json()["error"]


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_the_unexpected_is_a_500_with_a_request_id_and_no_internals(
    make_settings: MakeSettings, owner: Person, relay: Relay, capture_logs: CaptureLogs, name: str
) -> None:
    """PostgREST says something that no function of ours ever says."""
    log = capture_logs("json", "info")
    broken = {"code": "42883", "message": "function internal_name() does not exist", "hint": None}
    relay.broken["/rpc/"] = JSONResponse(broken, 404)
    settings = make_settings(postgrest_url=f"{relay.url}/rest/v1")
    async with open_service(settings) as service:
        answer = await service.post(
            url_of(name), json=BODIES[name], headers=owner.headers | {"Origin": "https://a.example"}
        )
    assert answer.status_code == 500
    request_id = answer.headers["x-request-id"]
    assert answer.json() == {
        "error": "something went wrong on our side",
        "requestId": request_id,
    }
    broke = next(
        json.loads(line) for line in log.getvalue().splitlines() if "request.failed" in line
    )
    assert broke["request_id"] == request_id
    assert "function internal_name() does not exist" in broke["exception"]
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_every_answer_has_its_own_request_id(service: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        service.post("/"),
        service.get(endpoint("sign-track")),
        service.post(endpoint("sign-track")),
        service.post(endpoint("parcours-xl-runner"), content=b"x"),
        service.post(endpoint("parcours-xl-runner"), json={"runId": str(uuid4())}),
    )
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 5
    assert all(len(request_id) == 32 for request_id in ids)


async def test_a_callers_own_request_id_is_not_taken_over(service: httpx.AsyncClient) -> None:
    answer = await service.post("/", headers={"X-Request-Id": "theirs\x1b[31m"})
    assert answer.headers["x-request-id"] != "theirs\x1b[31m"


async def test_a_locked_row_is_a_503(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    records.do("alter role service_role set lock_timeout = '200ms'")
    records.do("notify pgrst, 'reload config'")
    try:
        await asyncio.sleep(0.3)
        with records.connection.transaction():
            records.do("select from public.parcours_runs where id = %s for update", run.id)
            answer = await service.post(endpoint("parcours-xl-runner"), json={"runId": str(run.id)})
    finally:
        records.do("alter role service_role reset lock_timeout")
        records.do("notify pgrst, 'reload config'")
    assert answer.status_code == 503


async def test_a_caller_who_hangs_up_is_no_fault_of_ours(
    make_settings: MakeSettings, capture_logs: CaptureLogs
) -> None:
    log = capture_logs("json", "info")
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    app = create_app(make_settings())
    async with app.router.lifespan_context(app) as state:
        scope = {
            "type": "http",
            "method": "POST",
            "path": endpoint("parcours-xl-runner"),
            "headers": [],
            "query_string": b"",
            "state": dict(state or {}),
        }
        await app(scope, receive, send)
    events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
    assert events == ["request.disconnected"]
    assert sent == []
