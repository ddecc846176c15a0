"""`parcours doctor`: what is found, what it means, and what --fix repairs."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import anyio
import anyio.abc
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_dev.supabase.project import LocalProject
from parcours_xl.cli.context import QUEUED
from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.clients.suno_events import SunoEvent, SunoTrack
from parcours_xl.operations.doctor import deployment
from parcours_xl.operations.doctor.examination import KINDS, run_checks
from parcours_xl.wiring import wire_doctor, wire_worker
from parcours_xl.worker.worker import Worker
from tests.fixtures.operator import CommandResult, Operator
from tests.fixtures.records import NewRun, Records
from tests.fixtures.relay import Relay
from tests.fixtures.servers import running
from tests.fixtures.service import MakeSettings
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import wait_until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet", "healthy")]


@pytest.fixture(scope="module")
def callback_endpoint() -> Iterator[str]:
    """The callback address of a service, as far as somebody without a token sees it."""

    async def answer(_: object) -> Response:
        return JSONResponse({"error": "unknown segment or wrong token"}, 401)

    app = Starlette(routes=[Route("/functions/v1/parcours-xl-callback", answer, methods=["POST"])])
    with running(app) as url:
        yield f"{url}/functions/v1/parcours-xl-callback"


@pytest.fixture
def doctor(operator: Operator, callback_endpoint: str) -> Operator:
    return Operator({**operator.environment, "CALLBACK_BASE": callback_endpoint})


@pytest.fixture
def healthy(records: Records) -> None:
    """Nothing that other tests left behind is wrong."""
    records.do("delete from parcours.dead_letters")
    records.do("delete from public.parcours_runs")
    records.do("set storage.allow_delete_query = 'true'; delete from storage.objects")
    records.do("update parcours.deployment set maintenance_due_at = now()")


def kinds(told: CommandResult) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for part in told.json["parts"]:
        for finding in part["findings"]:
            counted[finding["name"]] += finding["count"]
    return dict(counted)


def found(operator: Operator, *words: str, **changes: str) -> dict[str, int]:
    return kinds(operator.run("doctor", "--json", *words, **changes))


@pytest.fixture
async def worker(make_settings: MakeSettings) -> AsyncIterator[Worker]:
    settings = make_settings()
    async with open_clients(settings) as clients:
        yield wire_worker(clients, settings)


async def deliver(
    clients: Clients, records: Records, run: NewRun, suno: Vendor, place: int = 0
) -> dict[str, str]:
    """Suno has composed a segment, and has said so. Its track."""
    task_id, (track, *_) = suno.compose()
    segment_id = run.segment_ids[place]
    await clients.database.claim_segment(segment_id)
    token = records.segment(segment_id)["callback_token"]
    await clients.database.record_task(segment_id, token, task_id)
    event = SunoEvent(
        "complete",
        "callback",
        task_id,
        (SunoTrack(track["id"], track["streamAudioUrl"], track["audioUrl"], True, None, 5),),
    )
    assert await clients.database.record_callback(segment_id, token, event)
    return {"task_id": task_id, "url": track["audioUrl"], "token": str(token)}


async def stick(clients: Clients, records: Records, run: NewRun, task_id: str) -> UUID:
    """A run's first segment has been composed for too long. The token of its attempt."""
    await clients.database.start_run(run.id)
    await clients.database.claim_segment(run.first)
    token: UUID = records.segment(run.first)["callback_token"]
    await clients.database.record_task(run.first, token, task_id)
    records.age(run.first, 301)
    return token


async def link(clients: Clients, records: Records, run: NewRun, suno: Vendor) -> str:
    """A segment that is complete without a file. The address it plays from."""
    track = await deliver(clients, records, run, suno)
    records.forget_work()
    await clients.database.record_track(run.first, track["token"], None, final_url=track["url"])  # type: ignore[arg-type]
    return track["url"]


def stored(records: Records, run: NewRun) -> bool:
    path = f"runs/{run.id}/{run.first}.mp3"
    return bool(records.all("select true from storage.objects where name = %s", path))


# Settings, Supabase, vendors, queues


def test_a_healthy_deployment_has_nothing_for_anybody_to_do(doctor: Operator) -> None:
    told = doctor.run("doctor")
    assert told.status == 0, told.out
    assert told.out.count("ok ") == 9
    assert "No action required." in told.out
    json = doctor.run("doctor", "--json").json
    assert json["verdict"] == "healthy" and all(not part["findings"] for part in json["parts"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"CALLBACK_BASE": "http://example.com/parcours-xl-callback"}, "not https"),
        ({"CALLBACK_BASE": "https://localhost/parcours-xl-callback"}, "local to this machine"),
    ],
)
def test_a_callback_base_that_suno_cannot_reach_is_an_error(
    doctor: Operator, changes: dict[str, str], says: str
) -> None:
    told = doctor.run("doctor", SUNO_API_BASE="https://api.sunoapi.invalid", **changes)
    assert told.status == 1
    assert says in told.out
    assert "Suno cannot call back: previews and tracks come minutes late" in told.out


def test_a_callback_base_where_somebody_else_answers_is_an_error(
    doctor: Operator, dead_port: int, suno: Vendor
) -> None:
    for address, says in (
        (f"http://127.0.0.1:{dead_port}/x", "cannot be reached"),
        (f"{suno.url}/nobody", "somebody else answers there"),
    ):
        told = doctor.run("doctor", CALLBACK_BASE=address)
        assert told.status == 1
        assert says in told.out


async def test_callbacks_that_do_not_arrive_are_an_error_though_the_probe_passes(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun
) -> None:
    records.do("delete from public.parcours_events")
    run = await make_run(3)
    for segment_id in run.segment_ids:
        claim = await clients.database.claim_segment(segment_id)
        assert claim.callback_token
        track = SunoTrack(None, "https://cdn1.suno.ai/s", None, True, None, None)
        event = SunoEvent("first", "record_info", f"task-{segment_id}", (track,))
        await clients.database.record_callback(segment_id, claim.callback_token, event)
    told = doctor.run("doctor", "--json")
    assert told.status == 1
    assert kinds(told)["callbacks_lost"] == 1


def test_what_is_not_known_here_is_said(doctor: Operator) -> None:
    told = doctor.run("doctor", "--json", SUNO_API_KEY="", OPENAI_API_KEY="", CALLBACK_BASE="")
    assert told.status == 0
    assert kinds(told) == {"settings": 2, "openai": 1}


def test_a_supabase_that_is_unavailable_is_the_one_finding(
    doctor: Operator, dead_port: int
) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    told = doctor.run("doctor", SUPABASE_URL=url, POSTGREST_URL=url)
    assert told.status == 1
    assert told.out.count("no journey begins, goes on or is played") == 3
    assert told.out.count("not checked: Supabase is unavailable") == 6
    assert "its database" in told.out and "Auth" in told.out and "Storage" in told.out


def test_migrations_that_are_missing_are_named(doctor: Operator, records: Records) -> None:
    table = "supabase_migrations.schema_migrations"
    row = records.one(f"delete from {table} where version = '20261130185317' returning *")
    try:
        told = doctor.run("doctor")
        assert told.status == 1
        assert "1 migrations are not applied" in told.out and "20261130185317" in told.out
        assert "supabase db push" in told.out
    finally:
        records.do(
            f"insert into {table} (version, name, statements) values (%s, %s, %s)",
            row["version"],
            row["name"],
            row["statements"],
        )


@pytest.fixture
def without_find_runs(stack: LocalProject, records: Records) -> Iterator[None]:
    """PostgREST reads the schema some time after it was told to, and then only knows it."""
    url = f"{stack.rest_url}/rpc/find_runs"
    headers = {"Authorization": f"Bearer {stack.service_role_key}"}
    wanted = {"p_kind": "ownerless", "p_limits_id": 0}

    def is_unknown() -> bool:
        return "PGRST202" in httpx.post(url, json=wanted, headers=headers, trust_env=False).text

    records.do("alter function public.find_runs rename to find_runs_later")
    records.do("notify pgrst, 'reload schema'")
    wait_until(is_unknown)
    yield
    records.do("alter function public.find_runs_later rename to find_runs")
    records.do("notify pgrst, 'reload schema'")
    wait_until(lambda: not is_unknown())


@pytest.mark.usefixtures("without_find_runs")
def test_a_function_that_is_missing_is_a_finding_and_no_end(doctor: Operator) -> None:
    told = doctor.run("doctor")
    assert told.status == 1
    assert "runs: migrations: not checked" in told.out
    assert "supabase db push" in told.out


def test_an_open_bucket_is_an_error(doctor: Operator, records: Records) -> None:
    records.do("update storage.buckets set public = true where id = 'parcours-tracks'")
    try:
        assert found(doctor) == {"access": 1}
    finally:
        records.do("update storage.buckets set public = false where id = 'parcours-tracks'")


def test_suno_without_credit_with_a_bad_key_or_unavailable(doctor: Operator, suno: Vendor) -> None:
    suno.credits(11)
    assert found(doctor) == {"credits": 1}
    suno.credits(100_000)
    for fault, kind in (("bad_key", "suno_key"), ("maintenance", "suno_unavailable")):
        suno.fail(fault, match={"call": "credit"})
        assert found(doctor) == {kind: 1}


async def test_a_suno_that_is_busy_composing_is_no_error(
    doctor: Operator, clients: Clients, records: Records
) -> None:
    slot = await clients.database.reserve_suno_request()
    try:
        told = doctor.run("doctor", SUNO_REQUESTS_MAX="1")
    finally:
        records.do("delete from parcours.suno_requests where slot = %s", slot)
    assert told.status == 0
    assert "skipped  Suno: not checked: composing uses every request" in told.out


def test_models_that_are_withdrawn(doctor: Operator, openai: Vendor) -> None:
    openai.fail("model_withdrawn", match={"model": "gpt-4o-mini"})
    told = doctor.run("doctor")
    assert told.status == 0
    refused = "gpt-4o-mini: OpenAI refuses the model"
    assert f"gpt-6-luna completed a request ({refused})" in told.out
    openai.fail("model_withdrawn", times=2)
    assert found(doctor) == {"openai": 1}


def test_models_that_are_listed_and_complete_nothing(doctor: Operator, openai: Vendor) -> None:
    openai.fail("busy", code="insufficient_quota", times=2)
    told = doctor.run("doctor")
    assert told.status == 0, "the music is as good: a note"
    assert "no model completes a request: gpt-4o-mini: OpenAI has no credits left" in told.out


async def test_jobs_that_nobody_takes(
    doctor: Operator, records: Records, clients: Clients, make_run: MakeRun
) -> None:
    run = await make_run()
    await clients.database.start_run(run.id)
    assert found(doctor) == {}
    records.do("update pgmq.q_parcours_generation set vt = vt - interval '2 minutes'")
    told = doctor.run("doctor", "--json")
    assert kinds(told) == {"queues": 1}
    assert told.status == 1


async def test_a_track_that_could_not_be_stored_once_is_told_of(
    doctor: Operator, records: Records, clients: Clients, make_run: MakeRun
) -> None:
    run = await make_run()
    records.do(
        "select pgmq.send('parcours_tracks', jsonb_build_object('kind', 'erase',"
        " 'run_id', %s::text, 'failing_since', now() - interval '90 seconds'))",
        str(run.id),
    )
    told = doctor.run("doctor", "--json")
    findings = [one for part in told.json["parts"] for one in part["findings"]]
    [failing] = [one for one in findings if one["name"] == "jobs_failing"]
    assert failing["severity"] == "note" and failing["count"] == 1
    assert "1 jobs of parcours_tracks have failed and are tried again" in failing["message"]
    assert failing["since"] is not None


def test_nobody_looks_after_the_rest(doctor: Operator, records: Records) -> None:
    records.do("update parcours.deployment set maintenance_due_at = now() - interval '1 hour'")
    told = doctor.run("doctor")
    assert "no worker has done the maintenance for 1 h 00" in told.out.replace("\u00a0", " ")
    assert told.status == 0, "it is a note"


# Runs, segments, files: found and repaired


async def test_a_stuck_segment_of_which_suno_knows_is_learned_of(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun, suno: Vendor
) -> None:
    run = await make_run()
    task_id, _ = suno.compose()
    token = await stick(clients, records, run, task_id)
    assert found(doctor) == {"stuck": 1}
    told = doctor.run("doctor", "--fix", "--json")
    assert told.status == QUEUED
    segment = records.segment(run.first)
    assert segment["callback_token"] == token, "the music is there: nothing is bought again"
    assert len(records.jobs("parcours_tracks", run.id)) == 1
    assert found(doctor) == {}


async def test_a_stuck_segment_of_which_suno_knows_nothing_is_composed_anew(
    doctor: Operator,
    clients: Clients,
    records: Records,
    make_run: MakeRun,
    suno: Vendor,
    worker: Worker,
) -> None:
    run = await make_run()
    token = await stick(clients, records, run, "a-task-of-which-suno-knows-nothing")
    told = doctor.run("doctor", "--fix")
    assert told.status == QUEUED
    assert "Suno had finished 0; 1 queued to be composed again" in told.out
    segment = records.segment(run.first)
    assert segment["status"] == "queued" and segment["callback_token"] != token
    await worker.work_once()
    assert len(suno.tasks_of(run.first)) == 1


async def test_a_stuck_segment_of_which_suno_does_not_tell_is_left_alone(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun, suno: Vendor
) -> None:
    run = await make_run()
    task_id, _ = suno.compose()
    token = await stick(clients, records, run, task_id)
    suno.fail("maintenance", times=0, match={"call": "record-info"})
    told = doctor.run("doctor", "--fix")
    assert told.status == 1 and "Suno does not answer about 1 now" in told.out
    segment = records.segment(run.first)
    assert segment["callback_token"] == token, "the music may be there: nothing is bought again"


async def test_a_run_that_nobody_holds_is_put_in_hand(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun
) -> None:
    run = await make_run()
    await clients.database.start_run(run.id)
    records.forget_work()
    assert found(doctor) == {"unscheduled": 1}
    assert doctor.run("doctor", "--fix").status == QUEUED
    assert len(records.jobs("parcours_generation", run.id)) == 1
    assert found(doctor) == {}


async def test_a_track_whose_job_is_lost_is_stored(
    doctor: Operator,
    clients: Clients,
    records: Records,
    make_run: MakeRun,
    suno: Vendor,
    worker: Worker,
) -> None:
    run = await make_run()
    await clients.database.start_run(run.id)
    await deliver(clients, records, run, suno)
    records.do("delete from pgmq.q_parcours_tracks")
    records.age(run.first, 301)
    assert found(doctor) == {"unstored": 1}
    assert doctor.run("doctor", "--fix").status == QUEUED
    await worker.work_once()
    assert stored(records, run)
    assert records.run(run.id)["status"] == "ready"


async def test_a_complete_segment_without_a_file_is_stored(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun, suno: Vendor
) -> None:
    run = await make_run()
    await link(clients, records, run, suno)
    assert found(doctor) == {"not_stored": 1}
    told = doctor.run("doctor", "--fix")
    assert told.status == 0 and "1 stored" in told.out
    assert stored(records, run)
    segment = records.segment(run.first)
    assert segment["storage_path"] == f"runs/{run.id}/{run.first}.mp3"
    assert segment["final_url"] is None
    assert segment["metadata"]["loudness_lufs"] < 0
    assert found(doctor) == {}


async def test_an_expired_address_is_asked_for_anew(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun, suno: Vendor
) -> None:
    run = await make_run()
    url = await link(clients, records, run, suno)
    dead = url.replace("/files/", "/gone/") + "-dead"
    records.do(
        "update parcours_segments set final_url = %s,"
        " metadata = metadata || jsonb_build_object('suno_download_url', %s::text) where id = %s",
        dead,
        dead,
        run.first,
    )
    assert found(doctor) == {"expired": 1}
    assert doctor.run("doctor", "--fix").status == 0
    assert stored(records, run)


async def test_music_that_nobody_has_any_more_is_lost(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun, suno: Vendor
) -> None:
    run = await make_run()
    await link(clients, records, run, suno)
    suno.fail("missing", times=0)
    assert found(doctor) == {"expired": 1}
    told = doctor.run("doctor", "--fix")
    assert told.status == 1 and "1 lost" in told.out
    assert found(doctor) == {"lost": 1}
    assert "a new journey has new music" in doctor.run("doctor").out


@pytest.mark.parametrize("fault", ["maintenance", "bad_key"])
async def test_music_of_which_suno_does_not_tell_is_not_lost(
    doctor: Operator,
    clients: Clients,
    records: Records,
    make_run: MakeRun,
    suno: Vendor,
    fault: str,
) -> None:
    run = await make_run()
    url = await link(clients, records, run, suno)
    records.do(
        "update parcours_segments set final_url = %s,"
        " metadata = metadata - 'suno_download_url' where id = %s",
        f"{url}-dead",
        run.first,
    )
    suno.fail(fault, times=0, match={"call": "record-info"})
    told = doctor.run("doctor", "--fix")
    assert told.status == 1 and "1 unavailable" in told.out
    suno.recover()
    assert found(doctor) == {"expired": 1}
    assert doctor.run("doctor", "--fix").status == 0
    assert stored(records, run)


async def test_a_track_too_large_to_keep_plays_from_its_own_address(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun, suno: Vendor
) -> None:
    run = await make_run()
    url = await link(clients, records, run, suno)
    suno.fail("oversized", times=0)
    told = doctor.run("doctor", "--fix")
    assert told.status == 1 and "1 linked" in told.out
    suno.recover()
    segment = records.segment(run.first)
    assert (segment["storage_path"], segment["final_url"]) == (None, url)
    assert "track_lost_at" not in segment["metadata"]


async def test_a_missing_file_is_stored_again(
    doctor: Operator,
    clients: Clients,
    records: Records,
    make_run: MakeRun,
    suno: Vendor,
    worker: Worker,
) -> None:
    run = await make_run()
    await deliver(clients, records, run, suno)
    await worker.work_once()
    assert stored(records, run) and found(doctor) == {}
    await clients.storage.delete([f"runs/{run.id}/{run.first}.mp3"])
    assert found(doctor) == {"missing_file": 1}
    assert doctor.run("doctor", "--fix").status == 0
    assert stored(records, run)


async def test_a_storage_that_is_unavailable_leaves_the_documented_fallback(
    doctor: Operator,
    clients: Clients,
    records: Records,
    make_run: MakeRun,
    suno: Vendor,
    worker: Worker,
    relay: Relay,
    stack: LocalProject,
) -> None:
    run = await make_run()
    track = await deliver(clients, records, run, suno)
    await worker.work_once()
    await clients.storage.delete([f"runs/{run.id}/{run.first}.mp3"])
    relay.broken["/object/"] = Response(status_code=503)
    told = doctor.run("doctor", "--fix", SUPABASE_URL=relay.url, POSTGREST_URL=stack.rest_url)
    assert told.status == 1 and "1 linked" in told.out
    segment = records.segment(run.first)
    assert (segment["storage_path"], segment["final_url"]) == (None, track["url"])


async def test_failed_segments_are_composed_anew(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun
) -> None:
    run = await make_run(2)
    await clients.database.start_run(run.id)
    for segment_id in run.segment_ids:
        await clients.database.claim_segment(segment_id)
        token = records.segment(segment_id)["callback_token"]
        await clients.database.fail_segment(segment_id, token, "suno_error")
    assert found(doctor) == {"failed": 2}
    told = doctor.run("doctor", "--fix")
    assert told.status == QUEUED and "2 queued to be composed again" in told.out
    assert records.run(run.id)["status"] == "creating"
    assert found(doctor) == {}


async def test_what_suno_refused_is_composed_again_with_force_only(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun
) -> None:
    run = await make_run(2)
    await clients.database.start_run(run.id)
    for segment_id, reason in zip(run.segment_ids, ("suno_refused", "timeout"), strict=True):
        await clients.database.claim_segment(segment_id)
        token = records.segment(segment_id)["callback_token"]
        await clients.database.fail_segment(segment_id, token, reason)
    told = doctor.run("doctor", "--fix")
    assert told.status == 1
    assert "1 segment failed within a day: Suno refused the request" in told.out
    assert "correct the setting that they name" in told.out
    assert "not composed again without --force" in told.out
    statuses = [records.segment(segment_id)["status"] for segment_id in run.segment_ids]
    assert statuses == ["failed", "queued"]
    told = doctor.run("doctor", "--fix", "--force")
    assert (told.status, "1 repair queued: look again in 5 min" in told.out) == (QUEUED, True)
    assert records.segment(run.first)["status"] == "queued"


async def test_without_credits_nothing_is_composed_again(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun, suno: Vendor
) -> None:
    run = await make_run()
    await clients.database.claim_segment(run.first)
    token = records.segment(run.first)["callback_token"]
    await clients.database.fail_segment(run.first, token, "suno_account")
    suno.credits(5)
    told = doctor.run("doctor", "--fix")
    assert told.status == 1 and "not composed again: Suno does not accept the key" in told.out
    suno.credits(100_000)
    assert doctor.run("doctor", "--fix").status == QUEUED


def test_a_finding_has_a_name_advice_and_a_section_of_the_runbook(
    doctor: Operator, suno: Vendor
) -> None:
    suno.fail("bad_key", match={"call": "credit"})
    told = doctor.run("doctor")
    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    at = next(place for place, line in enumerate(lines) if line.startswith("ACTION"))
    assert lines[at].startswith("ACTION Suno: suno_key: ")
    assert lines[at + 1] == "listener no music is composed"
    assert lines[at + 2] == "to do correct SUNO_API_KEY, and look at the account at Suno"
    assert lines[at + 3] == "see docs/runbook.md#out-of-suno-credits"
    assert told.out.endswith("Action required.\n")


async def test_a_supabase_that_accepts_and_never_answers_is_unavailable(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep_waiting(_: anyio.abc.SocketStream) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(deployment, "ANSWER_S_MAX", 0.5)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listener.serve, keep_waiting)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        url = f"http://127.0.0.1:{port}"
        async with open_clients(make_settings(supabase_url=url, postgrest_url=url)) as clients:
            doctor_report = await run_checks(wire_doctor(clients, make_settings()), fix=False)
        group.cancel_scope.cancel()
    said = [one.message for one in doctor_report.findings if one.kind.name == "supabase"]
    assert said == [
        f"{what} gives no answer within 0.5 s" for what in ("its database", "Auth", "Storage")
    ]


async def test_attempts_that_are_used_up_are_a_note(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun
) -> None:
    run = await make_run()
    await clients.database.claim_segment(run.first)
    token = records.segment(run.first)["callback_token"]
    await clients.database.fail_segment(run.first, token, "suno_error")
    assert found(doctor, ATTEMPTS_MAX="1", ATTEMPTS_AUTOMATIC="1") == {"exhausted": 1}


async def test_files_of_nobody_are_deleted(
    doctor: Operator, clients: Clients, records: Records
) -> None:
    stray = f"runs/{uuid4()}/{uuid4()}.mp3"
    records.do(
        "insert into storage.objects (bucket_id, name, created_at, version)"
        " values ('parcours-tracks', %s, now() - interval '2 hours', 'x')",
        stray,
    )
    assert found(doctor) == {"orphaned_file": 1}
    assert doctor.run("doctor", "--fix").status == 0
    assert found(doctor) == {}


async def test_jobs_that_were_given_up_are_sent_again(doctor: Operator, records: Records) -> None:
    records.do(
        "insert into parcours.dead_letters (queue, message, reason)"
        " select 'parcours_tracks',"
        "        jsonb_build_object('kind', 'erase', 'run_id', %s::text), 'broke'"
        "   from generate_series(1, 250)",
        uuid4(),
    )
    assert found(doctor) == {"jobs_given_up": 250}
    told = doctor.run("doctor", "--fix")
    assert told.status == QUEUED and "250 jobs queued again" in told.out


async def test_messages_that_nobody_can_read_are_shown_and_dropped(
    doctor: Operator, records: Records, clients: Clients
) -> None:
    records.do(
        """insert into pgmq.q_parcours_generation (vt, message) values (now(), '{"run_id": "x"}')"""
    )
    assert await clients.database.next_steps(5, 60) == []
    assert found(doctor) == {"jobs_unreadable": 1}
    told = doctor.run("doctor", "--fix")
    assert told.status == 0 and "1 unreadable messages dropped" in told.out
    assert found(doctor) == {}


async def test_a_run_that_nobody_started_is_a_note(
    doctor: Operator, records: Records, make_run: MakeRun
) -> None:
    run = await make_run()
    records.do(
        "update parcours_runs set created_at = now() - interval '10 minutes' where id = %s", run.id
    )
    told = doctor.run("doctor", "--json")
    assert (told.status, kinds(told)) == (0, {"never_started": 1})


def test_everything_is_counted_beyond_a_thousand_rows(doctor: Operator, records: Records) -> None:
    records.do(
        "with made as (insert into public.parcours_runs (user_id, preset_key, status)"
        "   select gen_random_uuid(), '00-universel-reset', 'failed'"
        "     from generate_series(1, 1001) returning id)"
        " insert into public.parcours_segments (run_id, segment_index, prompt, status, metadata)"
        " select id, 0, 'piano', 'failed', '{\"failure\": {\"reason\": \"suno_error\"}}' from made"
    )
    told = doctor.run("doctor", "--json")
    assert kinds(told) == {"failed": 1001, "ownerless": 1001}
    [failed] = [f for f in told.json["parts"][-1]["findings"] if f["name"] == "failed"]
    assert failed["message"].endswith("1001 segments failed within a day: Suno reported an error")


async def test_fixing_at_once_by_several_changes_nothing_more(
    make_settings: MakeSettings,
    clients: Clients,
    records: Records,
    make_run: MakeRun,
    suno: Vendor,
) -> None:
    runs = [await make_run() for _ in range(3)]
    for run in runs:
        await clients.database.start_run(run.id)
        await clients.database.claim_segment(run.first)
        records.age(run.first, 301)
    records.forget_work()

    async def fix() -> None:
        await run_checks(wire_doctor(clients, make_settings()), fix=True)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(fix)
    for run in runs:
        assert records.events(run.id).count("segment.requeued") == 1
        assert len(records.jobs("parcours_generation", run.id)) == 1


def test_every_kind_says_what_it_means_and_how_it_is_mended() -> None:
    for kind in KINDS.values():
        assert kind.impact and kind.advice


# parcours retry


async def test_one_run_is_retried(
    operator: Operator, clients: Clients, records: Records, make_run: MakeRun
) -> None:
    run = await make_run(2)
    await clients.database.claim_segment(run.first)
    token = records.segment(run.first)["callback_token"]
    await clients.database.fail_segment(run.first, token, "suno_error")
    told = operator.run("retry", run.id)
    assert told.status == 0
    assert told.out.splitlines() == [
        "segment 1 is queued to be composed again",
        "segment 2 is queued to be composed again",
    ]
    told = operator.run("retry", run.first, "--json")
    assert told.json["segments"][0]["outcome"] == "queued"
    assert operator.run("retry", uuid4()).status == 4
    assert operator.run("retry", "x").status == 2


async def test_a_retry_that_has_no_attempt_left_says_so(
    operator: Operator, clients: Clients, records: Records, make_run: MakeRun
) -> None:
    run = await make_run()
    await clients.database.claim_segment(run.first)
    token = records.segment(run.first)["callback_token"]
    await clients.database.fail_segment(run.first, token, "suno_error")
    told = operator.run("retry", run.id, ATTEMPTS_MAX="1", ATTEMPTS_AUTOMATIC="1")
    assert told.status == 1
    assert "has used up every attempt" in told.out


async def test_nothing_the_doctor_prints_opens_anything(
    doctor: Operator, clients: Clients, records: Records, make_run: MakeRun
) -> None:
    run = await make_run()
    await clients.database.start_run(run.id)
    await clients.database.claim_segment(run.first)
    records.age(run.first, 301)
    token = str(records.segment(run.first)["callback_token"])
    for words in (["doctor"], ["doctor", "--json"]):
        told = doctor.run(*words)
        assert token not in told.out + told.err
