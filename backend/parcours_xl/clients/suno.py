"""Suno through sunoapi.org or kie.ai: generate, record-info, credit.

See docs/vendors.md#suno-resellers.
"""

import asyncio
import math
from dataclasses import dataclass
from typing import Any

import httpx

from parcours_xl import telemetry
from parcours_xl.clients.hosts import TrackHosts
from parcours_xl.clients.suno_codes import RefusalKind, Vendor, judge
from parcours_xl.clients.suno_events import (
    SunoEvent,
    clean_message,
    parse_record,
    read_identifier,
    read_whole,
)
from parcours_xl.domain.prompts import NEGATIVE_TAGS, cut_words
from parcours_xl.errors import PermanentError, RetryableError
from parcours_xl.settings import SUNO_REQUEST_S_MAX

MODELS_WITH_DURATION = frozenset({"V5_5", "V6", "V6_MINI", "V6_WILD"})
STYLE_CHARS_MAX = {"V4": 200}
STYLE_CHARS_MAX_USUAL = 1000
TITLE_CHARS_MAX = 80
UNTITLED = "Parcours"
DURATION_S_MIN, DURATION_S_MAX = 10, 360
MESSAGE_CHARS_MAX = 200
ANSWER_BYTES_MAX = 1_000_000
"""A record with both its tracks takes some 5 kB."""


class SunoRefused(PermanentError):
    """Suno refused the request. kind: 'content', 'for_good', or 'account' (credits, the key)."""

    status = 502

    def __init__(self, message: str, *, code: int, kind: RefusalKind):
        super().__init__(f"Suno refused: {message}", code=code)
        self.kind = kind


class SunoUnavailable(RetryableError):
    """Suno is over its quota, out of service or out of reach; nothing was submitted."""

    status = 502
    kind: RefusalKind = "later"


class SunoOutcomeUnknown(RetryableError):
    """Suno was reached and did not answer: whether it took the request is not known."""

    status = 502


@dataclass(frozen=True, slots=True)
class Order:
    """One piece of music to compose. style and title within Suno's limits; seconds as wished."""

    style: str
    title: str
    seconds: int
    callback_url: str


class Suno:
    """The vendor's API. Callers hold a slot of the quota before every call."""

    def __init__(
        self,
        base_url: str,
        key: str,
        model: str,
        timeout_s: float,
        http: httpx.AsyncClient,
        hosts: TrackHosts,
        vendor: Vendor = "sunoapi",
        submissions: httpx.AsyncClient | None = None,
    ):
        """submissions: opens a connection for each request; default: http."""
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._model = model
        # A whole answer may take twice as long as its parts, and never longer than its slot of the
        # quota is held: one that drips would keep a worker for ever.
        self._whole_s = min(2 * timeout_s, SUNO_REQUEST_S_MAX - 1)
        connect_s = min(timeout_s, self._whole_s / 2)
        self._timeout = httpx.Timeout(timeout_s, connect=connect_s, pool=connect_s)
        self._http = http
        self._submissions = submissions or http
        self._hosts = hosts
        self._vendor = vendor

    async def submit(self, order: Order) -> str:
        """Submit one piece.

        Suno's task id. Raises SunoRefused, SunoUnavailable or SunoOutcomeUnknown.
        """
        # Never on an idle connection: where Suno closes it meanwhile, nobody knows whether it has
        # read the order, and the segment waits.
        answer = await self._ask(
            "POST", "/api/v1/generate", self._submissions, json=self._payload(order)
        )
        named = answer if isinstance(answer, dict) else {}
        task_id = read_identifier(named.get("taskId") or named.get("task_id"))
        if task_id is None:
            raise SunoOutcomeUnknown("Suno took the request and named no task")
        return task_id

    async def ask(self, task_id: str) -> SunoEvent:
        """What has become of a task (record-info).

        Raises SunoRefused, SunoUnavailable or SunoOutcomeUnknown.
        """
        path = "/api/v1/generate/record-info"
        answer = await self._ask("GET", path, params={"taskId": task_id})
        data = answer if isinstance(answer, dict) else {}
        return parse_record(task_id, data, self._hosts, self._vendor)

    async def credit(self) -> float:
        """The credits left. Raises SunoRefused, SunoUnavailable or SunoOutcomeUnknown."""
        answer = await self._ask("GET", "/api/v1/generate/credit")
        try:
            credit = float(answer)
        except (TypeError, ValueError, OverflowError):
            credit = math.nan
        if not math.isfinite(credit):
            raise SunoOutcomeUnknown("Suno named no credit")
        return credit

    def _payload(self, order: Order) -> dict[str, Any]:
        """Valid under the old and the new rules of the vendor (docs/vendors.md#suno-generate)."""
        style_chars_max = STYLE_CHARS_MAX.get(self._model, STYLE_CHARS_MAX_USUAL)
        payload = {
            "customMode": True,
            "instrumental": True,
            "model": self._model,
            "style": cut_words(order.style, style_chars_max),
            "title": order.title[:TITLE_CHARS_MAX] or UNTITLED,
            "negativeTags": NEGATIVE_TAGS,
            "callBackUrl": order.callback_url,
        }
        if self._model in MODELS_WITH_DURATION:
            payload["duration"] = max(DURATION_S_MIN, min(order.seconds, DURATION_S_MAX))
        return payload

    async def _ask(
        self, method: str, path: str, http: httpx.AsyncClient | None = None, **arguments: Any
    ) -> Any:
        with telemetry.call("suno", path.rpartition("/")[2]):
            return await self._exchange(method, path, http or self._http, **arguments)

    async def _exchange(
        self, method: str, path: str, http: httpx.AsyncClient, **arguments: Any
    ) -> Any:
        try:
            async with (
                asyncio.timeout(self._whole_s),
                http.stream(
                    method,
                    self._base_url + path,
                    headers=self._headers,
                    timeout=self._timeout,
                    **arguments,
                ) as response,
            ):
                content = await _read_content(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SunoUnavailable("Suno is out of reach") from error
        except (httpx.RequestError, TimeoutError) as error:
            raise SunoOutcomeUnknown("Suno did not answer") from error
        kind = response.headers.get("content-type", "")
        whole = httpx.Response(
            response.status_code, headers={"content-type": kind}, content=content
        )
        return _read(whole, self._vendor)


async def _read_content(response: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > ANSWER_BYTES_MAX:
            raise SunoOutcomeUnknown("Suno's answer is too long to be one")
    return bytes(content)


def _read(response: httpx.Response, vendor: Vendor) -> Any:
    """The answer's data. Most errors come as HTTP 200 with another `code` in the body."""
    body = _body(response)
    code, message = read_whole(body.get("code")), clean_message(body.get("msg"), MESSAGE_CHARS_MAX)
    if not response.is_success:
        if _is_page(response):  # an edge in front of Suno: the request never got there
            raise SunoUnavailable(
                f"an edge answers {response.status_code}", code=response.status_code
            )
        in_body = code not in (None, 200, response.status_code)
        raise _refusal(code if in_body else response.status_code, message, vendor, in_body=in_body)
    data = body.get("data")
    if code is None and not (isinstance(data, dict) and data):
        raise SunoOutcomeUnknown("Suno's answer could not be read")
    if code not in (None, 200):
        raise _refusal(code, message, vendor, in_body=True)
    return data


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _is_page(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "").lower()
    return "html" in kind or response.content.lstrip()[:1] == b"<"


def _refusal(
    code: int | None, message: str, vendor: Vendor, *, in_body: bool
) -> SunoRefused | SunoUnavailable:
    kind = judge(code, message, vendor, in_body=in_body)
    if kind == "later":
        return SunoUnavailable(f"Suno is busy: {message or code}", code=code)
    return SunoRefused(message or str(code), code=code or 0, kind=kind)
