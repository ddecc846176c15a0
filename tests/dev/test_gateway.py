"""The gateway: one origin for pages, streams both ways, and outages that pass."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from parcours_dev.supabase.binaries import find_binaries
from parcours_dev.supabase.gateway import create_gateway
from parcours_dev.supabase.postgres import running_postgres_server
from parcours_dev.supabase.project import LocalProject, open_project
from parcours_dev.supabase.stack import running_postgres
from tests.dev.serving import serving

pytestmark = pytest.mark.anyio

ASKED_HEADERS = "authorization, apikey, x-client-info, content-type, x-retry-count, traceparent"
PAGE = {"origin": "https://clinic.example"}


async def echo(request: Request) -> Response:
    """What arrived, as it arrived."""
    body = await request.body()
    answer = JSONResponse(
        {
            "method": request.method,
            "target": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": [[key.decode(), value.decode()] for key, value in request.headers.raw],
            "body": body.decode(),
        },
        status_code=418,
        headers={"x-one": "1", "connection": "x-dropped", "x-dropped": "1"},
    )
    answer.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    return answer


async def upload(request: Request) -> Response:
    """Takes a body, and notes each part when it comes."""
    async for chunk in request.stream():
        await request.app.state.arrived.put(chunk)
    return Response()


async def download(request: Request) -> Response:
    """Sends each part of a body when it is told to."""

    async def body() -> AsyncIterator[bytes]:
        while part := await request.app.state.to_send.get():
            yield part

    return StreamingResponse(body())


SERVICE = Starlette(
    routes=[
        Route("/functions/v1/upload", upload, methods=["POST"]),
        Route("/functions/v1/download", download),
        Route("/{path:path}", echo, methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
    ]
)
SERVICE.state.arrived = asyncio.Queue()
SERVICE.state.to_send = asyncio.Queue()


@pytest.fixture
def project(tmp_path: Path) -> LocalProject:
    """A project of which nothing runs."""
    return open_project(tmp_path, port=0)


@pytest.fixture
async def client(project: LocalProject) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that project's gateway, which runs alone."""
    async with (
        serving(create_gateway(project), project.port),
        httpx.AsyncClient(base_url=project.url, trust_env=False, timeout=30) as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/auth/v1/token", "/rest/v1/runs", "/storage/v1/object/b/a"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
async def test_preflights_are_granted_whatever_header_they_ask_for(
    client: httpx.AsyncClient, path: str, method: str
) -> None:
    asked = {
        "access-control-request-method": method,
        "access-control-request-headers": ASKED_HEADERS,
    }
    answer = await client.options(path, headers=PAGE | asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == ASKED_HEADERS
    assert method in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("path", ["/auth/v1/user", "/auth/v1/settings", "/rest/v1/parcours_runs"])
async def test_auth_and_rest_want_one_of_the_projects_keys(
    client: httpx.AsyncClient, project: LocalProject, path: str
) -> None:
    answer = await client.get(path, headers=PAGE)
    assert (answer.status_code, answer.json()["message"]) == (401, "No API key found in request")
    assert answer.headers["access-control-allow-origin"] == "*"
    answer = await client.get(path, headers={"apikey": project.anon_key + "x"})
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid API key")
    answer = await client.get(path, params={"apikey": project.anon_key})
    assert "API key" not in answer.text


@pytest.mark.parametrize("path", ["/auth/v1/.well-known/jwks.json", "/auth/v1/health"])
async def test_the_public_keys_are_for_everybody(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


async def test_the_service_gets_requests_as_they_came(
    client: httpx.AsyncClient, project: LocalProject
) -> None:
    target = b"/functions/v1/a%2Fb/..%2fc/%C3%A9?x=%20+&x=2&y"
    headers = {"authorization": "Bearer t", "x-many": "1", "te": "trailers", "x-region": "eu"}
    async with serving(SERVICE, project.functions_port):
        request = client.build_request(
            "PUT", "/", content=b"hello", headers=headers, extensions={"target": target}
        )
        answer = await client.send(request)
    told = answer.json()
    assert answer.status_code == 418
    assert f"{told['target']}?{told['query']}".encode() == target
    assert (told["method"], told["body"]) == ("PUT", "hello")
    received = dict(told["headers"])
    assert received["authorization"] == "Bearer t"
    assert received["x-region"] == "eu"
    assert received["x-forwarded-host"] == f"127.0.0.1:{project.port}"
    assert "te" not in received
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["x-one"] == "1"
    assert "x-dropped" not in answer.headers
    assert len(answer.headers.get_list("date")) == 1


async def test_a_request_without_a_body_has_none_behind_the_gateway(
    client: httpx.AsyncClient, project: LocalProject
) -> None:
    async with serving(SERVICE, project.functions_port):
        received = dict((await client.get("/functions/v1/x")).json()["headers"])
    assert not {"transfer-encoding", "content-length"} & set(received)


async def test_the_service_answers_its_own_preflights(
    client: httpx.AsyncClient, project: LocalProject
) -> None:
    asked = {"access-control-request-method": "POST"}
    async with serving(SERVICE, project.functions_port):
        answer = await client.options("/functions/v1/x", headers=PAGE | asked)
    assert answer.status_code == 418


async def test_a_request_streams(client: httpx.AsyncClient, project: LocalProject) -> None:
    async def body() -> AsyncIterator[bytes]:
        for part in (b"one", b"two"):
            yield part
            # It has reached the service before the next one leaves.
            assert await asyncio.wait_for(SERVICE.state.arrived.get(), timeout=5) == part

    async with serving(SERVICE, project.functions_port):
        answer = await client.post("/functions/v1/upload", content=body())
    assert answer.status_code == 200


async def test_an_answer_streams(client: httpx.AsyncClient, project: LocalProject) -> None:
    parts = [b"one", b"two", b""]
    async with serving(SERVICE, project.functions_port):
        SERVICE.state.to_send.put_nowait(parts[0])
        async with client.stream("GET", "/functions/v1/download") as answer:
            received = answer.aiter_raw()
            for part, following in pairwise(parts):
                assert await asyncio.wait_for(anext(received), timeout=5) == part
                SERVICE.state.to_send.put_nowait(following)


@pytest.mark.parametrize("path", ["/functions/v1/x", "/rest/v1/x", "/player"])
async def test_an_upstream_that_is_unavailable_is_a_503_that_passes(
    client: httpx.AsyncClient, project: LocalProject, path: str
) -> None:
    headers = {"apikey": project.anon_key, **PAGE}
    for _ in range(2):
        answer = await client.get(path, headers=headers)
        assert answer.status_code == 503
        assert answer.json()["error"]
        assert answer.headers["access-control-allow-origin"] == "*"
        port = project.postgrest_port if "rest" in path else project.functions_port
        async with serving(SERVICE, port):
            assert (await client.get(path, headers=headers)).status_code == 418


async def test_websockets_are_turned_away(client: httpx.AsyncClient) -> None:
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==",
    }
    answer = await client.get("/realtime/v1/websocket", headers=upgrade)
    assert answer.status_code == 403


async def test_postgrest_answers_pages_through_the_gateway(stack: LocalProject) -> None:
    headers = {
        "apikey": stack.service_role_key,
        "authorization": f"Bearer {stack.service_role_key}",
    }
    async with httpx.AsyncClient(base_url=stack.url, trust_env=False, timeout=30) as client:
        answer = await client.get(
            "/rest/v1/parcours_runs?select=id&limit=1",
            headers={**headers, **PAGE, "prefer": "count=exact"},
        )
    assert answer.status_code in (200, 206)
    assert "content-range" in answer.headers["access-control-expose-headers"]
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert answer.headers["content-range"]


async def test_a_database_that_is_unavailable_is_a_5xx_that_passes(state_dir: Path) -> None:
    with running_postgres(state_dir) as project:
        pass  # made, migrated and stopped
    app = create_gateway(project)
    transport = httpx.ASGITransport(app)
    headers = {"apikey": project.anon_key, "authorization": f"Bearer {project.service_role_key}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=project.url, headers=headers) as client,
    ):
        for _ in range(2):
            for answer in await _ask_everything(client):
                assert answer.status_code == 503, answer.text
            with running_postgres_server(project, find_binaries(), durable=False):
                for answer in await _ask_everything(client):
                    assert answer.status_code == 200, answer.text


async def _ask_everything(client: httpx.AsyncClient) -> list[httpx.Response]:
    upload: dict[str, Any] = {"content": b"music", "headers": {"content-type": "audio/mpeg"}}
    return [
        await client.post("/auth/v1/signup", json={}),
        await client.get("/storage/v1/bucket"),
        await client.put("/storage/v1/object/parcours-tracks/a.mp3", **upload),
    ]
