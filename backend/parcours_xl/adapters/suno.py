"""Suno through sunoapi.org: generate, record-info, credit (facts A1 to A6)."""

from dataclasses import dataclass
from typing import Any, Literal

import httpx

from parcours_xl.adapters.hosts import TrackHosts
from parcours_xl.adapters.suno_events import (
    SunoEvent,
    clean_message,
    parse_record,
    read_identifier,
)
from parcours_xl.journeys.prompts import NEGATIVE_TAGS
from parcours_xl.trouble import Postponed, Refused

MODELS_WITH_DURATION = frozenset({"V5_5", "V6", "V6_MINI", "V6_WILD"})
STYLE_CHARS_MAX = {"V4": 200}
STYLE_CHARS_MAX_USUAL = 1000
TITLE_CHARS_MAX = 80
UNTITLED = "Parcours"
DURATION_S_MAX = 360
MESSAGE_CHARS_MAX = 200

RefusalKind = Literal["later", "for_good", "account"]


class SunoRefused(Refused):
    """Suno refused the request. kind: 'for_good', or 'account' (no credits, a bad key)."""

    status = 502

    def __init__(self, message: str, *, code: int, kind: RefusalKind):
        super().__init__(f"Suno refused: {message}", code=code)
        self.kind = kind


class SunoBusy(Postponed):
    """Suno is over its quota, out of service or out of reach; nothing was submitted."""

    status = 502
    kind: RefusalKind = "later"


class SunoSilent(Postponed):
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
    ):
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._model = model
        self._timeout_s = timeout_s
        self._http = http
        self._hosts = hosts

    async def submit(self, order: Order) -> str:
        """Submit one piece; Suno's task id. Raises SunoRefused, SunoBusy or SunoSilent."""
        answer = await self._ask("POST", "/api/v1/generate", json=self._payload(order))
        task_id = read_identifier(answer.get("taskId")) if isinstance(answer, dict) else None
        if task_id is None:
            raise SunoSilent("Suno took the request and named no task")
        return task_id

    async def ask(self, task_id: str) -> SunoEvent:
        """What has become of a task (record-info). Raises SunoRefused, SunoBusy or SunoSilent."""
        path = "/api/v1/generate/record-info"
        answer = await self._ask("GET", path, params={"taskId": task_id})
        return parse_record(task_id, answer if isinstance(answer, dict) else {}, self._hosts)

    async def credit(self) -> float:
        """The credits left. Raises SunoRefused, SunoBusy or SunoSilent."""
        answer = await self._ask("GET", "/api/v1/generate/credit")
        try:
            return float(answer)
        except (TypeError, ValueError):
            raise SunoSilent("Suno named no credit") from None

    def _payload(self, order: Order) -> dict[str, Any]:
        """Valid under the old and the new rules of the vendor (facts A2)."""
        style_chars_max = STYLE_CHARS_MAX.get(self._model, STYLE_CHARS_MAX_USUAL)
        payload = {
            "customMode": True,
            "instrumental": True,
            "model": self._model,
            "style": order.style[:style_chars_max],
            "title": order.title[:TITLE_CHARS_MAX] or UNTITLED,
            "negativeTags": NEGATIVE_TAGS,
            "callBackUrl": order.callback_url,
        }
        if self._model in MODELS_WITH_DURATION:
            payload["duration"] = min(order.seconds, DURATION_S_MAX)
        return payload

    async def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            response = await self._http.request(
                method,
                self._base_url + path,
                headers=self._headers,
                timeout=self._timeout_s,
                **arguments,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SunoBusy("Suno is out of reach") from error
        except httpx.RequestError as error:
            raise SunoSilent("Suno did not answer") from error
        return _read(response)


def _read(response: httpx.Response) -> Any:
    """The answer's data. Most errors come as HTTP 200 with another `code` in the body."""
    try:
        body = response.json()
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    code, message = body.get("code"), clean_message(body.get("msg"), MESSAGE_CHARS_MAX)
    if response.status_code != 200:
        raise _refusal(response.status_code, message, in_body=False)
    if not isinstance(code, int):
        raise SunoSilent("Suno's answer could not be read")
    if code != 200:
        raise _refusal(code, message, in_body=True)
    return body.get("data")


def _refusal(code: int, message: str, *, in_body: bool) -> SunoRefused | SunoBusy:
    # 429 in the body means "no credits" (facts A3); as an HTTP status, "too fast".
    if code in (401, 402) or (in_body and code == 429 and "frequen" not in message.lower()):
        return SunoRefused(message or "no credits, or a bad key", code=code, kind="account")
    if code in (405, 408, 425, 429, 430, 433, 455) or code >= 500:
        return SunoBusy(f"Suno is busy: {message or code}", code=code)
    return SunoRefused(message or str(code), code=code, kind="for_good")
