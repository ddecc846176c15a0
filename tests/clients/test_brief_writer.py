"""OpenAI writes the brief, within one budget of time, or it is said why not."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai as openai_sdk
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from parcours_xl.clients.brief_writer import BriefNotWritten, BriefWriter, TokensSpent
from parcours_xl.domain.brief import Brief, curated_brief
from parcours_xl.domain.emotion import EmotionState
from parcours_xl.domain.presets import all_presets, find_preset
from tests.fixtures.servers import running
from tests.fixtures.vendors import Vendor

pytestmark = pytest.mark.anyio

FEAR = EmotionState("fear", 0.8)
PRESET = find_preset("panique-anxiete")


@asynccontextmanager
async def writer_at(
    url: str, *models: str, seconds: float = 15, key: str = "any"
) -> AsyncIterator[BriefWriter]:
    async with openai_sdk.AsyncOpenAI(api_key=key, base_url=f"{url}/v1") as client:
        yield BriefWriter(client, models or ("gpt-4o-mini",), seconds)


async def reason_of(writer: BriefWriter) -> str:
    with pytest.raises(BriefNotWritten) as why:
        await writer.write(PRESET, FEAR)
    return why.value.reason


def assert_fit(brief: Brief) -> None:
    seconds = [segment.planned_seconds for segment in brief.segments]
    assert len(seconds) in (3, 4)
    assert all(240 <= planned <= 360 for planned in seconds)
    assert 1080 <= sum(seconds) <= 1440


@pytest.mark.parametrize("preset", all_presets(), ids=lambda preset: preset.key)
async def test_every_preset_gets_a_brief_that_fits(openai: Vendor, preset: Any) -> None:
    async with writer_at(openai.url) as writer:
        brief, model = await writer.write(preset, FEAR)
    assert model == "gpt-4o-mini"
    assert_fit(brief)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4.1-mini", "gpt-5-nano", "gpt-6-luna"])
async def test_every_kind_of_model_understands_the_request(openai: Vendor, model: str) -> None:
    """The simulator refuses parameters that the real models refuse, and a cap they run into."""
    async with writer_at(openai.url, model) as writer:
        brief, written_by = await writer.write(PRESET, EmotionState())
    assert written_by == model
    assert_fit(brief)


async def test_what_a_brief_has_cost_is_told_whether_it_was_used_or_not(openai: Vendor) -> None:
    used, wasted = TokensSpent(), TokensSpent()
    async with writer_at(openai.url) as writer:
        await writer.write(PRESET, FEAR, used)
        openai.fail("violated_schema", times=0)
        with pytest.raises(BriefNotWritten):
            await writer.write(PRESET, FEAR, wasted)
    assert used.total > 100 and wasted.total > 100


@pytest.mark.parametrize("preset", all_presets(), ids=lambda preset: preset.key)
async def test_every_preset_gets_a_brief_that_continues_its_first_piece(
    openai: Vendor, preset: Any
) -> None:
    first = curated_brief(preset).segments[0]
    async with writer_at(openai.url) as writer:
        brief, _ = await writer.write(preset, FEAR, first=first)
    assert brief.segments[0] == first
    assert_fit(brief)


async def test_without_a_key_nobody_is_asked() -> None:
    assert await reason_of(BriefWriter(None, ("gpt-4o-mini",), 15)) == "no_key"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refusal", "refusal"),
        ("cut_off", "cut_off"),
        ("content_filter", "content_filter"),
        ("invalid_json", "bad_output"),
        ("violated_schema", "bad_output"),
        ("bad_key", "bad_key"),
    ],
)
async def test_a_definite_no_is_not_asked_again(openai: Vendor, fault: str, reason: str) -> None:
    asked = len(openai.state()["requests"])
    openai.fail(fault)
    async with writer_at(openai.url) as writer:
        assert await reason_of(writer) == reason
    assert len(openai.state()["requests"]) == asked + 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("busy", "rate_limit"), ("server_error", "http_500"), ("no_answer", "connection")],
)
async def test_a_passing_error_is_asked_once_more(openai: Vendor, fault: str, reason: str) -> None:
    openai.fail(fault)
    async with writer_at(openai.url) as writer:
        assert_fit((await writer.write(PRESET, FEAR))[0])
        openai.fail(fault, times=0)
        assert await reason_of(writer) == reason


async def test_an_openai_out_of_reach_is_a_lost_connection(dead_port: int) -> None:
    async with writer_at(f"http://127.0.0.1:{dead_port}") as writer:
        assert await reason_of(writer) == "connection"


@pytest.mark.parametrize(
    ("fault", "how"), [("slow", {"delay_s": 60}), ("busy", {"retry_after_s": 0.4, "times": 0})]
)
async def test_the_budget_is_for_everything_retries_included(
    openai: Vendor, fault: str, how: dict[str, Any]
) -> None:
    openai.fail(fault, **{"times": 0} | how)
    began = time.monotonic()
    async with writer_at(openai.url, "gpt-4o-mini", "gpt-6-luna", seconds=0.6) as writer:
        assert await reason_of(writer) == ("timeout" if fault == "slow" else "rate_limit")
    assert time.monotonic() - began < 20


async def test_a_wait_longer_than_the_budget_falls_back_at_once(openai: Vendor) -> None:
    asked = len(openai.state()["requests"])
    openai.fail("busy", retry_after_s=3600, times=0)
    # The budget is so long that a writer who waits for it never ends this test.
    async with writer_at(openai.url, seconds=3000) as writer:
        assert await reason_of(writer) == "rate_limit"
    assert len(openai.state()["requests"]) == asked + 1


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (200, "[" * 100_000, "bad_output"),
        (200, "{}", "bad_output"),
        (200, '{"choices":[null]}', "bad_output"),
        (400, '{"error":{"code":["model"],"message":null,"param":{}}}', "model_withdrawn"),
        (429, "5", "rate_limit"),
    ],
    ids=["deep", "empty", "no-choice", "odd-error", "odd-wait"],
)
async def test_an_answer_that_is_none_falls_back(status: int, text: str, reason: str) -> None:
    headers = {"content-type": "application/json", "retry-after": "nan"}
    route = Route("/{path:path}", lambda _: Response(text, status, headers), methods=["POST"])
    with running(Starlette(routes=[route])) as url:
        async with writer_at(url, "gpt-4o-mini", "gpt-6-luna", seconds=15) as writer:
            assert await reason_of(writer) == reason


async def test_a_key_without_credits_is_not_asked_again(openai: Vendor) -> None:
    asked = len(openai.state()["requests"])
    openai.fail("busy", code="insufficient_quota", times=0)
    async with writer_at(openai.url) as writer:
        assert await reason_of(writer) == "no_credits"
    assert len(openai.state()["requests"]) == asked + 1


async def test_one_slow_answer_leaves_time_for_another(openai: Vendor) -> None:
    openai.fail("slow", delay_s=60)
    async with writer_at(openai.url, seconds=6) as writer:
        assert_fit((await writer.write(PRESET, FEAR))[0])


async def test_a_withdrawn_model_is_followed_by_the_next(openai: Vendor) -> None:
    openai.fail("model_withdrawn", match={"model": "gpt-4o-mini"})
    async with writer_at(openai.url, "gpt-4o-mini", "gpt-6-luna") as writer:
        brief, model = await writer.write(PRESET, FEAR)
    assert model == "gpt-6-luna"
    assert_fit(brief)


async def asked_models(openai: Vendor, writer: BriefWriter) -> list[str]:
    """The models that one brief takes, in the order in which they are asked."""
    before = len(openai.state()["requests"])
    assert_fit((await writer.write(PRESET, FEAR))[0])
    return [request["model"] for request in openai.state()["requests"][before:]]


@pytest.mark.parametrize(
    ("model", "asked"), [("gpt-5-mini", 2), ("gpt-5", 2), ("o4-mini", 3), ("gpt-6-luna", 1)]
)
async def test_the_least_effort_that_a_model_takes_is_found_and_remembered(
    openai: Vendor, model: str, asked: int
) -> None:
    """gpt-5-mini refuses the effort "none", o4-mini also "minimal" (400 unsupported_value)."""
    async with writer_at(openai.url, model) as writer:
        assert await asked_models(openai, writer) == [model] * asked
        assert await asked_models(openai, writer) == [model]


REFUSALS_OF_A_MODEL = {
    "404": {"status": 404, "code": "model_not_found"},
    "403 without access": {"status": 403, "code": "model_not_found"},
    "400 by name": {"status": 400, "parameter": "model", "message": "invalid model ID"},
    "410 deprecated": {"status": 410, "code": "model_deprecated"},
    "400 without structured outputs": {
        "status": 400,
        "parameter": "response_format",
        "message": "'response_format' of type 'json_schema' is not supported with this model.",
    },
}


@pytest.mark.parametrize("refusal", REFUSALS_OF_A_MODEL.values(), ids=REFUSALS_OF_A_MODEL)
async def test_a_refused_model_is_followed_by_the_next_and_remembered(
    openai: Vendor, refusal: dict[str, Any]
) -> None:
    openai.fail("refused", match={"model": "gpt-4o-mini", "call": "completion"}, **refusal)
    async with writer_at(openai.url, "gpt-4o-mini", "gpt-6-luna") as writer:
        assert await asked_models(openai, writer) == ["gpt-4o-mini", "gpt-6-luna"]
        assert await asked_models(openai, writer) == ["gpt-6-luna"]


async def test_a_request_that_one_model_refuses_goes_to_the_next_once(openai: Vendor) -> None:
    openai.fail("refused", match={"model": "gpt-4o-mini", "call": "completion"}, status=400)
    async with writer_at(openai.url, "gpt-4o-mini", "gpt-6-luna") as writer:
        assert await asked_models(openai, writer) == ["gpt-4o-mini", "gpt-6-luna"]
        assert await asked_models(openai, writer) == ["gpt-4o-mini"]


async def test_an_unsupported_parameter_is_left_out_and_remembered(openai: Vendor) -> None:
    openai.fail(
        "refused", status=400, code="unsupported_parameter", parameter="max_completion_tokens"
    )
    async with writer_at(openai.url) as writer:
        assert await asked_models(openai, writer) == ["gpt-4o-mini"] * 2
        assert await asked_models(openai, writer) == ["gpt-4o-mini"]


async def test_when_all_models_were_refused_they_are_asked_again(openai: Vendor) -> None:
    """Access may have been given meanwhile: the process need not be started anew."""
    openai.fail("model_withdrawn", match={"model": "gpt-4o-mini"})
    async with writer_at(openai.url) as writer:
        assert await reason_of(writer) == "model_withdrawn"
        assert await asked_models(openai, writer) == ["gpt-4o-mini"]


async def test_every_model_is_tried_with_a_real_request(openai: Vendor) -> None:
    openai.fail("busy", code="insufficient_quota", match={"model": "gpt-4o-mini"}, times=0)
    async with writer_at(openai.url, "gpt-4o-mini", "gpt-5-mini", "no-such-model") as writer:
        tried = await writer.try_models()
    assert tried == {
        "gpt-4o-mini": "no_credits",
        "gpt-5-mini": None,
        "no-such-model": "model_withdrawn",
    }


async def test_when_every_model_is_withdrawn_it_is_said(openai: Vendor) -> None:
    openai.fail("model_withdrawn", times=0)
    async with writer_at(openai.url, "gpt-4o-mini", "gpt-6-luna") as writer:
        assert await reason_of(writer) == "model_withdrawn"


# Answers that the simulator would never give


def completion(content: object, **choice: object) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"} | choice],
    }


def both(
    fr: str = "Vous êtes là. La musique vous accompagne.",
    en: str = "You are here. The music keeps you company.",
) -> dict[str, str]:
    return {"fr": fr, "en": en}


def written(**changes: object) -> dict[str, Any]:
    segment = {
        "title": "Premier pas",
        "prompt": "Instrumental felt piano and strings, 60 BPM, dorian, slowly opening",
        "seconds": 300,
    }
    brief = {
        "title": "Un moment calme",
        "text": both(),
        "segments": [segment] * 4,
    }
    return completion(json.dumps(brief | changes))


FORBIDDEN = {
    "breath-holding": "Inspirez, puis retenez votre souffle quatre secondes.",
    "exposure": "Imaginez la situation dont vous avez peur.",
    "hypnosis": "Vos paupières sont lourdes et se ferment.",
    "acupressure": "Appuyez sur le point P6 du poignet.",
    "a claim": "Cette musique guérit l'anxiété.",
}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        *((JSONResponse(written(text=both(fr=text))), "unfit") for text in FORBIDDEN.values()),
        (JSONResponse(written(text=both(en="This music cures anxiety."))), "unfit"),
        (JSONResponse(written(text="Vous êtes là.")), "bad_output"),
        (JSONResponse(written(title="")), "unfit"),
        (JSONResponse(written(title="T" * 81)), "unfit"),
        (JSONResponse(written(text=both(fr="mot " * 400))), "unfit"),
        (JSONResponse(written(text=both(fr="Vous êtes là.\x00"))), "unfit"),
        (JSONResponse(written(segments=[])), "bad_output"),
        (JSONResponse(completion(None)), "empty"),
        (JSONResponse(completion("")), "empty"),
        (JSONResponse(completion('"\\ud800"')), "bad_output"),
        (JSONResponse(completion("{}") | {"choices": []}), "bad_output"),
        (JSONResponse(completion("{}") | {"choices": None}), "bad_output"),
        (JSONResponse([]), "bad_output"),
        (JSONResponse("x"), "bad_output"),
        (HTMLResponse("<h1>Sign in to the Wi-Fi</h1>"), "bad_output"),
        (Response(b"{", media_type="application/json"), "bad_output"),
        (JSONResponse({"error": {"message": "not allowed"}}, 403), "bad_key"),
        (JSONResponse({"error": {"message": "bad request"}}, 400), "http_400"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body[-60:].decode(),
)
async def test_an_answer_that_is_no_fit_brief_says_what_it_is(
    answer: Response, reason: str
) -> None:
    async def complete(_: Request) -> Response:
        return answer

    app = Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])
    with running(app) as url:
        async with writer_at(url) as writer:
            assert await reason_of(writer) == reason
