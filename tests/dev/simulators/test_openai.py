"""The simulated OpenAI, asked through OpenAI's own SDK."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import httpx
import openai
import pydantic
import pytest
from openai.types.chat import ChatCompletionMessageParam
from starlette.applications import Starlette

from parcours_dev.simulators.openai import create_openai
from parcours_dev.simulators.settings import OpenAISettings
from parcours_xl.domain.brief import WrittenBrief, fit_brief
from parcours_xl.domain.emotion import EmotionState
from parcours_xl.domain.presets import Preset, all_presets
from parcours_xl.domain.prompts import brief_messages
from tests.fixtures.servers import running

pytestmark = pytest.mark.anyio

ASKED: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "You plan journeys. Mode: phrygian."},
    {
        "role": "user",
        "content": "Segments: exactly 4, together 1200 to 1260 seconds."
        " Tempo: 88 to 72 BPM. Mode: aeolian to dorian. Instruments: harp, kalimba.",
    },
]

Client = openai.AsyncOpenAI


@pytest.fixture
def app() -> Starlette:
    return create_openai(
        OpenAISettings(answer_s=0, api_key="key", withdrawn_models=("gpt-4o-old",))
    )


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://openai.test") as http:
        yield http


@pytest.fixture
def client(http: httpx.AsyncClient) -> Client:
    return _connect(http, "key")


def _connect(http: httpx.AsyncClient, key: str) -> Client:
    return openai.AsyncOpenAI(
        api_key=key,
        base_url="http://openai.test/v1",
        http_client=http,  # type: ignore[arg-type]  # the SDK takes httpx as well as httpx2
        max_retries=0,
    )


async def _write(client: Client, model: str = "gpt-4o-mini", **changes: Any) -> WrittenBrief | None:
    completion = await client.chat.completions.parse(
        model=model, messages=ASKED, response_format=WrittenBrief, **changes
    )
    return completion.choices[0].message.parsed


async def _fault(http: httpx.AsyncClient, name: str, **options: Any) -> None:
    answer = await http.post("/_control/faults", json={"fault": name, **options})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("preset", all_presets(), ids=lambda preset: preset.key)
async def test_every_preset_gets_a_brief_that_fits(client: Client, preset: Preset) -> None:
    completion = await client.chat.completions.parse(
        model="gpt-4o-mini",
        messages=brief_messages(preset, EmotionState("fear", 0.8)),  # type: ignore[arg-type]
        response_format=WrittenBrief,
        max_completion_tokens=4000,
    )
    written = completion.choices[0].message.parsed
    assert written is not None
    brief = fit_brief(written, preset)
    opening = brief.segments[0].prompt
    assert f"{preset.music.bpm_start} BPM" in opening
    assert preset.music.modes[0] in opening
    assert preset.music.instruments[0] in opening
    assert all(240 <= segment.seconds <= 360 for segment in written.segments)
    assert all(300 <= len(segment.prompt) <= 700 for segment in written.segments)
    assert len({segment.title for segment in written.segments}) == len(written.segments)


async def test_a_brief_follows_what_the_user_says_and_not_the_rules(client: Client) -> None:
    written = await _write(client)
    assert written is not None
    assert len(written.segments) == 4
    first, last = written.segments[0].prompt, written.segments[-1].prompt
    assert "88 BPM" in first and "aeolian" in first
    assert "72 BPM" in last and "dorian" in last
    assert "harp" in first and "kalimba" in first
    assert "une harpe" in written.text.fr
    assert "a harp" in written.text.en
    assert 1200 <= sum(segment.seconds for segment in written.segments) <= 1260


async def test_equal_requests_get_equal_briefs(client: Client) -> None:
    assert await _write(client) == await _write(client)


class Part(pydantic.BaseModel):
    """A piece of something else than a brief."""

    name: str
    weight: float = pydantic.Field(ge=2, le=3)
    kind: Literal["open", "close"]


class Whole(pydantic.BaseModel):
    """A schema with everything strict mode knows."""

    parts: list[Part] = pydantic.Field(min_length=2, max_length=5)
    best: Part | None
    count: int = pydantic.Field(ge=7)
    sure: bool
    note: str | None


async def test_any_strict_schema_is_fulfilled(client: Client) -> None:
    completion = await client.chat.completions.parse(
        model="gpt-4o-mini", messages=ASKED, response_format=Whole
    )
    assert completion.choices[0].message.parsed is not None


async def test_without_a_schema_the_answer_is_a_text(client: Client) -> None:
    completion = await client.chat.completions.create(model="gpt-4o-mini", messages=ASKED)
    choice = completion.choices[0]
    assert choice.finish_reason == "stop"
    assert choice.message.content
    assert completion.usage is not None
    assert completion.usage.total_tokens > completion.usage.prompt_tokens > 0


async def test_responses_are_parsed_as_well(client: Client) -> None:
    response = await client.responses.parse(
        model="gpt-6-luna", input="Exactly 4 segments, 62 BPM", text_format=WrittenBrief
    )
    assert response.output_parsed is not None
    assert "62 BPM" in response.output_parsed.segments[0].prompt
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens > 0


async def test_models_are_listed_without_those_withdrawn(client: Client) -> None:
    names = [model.id async for model in client.models.list()]
    assert "gpt-4o-mini" in names
    assert (await client.models.retrieve("gpt-4o-mini")).id == "gpt-4o-mini"
    for name in ("gpt-4o-old", "mistral"):
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve(name)
        with pytest.raises(openai.NotFoundError) as caught:
            await _write(client, name)
        assert caught.value.code == "model_not_found"


async def test_a_wrong_key_is_refused(http: httpx.AsyncClient) -> None:
    stranger = _connect(http, "wrong")
    with pytest.raises(openai.AuthenticationError):
        await _write(stranger)
    with pytest.raises(openai.AuthenticationError):
        await stranger.models.list()


async def test_too_few_tokens_cut_the_answer_off(client: Client) -> None:
    with pytest.raises(openai.LengthFinishReasonError):
        await _write(client, max_completion_tokens=50)


async def test_thinking_eats_the_tokens_of_an_answer(client: Client) -> None:
    assert await _write(client, "gpt-6-luna", max_completion_tokens=900, reasoning_effort="none")
    with pytest.raises(openai.LengthFinishReasonError):
        await _write(client, "gpt-6-luna", max_completion_tokens=900)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("gpt-4o-mini", {"reasoning_effort": "none"}),
        ("gpt-6-luna", {"temperature": 0.5}),
        ("gpt-6-luna", {"max_tokens": 500}),
    ],
)
async def test_parameters_a_model_does_not_know_are_refused(
    client: Client, model: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError):
        await _write(client, model, **parameters)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda schema: schema.pop("additionalProperties"),
        lambda schema: schema["required"].pop(),
        lambda schema: schema["properties"]["a"].update(allOf=[]),
        lambda schema: schema.update(type="array"),
    ],
)
async def test_a_schema_strict_mode_does_not_take_is_refused(
    client: Client, spoil: Callable[[dict[str, Any]], Any]
) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    wanted: Any = {"name": "plan", "strict": True, "schema": schema}
    await _create(client, wanted)
    spoil(schema)
    with pytest.raises(openai.BadRequestError, match="Invalid schema for response_format 'plan'"):
        await _create(client, wanted)


async def _create(client: Client, wanted: Any) -> None:
    await client.chat.completions.create(
        model="gpt-4o-mini",
        messages=ASKED,
        response_format={"type": "json_schema", "json_schema": wanted},
    )


async def test_nonsense_is_refused(http: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer key"}
    path = "/v1/chat/completions"
    assert (await http.post(path, content=b"{", headers=headers)).status_code == 400
    body = {"model": "gpt-4o-mini", "messages": []}
    assert (await http.post(path, json=body, headers=headers)).status_code == 400
    assert (await http.post(path, json=body)).status_code == 401


async def test_a_model_can_refuse(client: Client, http: httpx.AsyncClient) -> None:
    await _fault(http, "refusal", message="No.")
    completion = await client.chat.completions.parse(
        model="gpt-4o-mini", messages=ASKED, response_format=WrittenBrief
    )
    message = completion.choices[0].message
    assert (message.refusal, message.parsed) == ("No.", None)
    assert await _write(client)


async def test_a_model_can_refuse_in_a_response(client: Client, http: httpx.AsyncClient) -> None:
    await _fault(http, "refusal")
    response = await client.responses.parse(
        model="gpt-4o-mini", input="62 BPM", text_format=WrittenBrief
    )
    assert response.output_parsed is None
    message = response.output[0]
    assert message.type == "message"
    assert message.content[0].type == "refusal"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("cut_off", openai.LengthFinishReasonError),
        ("content_filter", openai.ContentFilterFinishReasonError),
        ("invalid_json", pydantic.ValidationError),
        ("violated_schema", pydantic.ValidationError),
        ("busy", openai.RateLimitError),
        ("server_error", openai.InternalServerError),
        ("bad_key", openai.AuthenticationError),
        ("model_withdrawn", openai.NotFoundError),
    ],
)
async def test_an_answer_can_be_spoilt_in_every_way_once(
    client: Client, http: httpx.AsyncClient, fault: str, error: type[Exception]
) -> None:
    await _fault(http, fault)
    with pytest.raises(error):
        await _write(client)
    assert await _write(client)


async def test_only_the_named_model_is_withdrawn(client: Client, http: httpx.AsyncClient) -> None:
    await _fault(http, "model_withdrawn", times=0, match={"model": "gpt-4o-mini"})
    with pytest.raises(openai.NotFoundError):
        await _write(client)
    assert await _write(client, "gpt-6-luna")


async def test_the_sdk_waits_as_told_and_tries_again(
    client: Client, http: httpx.AsyncClient
) -> None:
    await _fault(http, "busy", retry_after_s=0.1)
    assert await _write(client.with_options(max_retries=1))
    state = (await http.get("/_control")).json()
    assert [request["status"] for request in state["requests"]] == [429, 200]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "slow", "delay_s": 30}, openai.APITimeoutError),
        ({"fault": "no_answer"}, openai.APIConnectionError),
        ({"fault": "no_answer", "delay_s": 30}, openai.APITimeoutError),
    ],
)
async def test_an_answer_may_not_come_in_time_or_not_at_all(
    app: Starlette, fault: dict[str, Any], error: type[Exception]
) -> None:
    app.state.faults.add(fault)
    with running(app) as origin:
        patience_s = 0.5 if "delay_s" in fault else 10
        async with openai.AsyncOpenAI(
            api_key="key", base_url=f"{origin}/v1", max_retries=0, timeout=patience_s
        ) as client:
            with pytest.raises(error) as caught:
                await _write(client)
    assert caught.type is error
