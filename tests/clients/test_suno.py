"""Suno through sunoapi.org, against the simulated one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_xl.clients.hosts import TrackHosts
from parcours_xl.clients.suno import Order, Suno, SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from tests.fixtures.servers import closed_port, running, saying
from tests.fixtures.vendors import Vendor

pytestmark = pytest.mark.anyio

MODELS = ["V4", "V4_5", "V4_5ALL", "V4_5PLUS", "V5", "V5_5", "V6", "V6_MINI", "V6_WILD"]
TAKE_A_DURATION = {"V5_5", "V6", "V6_MINI", "V6_WILD"}


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def open_suno(
    http: httpx.AsyncClient, url: str, *, model: str = "V5_5", timeout_s: float = 5
) -> Suno:
    return Suno(url, "any", model, timeout_s, http, TrackHosts((), (url.removeprefix("http://"),)))


def order_for(vendor: Vendor, **changes: Any) -> Order:
    usual: dict[str, Any] = {
        "style": "instrumental, 60 BPM, dorian, felt piano. " + "gently " * 200,
        "title": "Au seuil",
        "seconds": 300,
        "callback_url": f"{vendor.url}/nobody?segment=s&token=t",
    }
    return Order(**usual | changes)


@pytest.mark.parametrize("model", MODELS)
async def test_every_model_takes_the_longest_order(
    http: httpx.AsyncClient, suno: Vendor, model: str
) -> None:
    """The simulator refuses what the old rules or the new rules of the vendor would refuse."""
    order = order_for(suno, style="s" * 1000, title="t" * 80, seconds=360)
    task_id = await open_suno(http, suno.url, model=model).submit(order)
    task = next(task for task in suno.state()["tasks"] if task["task"] == task_id)
    payload = task["payload"]
    assert payload["customMode"] is True and payload["instrumental"] is True
    assert payload["model"] == model
    assert payload["callBackUrl"] == order.callback_url
    assert "vocals" in payload["negativeTags"]
    assert payload.get("duration") == (360 if model in TAKE_A_DURATION else None)
    assert not {"prompt", "lyrics"} & payload.keys(), "in custom mode a prompt would be sung"


async def test_a_duration_over_what_suno_takes_is_cut(
    http: httpx.AsyncClient, suno: Vendor
) -> None:
    task_id = await open_suno(http, suno.url).submit(order_for(suno, style="slow", seconds=400))
    task = next(task for task in suno.state()["tasks"] if task["task"] == task_id)
    assert task["payload"]["duration"] == 360


@pytest.mark.parametrize(
    ("fault", "how", "kind", "code"),
    [
        ("refused", {}, "for_good", 400),
        ("refused", {"status": 400}, "for_good", 400),
        ("too_long", {}, "content", 413),
        ("refused", {"code": 404}, "for_good", 404),
        ("refused", {"code": 422}, "for_good", 422),
        ("bad_key", {}, "account", 401),
        ("bad_key", {"status": 401}, "account", 401),
        ("no_credits", {}, "account", 429),
        ("no_credits", {"code": 402}, "account", 402),
    ],
)
async def test_what_suno_refuses_for_good_says_so(
    http: httpx.AsyncClient,
    suno: Vendor,
    fault: str,
    how: dict[str, Any],
    kind: str,
    code: int,
) -> None:
    suno.fail(fault, **how)
    with pytest.raises(SunoRefused) as refused:
        await open_suno(http, suno.url).submit(order_for(suno))
    assert (refused.value.kind, refused.value.code, refused.value.status) == (kind, code, 502)


@pytest.mark.parametrize(
    ("fault", "how", "code"),
    [
        ("busy", {}, 430),
        ("busy", {"code": 429}, 429),  # "frequency": kie.ai's 429 is a rate limit
        ("rate_limited", {}, 405),
        ("rate_limited", {"status": 429}, 429),
        ("maintenance", {}, 455),
        ("maintenance", {"status": 503}, 503),
        ("server_error", {}, 500),
        ("server_error", {"code": 531}, 531),
        ("server_error", {"code": 408}, 408),
        ("not_json", {}, 502),
        ("not_json", {"status": 504}, 504),
    ],
)
async def test_what_suno_refuses_for_now_may_be_asked_again(
    http: httpx.AsyncClient, suno: Vendor, fault: str, how: dict[str, Any], code: int
) -> None:
    suno.fail(fault, **how)
    with pytest.raises(SunoUnavailable) as busy:
        await open_suno(http, suno.url).submit(order_for(suno))
    assert (busy.value.kind, busy.value.code, busy.value.status) == ("later", code, 502)


async def test_a_suno_that_cannot_be_reached_was_asked_for_nothing(
    http: httpx.AsyncClient, suno: Vendor
) -> None:
    with closed_port() as port, pytest.raises(SunoUnavailable):
        await open_suno(http, f"http://127.0.0.1:{port}").submit(order_for(suno))


@pytest.mark.parametrize("when", ["before", "after"])
async def test_no_answer_after_connecting_is_ambiguous(
    http: httpx.AsyncClient, suno: Vendor, when: str
) -> None:
    suno.fail("no_answer", when=when)
    with pytest.raises(SunoOutcomeUnknown):
        await open_suno(http, suno.url).submit(order_for(suno))


async def test_an_answer_that_comes_too_late_is_ambiguous(
    http: httpx.AsyncClient, suno: Vendor
) -> None:
    suno.fail("slow_answer", delay_s=5)
    with pytest.raises(SunoOutcomeUnknown):
        await open_suno(http, suno.url, timeout_s=1).submit(order_for(suno))


@pytest.mark.parametrize(
    "answer",
    [
        Response("<!doctype html><title>Welcome</title>", 200, media_type="text/html"),
        Response(b"", 200),
        JSONResponse([]),
        JSONResponse({"msg": "success"}),
        JSONResponse({"code": 200, "msg": "success", "data": None}),
        JSONResponse({"code": 200, "data": []}),
        JSONResponse({"code": 200, "data": {"taskId": None}}),
        JSONResponse({"code": 200, "data": {"taskId": ""}}),
        JSONResponse({"code": 200, "data": {"taskId": 5}}),
        JSONResponse({"code": 200, "data": {"taskId": "t" * 201}}),
        JSONResponse({"code": 200, "data": {"taskId": "a\x00b"}}),
        Response(b"not gzip", 200, {"content-encoding": "gzip"}),
    ],
    ids=lambda answer: answer.body[:40].decode(),
)
async def test_an_answer_that_names_no_task_is_ambiguous(
    http: httpx.AsyncClient, suno: Vendor, answer: Response
) -> None:
    async def generate(_: Request) -> Response:
        return answer

    app = Starlette(routes=[Route("/api/v1/generate", generate, methods=["POST"])])
    with running(app) as url, pytest.raises(SunoOutcomeUnknown):
        await open_suno(http, url).submit(order_for(suno))


async def test_words_that_are_no_http_are_ambiguous(http: httpx.AsyncClient, suno: Vendor) -> None:
    async with saying(b"220 ready\r\n") as netloc:
        with pytest.raises(SunoOutcomeUnknown):
            await open_suno(http, f"http://{netloc}").submit(order_for(suno))


async def test_a_message_of_sunos_is_cut_and_cleaned(http: httpx.AsyncClient, suno: Vendor) -> None:
    async def generate(_: Request) -> Response:
        return JSONResponse({"code": 400, "msg": "no\x00" + "!" * 10_000, "data": None})

    app = Starlette(routes=[Route("/api/v1/generate", generate, methods=["POST"])])
    with running(app) as url, pytest.raises(SunoRefused) as refused:
        await open_suno(http, url).submit(order_for(suno))
    assert refused.value.message.startswith("Suno refused: no!")
    assert len(refused.value.message) < 300


# record-info and credit


async def test_a_finished_task_is_what_its_callback_would_have_been(
    http: httpx.AsyncClient, suno: Vendor
) -> None:
    task_id, songs = suno.compose()
    event = await open_suno(http, suno.url).ask(task_id)
    assert (event.stage, event.source, event.task_id) == ("complete", "record_info", task_id)
    first, second = event.tracks
    assert (first.id, first.download_url) == (songs[0]["id"], songs[0]["audioUrl"])
    assert first.trusted and second.trusted
    assert first.duration_seconds == songs[0]["duration"]


@pytest.mark.parametrize(
    ("status", "stage", "again"),
    [
        ("PENDING", "pending", None),
        ("TEXT_SUCCESS", "pending", None),
        ("FIRST_SUCCESS", "first", None),
        ("CALLBACK_EXCEPTION", "complete", None),
        ("CREATE_TASK_FAILED", "error", True),
        ("GENERATE_AUDIO_FAILED", "error", True),
        ("SENSITIVE_WORD_ERROR", "error", True),
        ("FAILED", "error", True),
        ("SOMETHING_ELSE_ERROR", "error", True),
        ("SOMETHING_ELSE", "pending", None),
    ],
)
async def test_every_state_of_a_task_is_understood(
    http: httpx.AsyncClient, suno: Vendor, status: str, stage: str, again: bool | None
) -> None:
    task_id, _ = suno.compose()
    suno.fail("record_status", status=status, message="as it were")
    event = await open_suno(http, suno.url).ask(task_id)
    assert event.stage == stage
    assert (event.error and event.error.again) == again


async def test_snake_case_and_empty_addresses_are_understood(
    http: httpx.AsyncClient, suno: Vendor
) -> None:
    task_id, songs = suno.compose()
    suno.fail("record_snake_case")
    event = await open_suno(http, suno.url).ask(task_id)
    assert [track.id for track in event.tracks] == [song["id"] for song in songs]
    suno.fail("record_status", status="SUCCESS")
    suno.fail("empty_urls")
    event = await open_suno(http, suno.url).ask(task_id)
    assert event.stage == "complete"
    assert not any(track.download_url or track.stream_url for track in event.tracks)


async def test_a_task_that_suno_does_not_know_is_refused(
    http: httpx.AsyncClient, suno: Vendor
) -> None:
    with pytest.raises(SunoRefused) as refused:
        await open_suno(http, suno.url).ask("nobody knows")
    assert refused.value.code == 404


async def test_a_record_without_data_is_nothing_new(http: httpx.AsyncClient) -> None:
    async def record_info(_: Request) -> Response:
        return JSONResponse({"code": 200, "msg": "success", "data": None})

    app = Starlette(routes=[Route("/api/v1/generate/record-info", record_info)])
    with running(app) as url:
        event = await open_suno(http, url).ask("t")
    assert (event.stage, event.tracks, event.error) == ("pending", (), None)


async def test_the_credits_left_are_a_number(http: httpx.AsyncClient, suno: Vendor) -> None:
    assert await open_suno(http, suno.url).credit() == suno.state()["credits"]


async def test_a_credit_that_is_no_number_is_no_answer(http: httpx.AsyncClient) -> None:
    async def credit(_: Request) -> Response:
        return JSONResponse({"code": 200, "msg": "success", "data": {"credits": 5}})

    app = Starlette(routes=[Route("/api/v1/generate/credit", credit)])
    with running(app) as url, pytest.raises(SunoOutcomeUnknown):
        await open_suno(http, url).credit()


@asynccontextmanager
async def without_end(piece: bytes, every_s: float) -> AsyncIterator[str]:
    """A server that begins an answer and goes on with this piece for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{")
        with suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(every_s)

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(("piece", "every_s"), [(b" ", 0.2), (bytes(100_000), 0)])
async def test_an_answer_without_end_is_none(
    http: httpx.AsyncClient, piece: bytes, every_s: float
) -> None:
    """A drip is in time with every byte, and would keep a worker's slot for ever."""
    async with without_end(piece, every_s) as url:
        suno = open_suno(http, url, timeout_s=1)
        for call in (suno.credit(), suno.ask("task"), suno.submit(Order("s", "t", 60, url))):
            with pytest.raises(SunoOutcomeUnknown):
                await asyncio.wait_for(call, 30)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"code":200,"data":NaN}',
        '{"code":200,"data":Infinity}',
        '{"code":200,"data":' + "9" * 400 + "}",
    ],
    ids=["deep", "nan", "infinity", "huge"],
)
async def test_an_odd_credit_is_none(http: httpx.AsyncClient, text: str) -> None:
    app = Starlette(routes=[Route("/{path:path}", lambda _: Response(text))])
    with running(app) as url, pytest.raises(SunoOutcomeUnknown):
        await open_suno(http, url).credit()
