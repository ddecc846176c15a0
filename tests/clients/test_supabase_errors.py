"""What PostgREST, Auth and Storage may answer, decided one by one, and what comes of each."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from postgrest.exceptions import APIError
from starlette.responses import JSONResponse, PlainTextResponse, Response

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients import database
from parcours_xl.clients.auth import AuthUnavailable
from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.clients.database import Database, KeyRefused, SupabaseUnavailable
from parcours_xl.clients.storage import StorageUnavailable, TrackGone, TrackNotStorable, track_path
from parcours_xl.clients.supabase_errors import (
    AUTH_LATER,
    KEY,
    LATER,
    OURS,
    POSTGREST,
    FunctionUnknown,
    Verdict,
    judge,
    judge_auth,
)
from parcours_xl.operations.doctor import deployment
from parcours_xl.services import generation
from parcours_xl.settings import key_role
from parcours_xl.wiring import wire_doctor
from tests.fixtures.captured_logs import CaptureLogs
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Forger, Person
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import until

pytestmark = pytest.mark.anyio

# PostgREST's own list, with the HTTP status of each.
DOCUMENTED = {
    **dict.fromkeys(("PGRST000", "PGRST001", "PGRST002"), 503),
    "PGRST003": 504,
    **dict.fromkeys(("PGRST100", "PGRST102", "PGRST108", "PGRST114", "PGRST115"), 400),
    **dict.fromkeys(("PGRST118", "PGRST119", "PGRST120", "PGRST122", "PGRST123"), 400),
    **dict.fromkeys(("PGRST124", "PGRST127", "PGRST128"), 400),
    **dict.fromkeys(("PGRST101", "PGRST105", "PGRST117"), 405),
    "PGRST103": 416,
    **dict.fromkeys(("PGRST106", "PGRST116"), 406),
    "PGRST107": 415,
    **dict.fromkeys(("PGRST111", "PGRST112", "PGRST121"), 500),
    **dict.fromkeys(("PGRST125", "PGRST126"), 404),
    **dict.fromkeys(("PGRST200", "PGRST204"), 400),
    **dict.fromkeys(("PGRST201", "PGRST203"), 300),
    **dict.fromkeys(("PGRST202", "PGRST205"), 404),
    "PGRST300": 500,
    **dict.fromkeys(("PGRST301", "PGRST302", "PGRST303"), 401),
    "PGRSTX00": 500,
}
CLOCK = JSONResponse(
    {"code": "PGRST303", "message": "JWT issued at future", "details": None, "hint": None}, 401
)
RAISED = {LATER: SupabaseUnavailable, KEY: KeyRefused, OURS: APIError}


def test_every_documented_code_is_decided() -> None:
    assert POSTGREST.keys() == DOCUMENTED.keys()
    decided = {code: judge(code, status) for code, status in DOCUMENTED.items()}
    assert decided == POSTGREST
    later = {code for code, verdict in decided.items() if verdict is not OURS}
    assert later == {
        *("PGRST000", "PGRST001", "PGRST002", "PGRST003"),
        *("PGRST200", "PGRST202", "PGRST204", "PGRST205"),
        *("PGRST300", "PGRST301", "PGRST302", "PGRST303", "PGRSTX00"),
    }


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        *((code, 500, LATER) for code in ("40001", "40P01", "55P03", "57014", "57P01", "57P03")),
        *((code, 503, LATER) for code in ("08000", "08006", "53100", "53200", "53300", "53400")),
        ("25006", 405, LATER),
        ("28P01", 403, LATER),
        ("3D000", 400, LATER),
        ("58030", 500, LATER),
        ("XX000", 500, LATER),
        ("42501", 401, OURS),
        ("42501", 403, OURS),
        ("42883", 404, OURS),
        ("42P01", 404, OURS),
        ("22P02", 400, OURS),
        ("23505", 409, OURS),
        ("P0001", 400, OURS),
        # Not PostgREST's: a gateway, a page, a paused or restricted project.
        ("", 401, KEY),
        ("401", 401, KEY),
        ("", 403, KEY),
        *(("", status, LATER) for status in (402, 404, 408, 425, 429, 500, 502, 503, 504)),
        *(("", status, LATER) for status in (520, 521, 522, 524, 530, 540, 544)),
        ("429", 429, LATER),
        ("PGRST999", 500, LATER),
        ("PGRST999", 400, OURS),
    ],
)
def test_what_else_may_be_answered_is_decided(code: str, status: int, verdict: Verdict) -> None:
    assert judge(code, status) is verdict


@pytest.fixture(scope="module")
async def relayed(make_settings: MakeSettings, running_relay: Relay) -> AsyncIterator[Clients]:
    """The clients, with something in between that may answer in Supabase's place."""
    url = running_relay.url
    wishes = {"supabase_url": url, "postgrest_url": f"{url}/rest/v1"}
    async with open_clients(make_settings(**wishes)) as clients:
        yield clients


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
async def test_a_code_is_raised_as_decided_and_the_next_call_succeeds(
    relayed: Clients, relay: Relay, code: str
) -> None:
    body = {"code": code, "message": "no", "details": None, "hint": None}
    relay.broken["/rpc/"] = JSONResponse(body, DOCUMENTED[code])
    with pytest.raises(RAISED[POSTGREST[code]]) as raised:
        await relayed.queries.read_queues()
    assert isinstance(raised.value, FunctionUnknown) == (code == "PGRST202")
    relay.broken.clear()
    assert await relayed.queries.read_queues()


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"message": "Invalid API key", "hint": "Double check it"}, 401),
        PlainTextResponse("Unauthorized", 401),
    ],
    ids=["JSON", "text"],
)
async def test_a_gateway_that_refuses_the_key_is_told_from_one_that_is_unavailable(
    relayed: Clients, relay: Relay, answer: Response
) -> None:
    relay.broken["/rpc/"] = answer
    with pytest.raises(KeyRefused):
        await relayed.queries.read_queues()
    relay.broken["/rpc/"] = PlainTextResponse("Bad Gateway", 502)
    with pytest.raises(SupabaseUnavailable) as raised:
        await relayed.queries.read_queues()
    assert not isinstance(raised.value, KeyRefused)


async def test_a_key_that_stays_refused_is_logged_as_wrong(
    relayed: Clients, relay: Relay, capture_logs: CaptureLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = capture_logs("json", "info")
    relay.broken["/rpc/"] = CLOCK

    async def refused() -> None:
        with pytest.raises(KeyRefused):
            await relayed.queries.read_queues()

    for _ in range(3):
        await refused()
    assert "supabase.key_refused" not in log.getvalue()
    monkeypatch.setattr(database, "KEY_REFUSED_S", 0)
    await refused()
    assert "supabase.key_refused" in log.getvalue()


# What comes of it outside, and in the worker


async def test_a_key_refused_for_a_moment_is_a_503_with_retry_after(
    make_settings: MakeSettings, relay: Relay, owner: Person, make_run: MakeRun
) -> None:
    run = await make_run()
    calls = {
        "parcours-xl-create": {"presetKey": "universel-reset"},
        "parcours-xl-runner": {"runId": str(run.id)},
        "parcours-xl-generate": {"runId": str(run.id), "segmentIndex": 0},
        "parcours-xl-callback": {"stage": "first", "streamUrl": "https://cdn1.suno.ai/1.mp3"},
        "sign-track": {"segmentId": str(run.first)},
        "parcours-xl-cancel": {"runId": str(run.id)},
    }
    query = {"segment": str(run.first), "token": str(uuid4())}
    async with open_service(make_settings(postgrest_url=f"{relay.url}/rest/v1")) as service:
        relay.broken["/rpc/"] = CLOCK
        for name, body in calls.items():
            answer = await service.post(
                endpoint(name), params=query, json=body, headers=owner.headers
            )
            assert answer.status_code == 503, name
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json().keys() == {"error"}
        ready = await service.get("/readyz")
        assert ready.json() == {"ok": False, "supabase": "the service key is refused"}


@pytest.mark.usefixtures("quiet")
async def test_a_task_is_recorded_although_the_key_is_refused_for_a_moment(
    relayed: Clients,
    relay: Relay,
    suno: Vendor,
    make_run: MakeRun,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = await make_run()
    monkeypatch.setattr(generation, "RECORD_PAUSE_S", 0.05)
    relay.broken["/rpc/record_task"] = CLOCK
    submission = asyncio.create_task(
        generation.submit_segment(
            relayed.database, relayed.suno, f"{suno.url}/nobody", segment_id=run.first
        )
    )
    await until(lambda: relay.count("/rpc/record_task") >= 3)
    relay.broken.clear()
    claim = await submission
    assert claim.task_id and records.segment(run.first)["suno_task_id"] == claim.task_id
    assert len(suno.tasks_of(run.first)) == 1, "it was paid for once"


# The configured key


async def check(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, **wishes: object
) -> list[tuple[str, str]]:
    monkeypatch.setattr(deployment, "KEY_PAUSES_S", (0.01, 0.01))
    settings = make_settings(**wishes)
    async with open_clients(settings) as clients:
        checked = await deployment.Supabase().find(wire_doctor(clients, settings))
    return [(one.kind.name, one.message) for one in checked.findings]


async def test_the_doctor_tells_a_wrong_key_from_a_supabase_that_is_unavailable(
    make_settings: MakeSettings,
    stack: LocalProject,
    relay: Relay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rest = {"postgrest_url": f"{relay.url}/rest/v1"}
    assert await check(make_settings, monkeypatch, **rest) == []
    relay.broken["/rpc/"] = CLOCK
    found = await check(make_settings, monkeypatch, **rest)
    assert found == [("service_key", "the service key is refused")]
    relay.broken["/rpc/"] = PlainTextResponse("away", 502)
    [(kind, says)] = await check(make_settings, monkeypatch, **rest)
    assert (kind, "key" in says) == ("supabase", False)


async def test_the_doctor_names_the_anon_key(
    make_settings: MakeSettings, stack: LocalProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await check(make_settings, monkeypatch, supabase_service_role_key=stack.anon_key)
    assert (
        "service_key",
        "the service key has not the rights of a service key: it is the anon key",
    ) in found


def test_a_key_is_known_by_what_it_says(stack: LocalProject) -> None:
    assert key_role(stack.anon_key) == key_role("sb_publishable_x") == "anon"
    assert key_role(stack.service_role_key) == key_role("sb_secret_x") == "service_role"
    for odd in ("", "a.b.c", "x.e30.x", "x.W10.x", "é.é.é"):
        assert key_role(odd) is None


async def test_a_key_refused_once_is_no_finding(
    relayed: Clients, relay: Relay, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    read = relayed.queries.read_queues

    async def read_queues() -> object:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise KeyRefused
        return await read()

    monkeypatch.setattr(type(relayed.queries), "read_queues", lambda _: read_queues())
    monkeypatch.setattr(deployment, "KEY_PAUSES_S", (0.01, 0.01))
    checked = await deployment.Supabase().find(wire_doctor(relayed, make_settings()))
    assert checked.findings == () and asked == 2


# Auth and Storage


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        *((status, None, LATER) for status in (402, 408, 429, 500, 502, 503, 504, 521, 540)),
        *((400, code, LATER) for code in sorted(AUTH_LATER)),
        (401, None, KEY),
        *((403, code, OURS) for code in ("bad_jwt", "session_not_found", "user_not_found")),
        (401, "no_authorization", OURS),
        (400, "invalid_credentials", OURS),
        (403, "user_banned", OURS),
        (422, "weak_password", OURS),
    ],
)
def test_what_auth_may_answer_is_decided(status: int, code: str | None, verdict: Verdict) -> None:
    assert judge_auth(status, code) is verdict


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"message": "Invalid API key", "hint": "x"}, 401),
        JSONResponse({"code": 500, "error_code": "unexpected_failure", "msg": "x"}, 500),
        JSONResponse({"code": 408, "error_code": "request_timeout", "msg": "x"}, 408),
        JSONResponse({"message": "over the quota"}, 402),
    ],
    ids=lambda answer: str(answer.status_code),
)
async def test_an_auth_that_is_not_itself_is_unavailable_and_nobody_is_signed_out(
    relayed: Clients, relay: Relay, owner: Person, forger: Forger, answer: Response
) -> None:
    token = forger.sign_with_secret(forger.claims(owner.id))  # HS256: Auth is asked
    relay.broken["/auth/v1/user"] = answer
    with pytest.raises(AuthUnavailable):
        await relayed.auth.verify_user(token)
    relay.broken.clear()
    assert await relayed.auth.verify_user(token) == owner.id


STORAGE = [
    # Storage's own list: the status in its body, its code, and what is raised at a signature.
    ("404", "NoSuchKey", "not_found", TrackGone),
    ("404", "NoSuchBucket", "Bucket not found", StorageUnavailable),
    ("400", "TenantNotFound", "TenantNotFound", StorageUnavailable),
    ("400", "InvalidJWT", "InvalidJWT", StorageUnavailable),
    ("400", "InvalidRequest", "InvalidRequest", StorageUnavailable),
    ("400", "ExpiredToken", "ExpiredToken", StorageUnavailable),
    ("403", "AccessDenied", "Unauthorized", StorageUnavailable),
    ("403", "SignatureDoesNotMatch", "SignatureDoesNotMatch", StorageUnavailable),
    ("409", "KeyAlreadyExists", "Duplicate", StorageUnavailable),
    ("409", "TransactionError", "TransactionError", StorageUnavailable),
    ("423", "ResourceLocked", "ResourceLocked", StorageUnavailable),
    ("429", "SlowDown", "SlowDown", StorageUnavailable),
    ("500", "InternalError", "InternalError", StorageUnavailable),
    ("500", "DatabaseError", "DatabaseError", StorageUnavailable),
    ("500", "S3Error", "S3Error", StorageUnavailable),
    ("500", "Aborted", "Aborted", StorageUnavailable),
    ("503", "DatabaseConnectionLimit", "DatabaseConnectionLimit", StorageUnavailable),
    ("503", "DatabaseReadOnly", "DatabaseReadOnly", StorageUnavailable),
    ("503", "DatabaseSchemaMismatch", "DatabaseSchemaMismatch", StorageUnavailable),
    ("503", "LockTimeout", "acquiring_lock_timeout", StorageUnavailable),
    ("544", "DatabaseTimeout", "DatabaseTimeout", StorageUnavailable),
]


@pytest.mark.parametrize(("status", "code", "error", "raised"), STORAGE)
async def test_what_storage_may_answer_is_decided(
    relayed: Clients,
    relay: Relay,
    tmp_path: Path,
    status: str,
    code: str,
    error: str,
    raised: type[Exception],
) -> None:
    body = {"statusCode": status, "code": code, "error": error, "message": "no"}
    relay.broken["/storage/v1"] = JSONResponse(body, 400)
    path = track_path(uuid4(), uuid4())
    with pytest.raises(raised):
        await relayed.storage.sign(path)
    file = tmp_path / "track"
    file.write_bytes(b"ID3")
    with pytest.raises(StorageUnavailable):
        await relayed.storage.store(path, file, "audio/mpeg")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        ("413", "EntityTooLarge", "Payload too large"),
        ("415", "InvalidMimeType", "invalid_mime_type"),
    ],
)
async def test_a_file_that_storage_refuses_is_told_from_a_storage_that_is_unavailable(
    relayed: Clients, relay: Relay, tmp_path: Path, status: str, code: str, error: str
) -> None:
    body = {"statusCode": status, "code": code, "error": error, "message": "no"}
    relay.broken["/storage/v1"] = JSONResponse(body, 400)
    file = tmp_path / "track"
    file.write_bytes(b"ID3")
    with pytest.raises(TrackNotStorable):
        await relayed.storage.store(track_path(uuid4(), uuid4()), file, "audio/mpeg")


async def test_a_page_in_storages_place_is_no_missing_track(relayed: Clients, relay: Relay) -> None:
    relay.broken["/storage/v1"] = PlainTextResponse("404 page not found", 404)
    with pytest.raises(StorageUnavailable):
        await relayed.storage.sign(track_path(UUID(int=1), UUID(int=2)))


async def test_the_service_key_is_sent_as_before(
    stack: LocalProject, relay: Relay, make_settings: MakeSettings
) -> None:
    """Calls go past postgrest-py's `execute`: headers and arguments are still its own."""
    async with httpx.AsyncClient() as http:
        database = Database(
            f"{relay.url}/rest/v1", stack.service_role_key, http, make_settings().limits
        )
        assert await database.reserve_suno_request() > 0
    assert relay.asked == [
        ("POST", "/rest/v1/rpc/write_limits"),
        ("POST", "/rest/v1/rpc/reserve_suno_request"),
    ]
