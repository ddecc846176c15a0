"""What a caller sent, read within limits; anything else is a clear 400, 408 or 413."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours_xl.api import schemas
from parcours_xl.api.routes import FUNCTION_ROUTES
from parcours_xl.api.schemas import BODY_BYTES_MAX
from tests.fixtures.service import endpoint
from tests.fixtures.users import Person

FUNCTIONS = [endpoint.name for endpoint in FUNCTION_ROUTES]

pytestmark = pytest.mark.anyio

RUNNER = endpoint("parcours-xl-runner")

# Written out, since every test process must give its cases the same names.
SOME_ID = "5f0c1d0e-6f1b-4a7e-9d4c-2b8a54d3c1aa"


def url_of(name: str) -> str:
    query = f"?segment={uuid4()}&token={uuid4()}" if name == "parcours-xl-callback" else ""
    return endpoint(name) + query


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """A body whose length nobody declares."""
    for start in range(0, size, 8192):
        yield b" " * min(8192, size - start)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_64_kib_is_refused(
    service: httpx.AsyncClient, owner: Person, name: str, declared: bool
) -> None:
    too_large = BODY_BYTES_MAX + 1
    answer = await service.post(
        url_of(name),
        content=b" " * too_large if declared else in_pieces(too_large),
        headers=owner.headers,
    )
    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is over 65536 bytes"}


async def test_a_body_that_does_not_come_is_given_up(
    service: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "BODY_S_MAX", 0.2)

    async def halting() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    answer = await service.post(RUNNER, content=halting())
    assert answer.status_code == 408
    assert answer.json() == {"error": "the body did not come within 0.2 s"}


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_of_64_kib_is_read(service: httpx.AsyncClient, declared: bool) -> None:
    body = json.dumps({"runId": str(uuid4())}).encode().ljust(BODY_BYTES_MAX)

    async def pieces() -> AsyncIterator[bytes]:
        yield body[:10]
        yield body[10:]

    answer = await service.post(RUNNER, content=body if declared else pieces())
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown run")


async def test_reading_stops_at_the_limit(service: httpx.AsyncClient) -> None:
    read = 0

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 8192
            yield b" " * 8192

    answer = await service.post(RUNNER, content=without_end())
    assert answer.status_code == 413
    assert read < BODY_BYTES_MAX * 2


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"not json",
        b'{"a": 1} x',
        b"\xff\xfe\xfd",
        b"\x80",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"true",
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b"1" * 5000,
        b'{"runId": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda content: content[:12].decode("latin-1") or "nothing",
)
async def test_what_is_not_a_json_object_is_told(
    service: httpx.AsyncClient, owner: Person, name: str, content: bytes
) -> None:
    answer = await service.post(url_of(name), content=content, headers=owner.headers)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the body is not")
    assert answer.json()["details"] == [{"field": "", "message": answer.json()["error"]}]


@pytest.mark.parametrize(
    ("name", "body", "fields"),
    [
        ("parcours-xl-create", {}, ["presetKey"]),
        ("parcours-xl-create", {"presetKey": None}, ["presetKey"]),
        ("parcours-xl-create", {"presetKey": 1}, ["presetKey"]),
        ("parcours-xl-create", {"presetKey": ["x"]}, ["presetKey"]),
        ("parcours-xl-runner", {}, ["runId"]),
        ("parcours-xl-runner", {"runId": None}, ["runId"]),
        ("parcours-xl-runner", {"runId": "1"}, ["runId"]),
        ("parcours-xl-runner", {"runId": 5}, ["runId"]),
        ("parcours-xl-runner", {"runId": ["a"]}, ["runId"]),
        ("parcours-xl-runner", {"runId": "\x00"}, ["runId"]),
        ("parcours-xl-generate", {}, [""]),
        ("parcours-xl-generate", {"runId": str(uuid4())}, [""]),
        ("parcours-xl-generate", {"segmentIndex": 0}, [""]),
        ("parcours-xl-generate", {"segmentId": "x", "segmentIndex": "a"}, 2),
        ("parcours-xl-generate", {"runId": str(uuid4()), "segmentIndex": "0"}, ["segmentIndex"]),
        ("parcours-xl-generate", {"runId": str(uuid4()), "segmentIndex": True}, ["segmentIndex"]),
        ("parcours-xl-generate", {"runId": str(uuid4()), "segmentIndex": -1}, ["segmentIndex"]),
        ("parcours-xl-generate", {"runId": str(uuid4()), "segmentIndex": 1.5}, ["segmentIndex"]),
        ("parcours-xl-generate", {"runId": str(uuid4()), "segmentIndex": 10**20}, ["segmentIndex"]),
        ("parcours-xl-callback", {"stage": 5}, ["stage"]),
        ("parcours-xl-callback", {"stage": "complete", "downloadUrl": 5}, ["downloadUrl"]),
        ("sign-track", {}, ["segmentId"]),
        ("sign-track", {"segmentId": "x"}, ["segmentId"]),
        ("sign-track", {"segmentId": {}}, ["segmentId"]),
    ],
)
async def test_wrong_types_are_told_field_by_field(
    service: httpx.AsyncClient,
    owner: Person,
    name: str,
    body: dict[str, object],
    fields: list[str] | int,
) -> None:
    content = json.dumps(body).encode()
    answer = await service.post(url_of(name), content=content, headers=owner.headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "the request is not as documented"
    told = [fault["field"] for fault in answer.json()["details"]]
    assert (told if isinstance(fields, list) else len(told)) == fields
    assert all(fault["message"] for fault in answer.json()["details"])


async def test_a_fault_does_not_repeat_what_was_sent(
    service: httpx.AsyncClient, owner: Person
) -> None:
    body = {"segmentId": "<script>secret</script>"}
    answer = await service.post(endpoint("sign-track"), json=body, headers=owner.headers)
    assert answer.status_code == 400
    assert "secret" not in answer.text


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["presetKey", "emotionState", "emotion", "intensity", "runId", "segmentId"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "parcours-xl-callback"])
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=BODIES)
async def test_no_json_is_ever_our_fault(
    service: httpx.AsyncClient, owner: Person, name: str, body: object
) -> None:
    content = json.dumps(body).encode()
    answer = await service.post(endpoint(name), content=content, headers=owner.headers)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("name", ["parcours-xl-runner", "parcours-xl-generate"])
@pytest.mark.parametrize("around", [" {}", "{}\n", "\t {}  "])
async def test_blanks_around_an_id_are_nothing(
    service: httpx.AsyncClient, name: str, around: str
) -> None:
    """As `psql -t` prints an id."""
    field = "runId" if name == "parcours-xl-runner" else "segmentId"
    answer = await service.post(url_of(name), json={field: around.format(uuid4())})
    assert answer.status_code == 404, answer.text


async def test_blanks_around_an_id_of_the_query_are_nothing(service: httpx.AsyncClient) -> None:
    url = f"{endpoint('parcours-xl-callback')}?segment=%20{uuid4()}&token={uuid4()}%20"
    answer = await service.post(url, json={"code": 200})
    assert answer.status_code == 401, answer.text


@pytest.mark.parametrize("id", [" " * 101, f"{' ' * 70}{SOME_ID}", f"{SOME_ID} x", ""])
async def test_an_id_is_no_longer_with_its_blanks_than_is_needed(
    service: httpx.AsyncClient, id: str
) -> None:
    answer = await service.post(RUNNER, json={"runId": id})
    assert answer.status_code == 400, answer.text
