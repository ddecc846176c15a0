"""Secrets, tokens and signed URLs are fed through every path; the logs hold none of them."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog
from starlette.responses import PlainTextResponse

from parcours_xl.api import state
from parcours_xl.clients.clients import open_clients
from parcours_xl.logging import HIDDEN
from parcours_xl.settings import Settings
from parcours_xl.wiring import wire_maintenance, wire_worker
from tests.fixtures.captured_logs import CaptureLogs, Style
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

SUNO_KEY, OPENAI_KEY = "suno-key-7f3a9c51", "sk-openai-2b8e4d60"
METRICS_TOKEN = "metrics-5c1d7e92"
WEBHOOK = "/hooks/services/T0/B0/webhook-9e4f2a"
STYLES: tuple[Style, ...] = ("json", "console")


@pytest.fixture
def settings(make_settings: MakeSettings, relay: Relay) -> Settings:
    relay.broken["/hooks/"] = PlainTextResponse("nobody listens", 500)
    return make_settings(
        suno_api_key=SUNO_KEY,
        openai_api_key=OPENAI_KEY,
        metrics_token=METRICS_TOKEN,
        alert_webhook_url=f"{relay.url}{WEBHOOK}",
        storing_pauses_s=(0, 0),
        retry_pauses_s=(0, 0),
    )


class Trip:
    """Goes through every path of one service and remembers what must not be told."""

    def __init__(
        self, settings: Settings, service: httpx.AsyncClient, records: Records, owner: Person
    ):
        self._settings, self._service = settings, service
        self._records, self._owner = records, owner
        self.secrets = {owner.token, *settings.secrets}

    async def call(self, name: str, body: Any, **arguments: Any) -> httpx.Response:
        return await self._service.post(endpoint(name), json=body, **arguments)

    async def work(self) -> None:
        async with open_clients(self._settings) as clients:
            await wire_worker(clients, self._settings).work_once()

    async def sign_in_and_create(self) -> str:
        for headers in (self._owner.headers, {"Authorization": "Bearer eyJhbGciOi.eyJzdWIiOi.x"}):
            answer = await self.call(
                "parcours-xl-create", {"presetKey": "universel-reset"}, headers=headers
            )
        answer = await self.call(
            "parcours-xl-create", {"presetKey": "universel-reset"}, headers=self._owner.headers
        )
        return str(answer.json()["runId"])

    async def run(self, run_id: str) -> None:
        await self.call("parcours-xl-runner", {"runId": run_id})
        for _ in range(3):
            await self.work()
            self.note_tokens(run_id)

    def note_tokens(self, run_id: str) -> None:
        for row in self._records.segments(run_id):
            self.secrets.add(str(row["callback_token"]))

    async def call_back(self, run_id: str, download_url: str) -> None:
        for segment in self._records.segments(run_id):
            for token in (segment["callback_token"], uuid4()):
                self.secrets.add(str(token))
                for body in (
                    {"stage": "first", "streamUrl": download_url},
                    {"stage": "complete", "downloadUrl": download_url},
                    {"stage": "error", "error": f"callback ?segment=x&token={token} failed"},
                    {"stage": 5, "token": str(token)},
                ):
                    await self.call(
                        "parcours-xl-callback",
                        body,
                        params={"segment": str(segment["id"]), "token": str(token)},
                    )

    async def sign(self, run_id: str) -> None:
        for segment in self._records.segments(run_id):
            answer = await self.call(
                "sign-track", {"segmentId": str(segment["id"])}, headers=self._owner.headers
            )
            if answer.status_code == 200:
                self.secrets.add(answer.json()["url"].partition("token=")[2])

    async def generate_and_give_up(self, run_id: str) -> None:
        await self.call("parcours-xl-generate", {"runId": run_id, "segmentIndex": 0})
        for headers in ({}, self._owner.headers):
            await self.call("parcours-xl-cancel", {"runId": run_id}, headers=headers)

    async def take_care(self) -> None:
        """An alert begins, and the webhook does not take it."""
        self._records.do("update parcours.deployment set maintenance_due_at = clock_timestamp()")
        async with open_clients(self._settings) as clients:
            await wire_maintenance(clients, self._settings).run_once()

    async def erase(self, run_id: str) -> None:
        self._records.do("delete from public.parcours_runs where id = %s", run_id)
        await self.work()

    async def read_logs(self) -> None:
        key = self._settings.supabase_service_role_key.get_secret_value()
        for given in (key, f"{key}x"):
            await self._service.get(
                endpoint("parcours-xl-runner/logs"), headers={"Authorization": f"Bearer {given}"}
            )
        for path in ("/healthz", "/readyz", "/metrics"):
            await self._service.get(path, params={"token": METRICS_TOKEN})


@pytest.fixture
async def trip(settings: Settings, records: Records, owner: Person) -> AsyncIterator[Trip]:
    async with open_service(settings) as service:
        yield Trip(settings, service, records, owner)


@pytest.mark.parametrize("style", STYLES)
async def test_no_path_tells_a_secret(
    trip: Trip,
    settings: Settings,
    suno: Vendor,
    relay: Relay,
    capture_logs: CaptureLogs,
    style: Style,
) -> None:
    log = capture_logs(style, "debug", settings.secrets)
    url = f"{suno.url}/files/nothing.mp3?token=signed-by-suno-81c5"
    trip.secrets.add("signed-by-suno-81c5")
    for fault in ("bad_key", "busy", "no_answer", "refused"):
        suno.recover()
        suno.fail(fault, times=0)
        run_id = await trip.sign_in_and_create()
        await trip.run(run_id)
        suno.recover()
        await trip.run(run_id)
        await trip.call_back(run_id, url)
        await trip.work()
        await trip.sign(run_id)
        await trip.generate_and_give_up(run_id)
        trip.note_tokens(run_id)
        await trip.take_care()
        await trip.erase(run_id)
    await trip.read_logs()
    assert relay.count(WEBHOOK) > 0, "the webhook was told"
    told = log.getvalue()
    assert told.count("request.answered") > 30
    assert [secret for secret in trip.secrets if secret in told] == []
    assert not re.search(r"token=(?!\[hidden\])", told)


@pytest.mark.parametrize("style", STYLES)
async def test_no_crash_tells_a_secret(
    trip: Trip,
    settings: Settings,
    capture_logs: CaptureLogs,
    monkeypatch: pytest.MonkeyPatch,
    style: Style,
) -> None:
    log = capture_logs(style, "debug", settings.secrets)

    def break_down(_: object) -> None:
        raise ValueError(f"all at once: {' '.join(trip.secrets)} https://x/y?token={uuid4()}")

    monkeypatch.setattr(state, "app_state", break_down)
    monkeypatch.setattr("parcours_xl.api.sign_track.app_state", break_down)
    answer = await trip.call("sign-track", {"segmentId": str(uuid4())})
    assert answer.status_code == 500
    told = log.getvalue()
    assert "request.failed" in told and HIDDEN in told
    assert [secret for secret in trip.secrets if secret in told] == []
    assert [secret for secret in trip.secrets if secret in answer.text] == []


async def test_a_service_in_front_of_a_broken_supabase_tells_no_secret(
    make_settings: MakeSettings,
    settings: Settings,
    relay: Relay,
    make_run: MakeRun,
    capture_logs: CaptureLogs,
) -> None:
    """A gateway that repeats the whole request in its answer, headers and all."""
    key = settings.supabase_service_role_key.get_secret_value()
    token = uuid4()
    relay.broken["/rpc/"] = PlainTextResponse(f"apikey: {key}\nbody: ?token={token}", 502)
    log = capture_logs("json", "debug", settings.secrets)
    run = await make_run()
    async with open_service(make_settings(postgrest_url=f"{relay.url}/rest/v1")) as service:
        answer = await service.post(
            endpoint("parcours-xl-callback"),
            params={"segment": str(run.first), "token": str(token)},
            json={"stage": "first", "streamUrl": "https://cdn1.suno.ai/x.mp3"},
        )
    assert answer.status_code == 503
    assert "supabase.unavailable" in log.getvalue()
    assert key not in log.getvalue() and str(token) not in log.getvalue()


@pytest.mark.parametrize(
    "message",
    [
        "GET https://x.supabase.co/storage/v1/object/sign/a/b.mp3?token=abc.def-ghi&download=",
        "Authorization: Bearer abcdefghijkl",
        "key eyJhbGciOiJIUzI1NiIs.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl",
        "sb_secret_abcdefgh and sk-proj-abcdefgh",
    ],
)
def test_what_opens_something_is_hidden_wherever_it_comes_from(
    capture_logs: CaptureLogs, message: str
) -> None:
    log = capture_logs("json", "info", ())
    structlog.get_logger("httpx").warning(message)
    (line,) = log.getvalue().splitlines()
    told = json.loads(line)["event"]
    assert HIDDEN in told
    assert not any(secret in told for secret in ("abc.def", "abcdefgh", "eyJ", "c2lnbmF0dXJl"))


def test_a_line_without_secrets_stays_as_it_is(capture_logs: CaptureLogs) -> None:
    log = capture_logs("json", "info", ())
    structlog.get_logger("x").info("segment.done", path="runs/1/2.mp3", tokens=3, seconds=1.5)
    told = json.loads(log.getvalue())
    assert (told["path"], told["tokens"], told["seconds"]) == ("runs/1/2.mp3", 3, 1.5)
