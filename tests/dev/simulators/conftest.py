"""The simulated vendors on real ports, and an inbox for callbacks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_dev.simulators.settings import OpenAISettings, SunoSettings
from parcours_dev.simulators.suno import create_suno
from tests.fixtures.servers import running
from tests.fixtures.waiting import wait_until

SEGMENT = "5f0c7f0e-9a4b-4d0c-8d6e-0f6f6b3f2a10"


class Inbox:
    """Receives callbacks as the service would, and keeps them in the order of arrival."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.messages: list[dict[str, Any]] = []
        self.segments: list[str] = []
        self.status = 200

    async def receive(self, request: Request) -> Response:
        self.segments.append(parse_qs(urlsplit(str(request.url)).query)["segment"][0])
        self.messages.append(await request.json())
        return JSONResponse({"ok": self.status == 200}, self.status)

    def url(self, segment: str) -> str:
        return f"{self.origin}/callback?segment={segment}&token=secret"

    @property
    def kinds(self) -> list[str]:
        return [(message["data"] or {}).get("callbackType", "null") for message in self.messages]

    def wait_for(self, kind: str, times: int = 1) -> dict[str, Any]:
        wait_until(lambda: self.kinds.count(kind) >= times)
        return self.messages[self.kinds.index(kind)]


@pytest.fixture(scope="session")
def inboxes() -> Iterator[Callable[[], Inbox]]:
    """One server for the inboxes of all tests, each at a path of its own."""
    opened: list[Inbox] = []

    async def receive(request: Request) -> Response:
        number: int = request.path_params["number"]
        return await opened[number].receive(request)

    app = Starlette(routes=[Route("/{number:int}/callback", receive, methods=["POST"])])
    with running(app) as at:

        def open_inbox() -> Inbox:
            opened.append(Inbox(f"{at}/{len(opened)}"))
            return opened[-1]

        yield open_inbox


@pytest.fixture
def inbox(inboxes: Callable[[], Inbox]) -> Inbox:
    return inboxes()


class SunoAtWork:
    """A simulated Suno on its port, spoken to as a client does."""

    def __init__(self, origin: str, inbox: Inbox, app: Starlette) -> None:
        self.origin, self.inbox, self.app = origin, inbox, app
        self.http = httpx.Client(
            base_url=origin, headers={"authorization": "Bearer key"}, trust_env=False, timeout=30
        )

    def payload(self, segment: str = SEGMENT, **changes: Any) -> dict[str, Any]:
        payload = {
            "customMode": True,
            "instrumental": True,
            "model": "V5_5",
            "style": "instrumental, 64 BPM, dorian, 6/8, handpan, felt piano",
            "title": "La rive 1",
            "negativeTags": "vocals",
            "duration": 12,
            "callBackUrl": self.inbox.url(segment),
        }
        return {name: value for name, value in (payload | changes).items() if value is not None}

    def submit(self, segment: str = SEGMENT, **changes: Any) -> dict[str, Any]:
        answer = self.http.post("/api/v1/generate", json=self.payload(segment, **changes))
        body: dict[str, Any] = answer.raise_for_status().json()
        return body

    def task(self, segment: str = SEGMENT, **changes: Any) -> str:
        body = self.submit(segment, **changes)
        assert body["code"] == 200, body
        return str(body["data"]["taskId"])

    def record(self, task: str) -> dict[str, Any]:
        answer = self.http.get("/api/v1/generate/record-info", params={"taskId": task})
        data: dict[str, Any] = answer.json()["data"]
        return data

    def first_song(self) -> dict[str, Any]:
        song: dict[str, Any] = self.inbox.wait_for("complete")["data"]["data"][0]
        return song

    def fault(self, name: str, **options: Any) -> None:
        answer = self.http.post("/_control/faults", json={"fault": name, **options})
        assert answer.status_code == 201, answer.text

    def told(self, what: str) -> Any:
        """What the control endpoint knows of the first task."""
        return self.control()["tasks"][0][what]

    def wait_complete(self) -> None:
        """Wait for the first task's end without spending the rate limit."""
        wait_until(lambda: self.told("status") == "SUCCESS")

    def control(self) -> dict[str, Any]:
        state: dict[str, Any] = self.http.get("/_control").json()
        return state


@pytest.fixture
def start_suno(inbox: Inbox) -> Iterator[Callable[..., SunoAtWork]]:
    """Start one with these settings; waiting is shortened a thousandfold unless told otherwise."""
    with ExitStack() as started:

        def start(**settings: Any) -> SunoAtWork:
            chosen: dict[str, Any] = {"speed": 1000, "signal": "tones"} | settings
            app = create_suno(SunoSettings(**chosen))
            suno = SunoAtWork(started.enter_context(running(app)), inbox, app)
            started.callback(suno.http.close)
            return suno

        yield start


@pytest.fixture
def suno(start_suno: Callable[..., SunoAtWork]) -> SunoAtWork:
    return start_suno()


@pytest.fixture
def quick_openai() -> OpenAISettings:
    return OpenAISettings(answer_s=0)
