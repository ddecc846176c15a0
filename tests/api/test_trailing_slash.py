"""A trailing slash is the same address, and nothing is ever answered with a redirect.

A redirect would name the host that the request named, and repeat its query: a callback's token.
"""

from uuid import uuid4

import httpx
import pytest

from parcours_xl.api.routes import FUNCTION_ROUTES
from tests.fixtures.service import endpoint

pytestmark = pytest.mark.anyio

QUERY = {"segment": str(uuid4()), "token": str(uuid4())}
FOREIGN = {"Host": "evil.example"}
PAGES = ("config.json", "presets.json", "openapi.json", "healthz", "readyz", "metrics")


@pytest.mark.parametrize("name", [one.name for one in FUNCTION_ROUTES])
async def test_a_function_answers_with_a_slash_as_without(
    service: httpx.AsyncClient, name: str
) -> None:
    plain, slashed = [
        await service.post(url, params=QUERY, json={"stage": "text"}, headers=FOREIGN)
        for url in (endpoint(name), f"{endpoint(name)}/")
    ]
    assert plain.status_code == slashed.status_code < 500
    assert plain.content == slashed.content
    assert "location" not in slashed.headers


async def test_the_logs_answer_with_a_slash_as_without(service: httpx.AsyncClient) -> None:
    url = f"{endpoint('parcours-xl-runner')}/logs"
    plain, slashed = [await service.get(one, headers=FOREIGN) for one in (url, f"{url}/")]
    assert (plain.status_code, plain.content) == (slashed.status_code, slashed.content)


@pytest.mark.parametrize(
    "path",
    [
        *("/functions/v1", "/functions/v1/", "/functions", "/functions/v1//parcours-xl-callback"),
        *(f"/{page}/" for page in PAGES),
        *(
            "/assets",
            "/assets/..",
            "/.",
            "/x/..",
            "//evil.example",
            "//evil.example/..",
            "/index.html/",
        ),
    ],
)
async def test_nothing_is_answered_with_a_redirect(service: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST"):
        request = service.build_request(method, "/", params=QUERY, headers=FOREIGN)
        request.url = request.url.copy_with(
            raw_path=f"{path}?{request.url.query.decode()}".encode()
        )
        answer = await service.send(request)
        assert not answer.is_redirect, answer.headers["location"]
        assert "location" not in answer.headers
