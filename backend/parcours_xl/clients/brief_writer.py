"""OpenAI writes the brief, by Structured Outputs (docs/vendors.md#openai-sdk)."""

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import openai
import structlog
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.shared import ReasoningEffort
from openai.types.shared_params import ResponseFormatJSONSchema
from pydantic import BaseModel, ConfigDict

from parcours_xl import telemetry
from parcours_xl.domain.brief import Brief, SegmentPlan, UnfitBrief, WrittenBrief, fit_brief
from parcours_xl.domain.durations import BOUNDS, Bounds
from parcours_xl.domain.emotion import EmotionState
from parcours_xl.domain.preset import Preset
from parcours_xl.domain.prompts import FirstPiece, brief_messages
from parcours_xl.settings import Settings

log = structlog.get_logger(__name__)

COMPLETION_TOKENS_MAX = 4000
ATTEMPTS_MAX = 2
ATTEMPT_SHARE = 0.6
"""Of the whole budget, how much one attempt may take: a second one is still worth trying.

Two that are too slow are over the budget. That is the one time-out: over aiohttp, openai also calls
a connection cut off a time-out.
"""
RETRY_PAUSE_S = 0.5
"""How long to wait before the second attempt when OpenAI does not say."""

assert ATTEMPTS_MAX * ATTEMPT_SHARE > 1, "whoever is slow runs out of the budget"

REASONING_MODELS = ("gpt-5", "gpt-6", "gpt-7", "o1", "o3", "o4")
EFFORTS: tuple[ReasoningEffort | None, ...] = ("none", "minimal", "low", None)
"""How little a reasoning model may think, from least; None leaves the parameter out.

Reasoning is paid for and waited for. Models differ in the least that they accept: gpt-5-mini
refuses "none", o4-mini "none" and "minimal".
"""

# What is no brief, and what openai's own parser stumbles over when an answer is no completion.
_MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError)


def _schema_of(model: type[BaseModel]) -> ResponseFormatJSONSchema:
    return {
        "type": "json_schema",
        "json_schema": {
            "name": model.__name__.strip("_"),
            "strict": True,
            "schema": openai.pydantic_function_tool(model)["function"]["parameters"],
        },
    }


class _Probe(BaseModel):
    """The smallest structured answer: what the doctor asks a model for."""

    model_config = ConfigDict(extra="forbid")
    ok: bool


# What openai's own `parse` would make of the models, at every call.
BRIEF_SCHEMA, _PROBE_SCHEMA = _schema_of(WrittenBrief), _schema_of(_Probe)


@dataclass
class TokensSpent:
    """The tokens of one brief, as OpenAI counts them: of every answer, used or not."""

    total: int = 0

    def add(self, model: str, completion: ChatCompletion) -> None:
        usage = completion.usage
        if usage is None:
            return
        given, written = usage.prompt_tokens, usage.completion_tokens
        if not isinstance(given, int) or not isinstance(written, int) or min(given, written) < 0:
            return  # openai's client checks no answer
        self.total += given + written
        telemetry.OPENAI_TOKENS.labels(model, "input").inc(given)
        telemetry.OPENAI_TOKENS.labels(model, "output").inc(written)


class BriefNotWritten(Exception):
    """No brief came of it. reason: one word, kept in the run's metadata."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class _ModelRefused(Exception):
    """A refusal that concerns this model: another one may do what was asked."""

    def __init__(self, error: openai.APIStatusError, *, lasting: bool):
        super().__init__(error.message)
        self.reason = _reason(error)
        self.lasting = lasting


@dataclass
class _Options:
    """The optional parameters that one model takes, as far as it has said."""

    efforts: tuple[ReasoningEffort | None, ...] = EFFORTS
    capped: bool = True

    @property
    def effort(self) -> ReasoningEffort | None:
        return self.efforts[0]

    def drop_refused(self, error: openai.APIStatusError) -> bool:
        """Leave out, from now on, the parameter that was refused; False when none of ours was."""
        if error.status_code not in (400, 422):
            return False
        if self.effort is not None and _names(error, "reasoning_effort"):
            self.efforts = self.efforts[1:]
            return True
        if self.capped and _names(error, "max_completion_tokens"):
            self.capped = False
            return True
        return False


class BriefWriter:
    """Asks the models of the list in order, within one budget of time.

    A model that OpenAI refuses is passed over from then on, and a parameter that a model refuses
    is left out for it from then on, for the life of the process.

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
        # openai's own retries would wait for as long as Retry-After says, whatever the budget.
        self._client = client and client.with_options(
            timeout=seconds * ATTEMPT_SHARE, max_retries=0
        )
        self._models = models
        self._seconds = seconds
        self._refused: set[str] = set()
        self._options: defaultdict[str, _Options] = defaultdict(_Options)

    async def write(
        self,
        preset: Preset,
        emotion: EmotionState,
        spent: TokensSpent | None = None,
        first: SegmentPlan | None = None,
    ) -> tuple[Brief, str]:
        """A brief and the model that wrote it. BriefNotWritten says why there is none.

        spent: is told what it has cost, either way. first: the brief's first segment, when it is
        composed already; the model writes those that continue it.
        """
        if self._client is None:
            raise BriefNotWritten("no_key")
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(deadline):
                return await self._write_with_some_model(
                    self._client, preset, emotion, deadline, spent or TokensSpent(), first
                )
        except TimeoutError as error:
            raise BriefNotWritten("timeout") from error

    async def try_models(self) -> dict[str, str | None]:
        """Have every model complete a tiny request: None where it did, else the reason, one word.

        Raises BriefNotWritten without a key.
        """
        if self._client is None:
            raise BriefNotWritten("no_key")
        client = self._client
        tried = await asyncio.gather(*(self._try_model(client, model) for model in self._models))
        return dict(zip(self._models, tried, strict=True))

    async def _try_model(self, client: openai.AsyncOpenAI, model: str) -> str | None:
        deadline = asyncio.get_running_loop().time() + self._seconds
        question: list[ChatCompletionMessageParam] = [
            {"role": "user", "content": "Answer that you are ready: ok is true."}
        ]
        try:
            async with asyncio.timeout_at(deadline):
                completion = await self._ask(client, model, question, _PROBE_SCHEMA, deadline)
            _Probe.model_validate_json(_content(completion))
        except TimeoutError:
            return "timeout"
        except (BriefNotWritten, _ModelRefused) as why:
            return why.reason
        except (openai.OpenAIError, *_MALFORMED) as error:
            return _reason(error)
        return None

    async def _write_with_some_model(
        self,
        client: openai.AsyncOpenAI,
        preset: Preset,
        emotion: EmotionState,
        deadline: float,
        spent: TokensSpent,
        first: SegmentPlan | None,
    ) -> tuple[Brief, str]:
        given = None
        if first is not None:
            given = FirstPiece(first.title, first.prompt, first.planned_seconds)
        messages: list[ChatCompletionMessageParam] = [
            {"role": message["role"], "content": message["content"]}  # type: ignore[misc]
            for message in brief_messages(preset, emotion, self.bounds, given)
        ]
        reason = "model_withdrawn"
        # When every model has been refused, each is asked again: access may have been given since.
        known = [model for model in self._models if model not in self._refused]
        for model in known or self._models:
            try:
                completion = await self._ask(client, model, messages, BRIEF_SCHEMA, deadline)
                spent.add(model, completion)
                written = WrittenBrief.model_validate_json(_content(completion))
                return fit_brief(written, preset, self.bounds, first), model
            except _ModelRefused as refused:
                log.warning("brief.model_refused", model=model, reason=refused.reason)
                reason = refused.reason
                if refused.lasting:
                    self._refused.add(model)
            except (openai.OpenAIError, *_MALFORMED) as error:
                raise BriefNotWritten(_reason(error)) from error
        raise BriefNotWritten(reason)

    async def _ask(
        self,
        client: openai.AsyncOpenAI,
        model: str,
        messages: list[ChatCompletionMessageParam],
        schema: ResponseFormatJSONSchema,
        deadline: float,
    ) -> ChatCompletion:
        """One model's answer, with what it refuses left out; passing failures are tried again.

        Raises _ModelRefused when another model should be asked, else openai's errors.
        """
        options, attempts = self._options[model], 0
        while True:
            effort = options.effort if model.startswith(REASONING_MODELS) else None
            try:
                with telemetry.call("openai", model):
                    return await client.chat.completions.create(
                        model=model,
                        messages=messages,
                        # As part of the body: openai would look at the schema's every part.
                        extra_body={"response_format": schema},
                        max_completion_tokens=(
                            COMPLETION_TOKENS_MAX if options.capped else openai.omit
                        ),
                        reasoning_effort=effort or openai.omit,
                    )
            except openai.APIStatusError as error:
                if options.drop_refused(error):
                    continue
                if refusal := _judge_refusal(error):
                    raise refusal from error
                failure: openai.APIError = error
            except openai.APIConnectionError as error:
                failure = error
            attempts += 1
            wait_s = _pause_before_retry(failure)
            left_s = deadline - asyncio.get_running_loop().time()
            # What OpenAI tells us to wait for may be longer than a listener can: then nobody waits.
            too_long = wait_s is not None and wait_s >= left_s
            told_so = isinstance(failure, openai.APIStatusError)
            if wait_s is None or attempts == ATTEMPTS_MAX or (too_long and told_so):
                raise failure
            await asyncio.sleep(wait_s)


@asynccontextmanager
async def open_brief_writer(settings: Settings) -> AsyncIterator[BriefWriter]:
    """The writer of a deployment; without a key it can only say so.

    No part of Clients: importing openai takes a second, and workers never write a brief.
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


def _judge_refusal(error: openai.APIStatusError) -> _ModelRefused | None:
    """The refusal as one that another model may not meet; None for any other error.

    Whatever the status: OpenAI answers 400, 403 or 404 for a model that it will not let one use.
    """
    if error.status_code >= 500 or error.status_code in (408, 409, 429):
        return None
    if _concerns_model(error):
        return _ModelRefused(error, lasting=True)
    # A request that one model refuses, another may accept; a refused key is refused for all.
    if error.status_code in (400, 413, 422):
        return _ModelRefused(error, lasting=False)
    return None


def _concerns_model(error: openai.APIStatusError) -> bool:
    return (
        error.status_code in (404, 410)
        or error.param == "model"
        or "model" in (error.code or "")
        or "with this model" in error.message
    )


def _names(error: openai.APIStatusError, parameter: str) -> bool:
    """Whether a request was refused for this parameter, or for the value that it had."""
    return error.param == parameter or parameter in error.message


def _pause_before_retry(error: openai.APIError) -> float | None:
    """Seconds to wait before asking again; None when asking again is of no use."""
    if isinstance(error, openai.APIConnectionError):
        return RETRY_PAUSE_S
    if not isinstance(error, openai.APIStatusError) or error.code == "insufficient_quota":
        return None
    if error.status_code < 500 and error.status_code not in (408, 409, 429):
        return None
    try:
        wait_s = float(error.response.headers.get("retry-after", RETRY_PAUSE_S))
    except ValueError:
        wait_s = math.nan
    # The header may also be a date: then the usual pause is as good a guess.
    return RETRY_PAUSE_S if math.isnan(wait_s) else max(wait_s, 0)


def _content(completion: ChatCompletion) -> str:
    choice = completion.choices[0]
    if choice.finish_reason == "length":
        raise openai.LengthFinishReasonError(completion=completion)
    if choice.finish_reason == "content_filter":
        raise openai.ContentFilterFinishReasonError
    if choice.message.refusal:
        raise BriefNotWritten("refusal")
    if not choice.message.content:
        raise BriefNotWritten("empty")
    return choice.message.content


def _reason(error: Exception) -> str:
    match error:
        case openai.LengthFinishReasonError():
            return "cut_off"
        case openai.ContentFilterFinishReasonError():
            return "content_filter"
        case openai.APIStatusError(code="insufficient_quota"):
            return "no_credits"
        case openai.APIStatusError() if error.status_code < 500 and _concerns_model(error):
            return "model_withdrawn"
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
