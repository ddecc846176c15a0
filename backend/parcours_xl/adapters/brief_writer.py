"""OpenAI writes the brief, by Structured Outputs (facts C)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.shared_params import ResponseFormatJSONSchema

from parcours_xl.journeys.brief import Brief, UnfitBrief, WrittenBrief, fit_brief
from parcours_xl.journeys.durations import BOUNDS, Bounds
from parcours_xl.journeys.emotion import EmotionState
from parcours_xl.journeys.preset import Preset
from parcours_xl.journeys.prompts import brief_messages
from parcours_xl.settings import Settings

COMPLETION_TOKENS_MAX = 4000
ATTEMPTS_MAX = 2
ATTEMPT_SHARE = 0.6
"""Of the whole budget, how much one attempt may take: a second one is still worth trying.

Two that are too slow are over the budget. That is the one time-out: over aiohttp, openai also calls
a connection cut off a time-out.
"""

assert ATTEMPTS_MAX * ATTEMPT_SHARE > 1, "whoever is slow runs out of the budget"

# What is no brief, and what openai's own parser stumbles over when an answer is no completion.
_MALFORMED = (ValueError, TypeError, AttributeError, LookupError)

REASONING_MODELS = ("gpt-5", "gpt-6", "gpt-7", "o1", "o3", "o4")


# What openai's own `parse` would make of the model, at every call.
SHAPE: ResponseFormatJSONSchema = {
    "type": "json_schema",
    "json_schema": {
        "name": WrittenBrief.__name__,
        "strict": True,
        "schema": openai.pydantic_function_tool(WrittenBrief)["function"]["parameters"],
    },
}


class BriefNotWritten(Exception):
    """No brief came of it. reason: one word, kept in the run's metadata."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class BriefWriter:
    """Asks the first model of the list that is not withdrawn, within one budget of time.

    bounds: what the segments of a brief keep, whoever wrote it.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI | None,
        models: tuple[str, ...],
        seconds: float,
        bounds: Bounds = BOUNDS,
    ):
        self.bounds = bounds
        self._client = client and client.with_options(
            timeout=seconds * ATTEMPT_SHARE, max_retries=ATTEMPTS_MAX - 1
        )
        self._models = models
        self._seconds = seconds

    async def write(self, preset: Preset, emotion: EmotionState) -> tuple[Brief, str]:
        """A brief and the model that wrote it. BriefNotWritten says why there is none."""
        if self._client is None:
            raise BriefNotWritten("no_key")
        try:
            async with asyncio.timeout(self._seconds):
                return await self._write_with_some_model(self._client, preset, emotion)
        except TimeoutError as error:
            raise BriefNotWritten("timeout") from error

    async def find_models(self) -> dict[str, bool]:
        """Which of the models are alive. BriefNotWritten says why that cannot be known."""
        if self._client is None:
            raise BriefNotWritten("no_key")
        client = self._client.with_options(timeout=self._seconds, max_retries=0)
        alive = {}
        for model in self._models:
            try:
                await client.models.retrieve(model)
                alive[model] = True
            except openai.NotFoundError:
                alive[model] = False
            except openai.OpenAIError as error:
                raise BriefNotWritten(_reason(error)) from error
        return alive

    async def _write_with_some_model(
        self, client: openai.AsyncOpenAI, preset: Preset, emotion: EmotionState
    ) -> tuple[Brief, str]:
        for model in self._models:
            try:
                written = await self._write(client, model, preset, emotion)
                return fit_brief(written, preset, self.bounds), model
            except openai.NotFoundError:
                continue
            except (openai.OpenAIError, *_MALFORMED) as error:
                raise BriefNotWritten(_reason(error)) from error
        raise BriefNotWritten("model_withdrawn")

    async def _write(
        self, client: openai.AsyncOpenAI, model: str, preset: Preset, emotion: EmotionState
    ) -> WrittenBrief:
        messages: list[ChatCompletionMessageParam] = [
            {"role": message["role"], "content": message["content"]}  # type: ignore[misc]
            for message in brief_messages(preset, emotion, self.bounds)
        ]
        completion = await client.chat.completions.create(
            model=model,
            messages=messages,
            response_format=SHAPE,
            max_completion_tokens=COMPLETION_TOKENS_MAX,
            reasoning_effort="none" if model.startswith(REASONING_MODELS) else openai.omit,
        )
        return _parse(completion)


@asynccontextmanager
async def open_brief_writer(settings: Settings) -> AsyncIterator[BriefWriter]:
    """The writer of a deployment; without a key it can only say so.

    No part of Outside: importing openai takes a second, and workers never write a brief.
    """
    client = _connect(settings)
    try:
        yield BriefWriter(client, settings.openai_models, settings.brief_s_max, settings.bounds)
    finally:
        if client is not None:
            await client.close()


def _connect(settings: Settings) -> openai.AsyncOpenAI | None:
    if settings.openai_api_key is None:
        return None
    return openai.AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        http_client=openai.DefaultAioHttpClient(),
    )


def _parse(completion: ChatCompletion) -> WrittenBrief:
    choice = completion.choices[0]
    if choice.finish_reason == "length":
        raise openai.LengthFinishReasonError(completion=completion)
    if choice.finish_reason == "content_filter":
        raise openai.ContentFilterFinishReasonError
    if choice.message.refusal:
        raise BriefNotWritten("refusal")
    if not choice.message.content:
        raise BriefNotWritten("empty")
    return WrittenBrief.model_validate_json(choice.message.content)


def _reason(error: Exception) -> str:
    match error:
        case openai.LengthFinishReasonError():
            return "cut_off"
        case openai.ContentFilterFinishReasonError():
            return "content_filter"
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return "bad_key"
        case openai.RateLimitError():
            return "rate_limit"
        case openai.APIConnectionError():
            return "connection"
        case openai.APIStatusError():
            return f"http_{error.status_code}"
        case UnfitBrief():
            return "unfit"
        case openai.OpenAIError():
            return "openai"
        case _:
            return "bad_output"
