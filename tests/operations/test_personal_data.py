"""`parcours export` and `parcours erase`: everything of a user's, handed out or gone."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import Clients
from parcours_xl.clients.storage import track_path
from parcours_xl.wiring import wire_tracks
from tests.fixtures.delivery import compose, deliver, take_job
from tests.fixtures.operator import Operator
from tests.fixtures.records import NewRun, Records
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person, sign_up
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]


@pytest.fixture
async def person(stack: LocalProject) -> Person:
    return await sign_up(stack)


@pytest.fixture
async def journey(
    make_run: MakeRun, person: Person, clients: Clients, suno: Vendor, records: Records
) -> NewRun:
    """A run of theirs, with its first track in storage."""
    run = await make_run(2)
    records.do("update public.parcours_runs set user_id = %s where id = %s", person.id, run.id)
    await deliver(clients, run, compose(suno))
    job = await take_job(clients)
    assert await wire_tracks(clients).store(job, last_try=False) == "stored"
    return run


async def test_everything_of_a_user_is_handed_out(
    operator: Operator, person: Person, journey: NewRun, clients: Clients, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    told = operator.run("export", person.id, "--to", folder, "--json")
    assert (told.status, told.json["runs"], told.json["tracks"]) == (0, 1, 1)
    run = json.loads((folder / "runs" / str(journey.id) / "run.json").read_text())
    assert [segment["segment_index"] for segment in run["segments"]] == [0, 1]
    assert "segment.complete" in {event["what"] for event in run["events"]}
    assert "callback_token" not in run["segments"][1]
    track = await clients.storage.read(track_path(journey.id, journey.first))
    assert (folder / "runs" / str(journey.id) / "1.mp3").read_bytes() == track
    user = json.loads((folder / "user.json").read_text())
    assert (user["id"], user["missing"]) == (str(person.id), [])
    assert folder.stat().st_mode & 0o077 == 0, "nobody else reads it"


async def test_a_track_that_is_gone_is_said_to_be(
    operator: Operator, person: Person, journey: NewRun, clients: Clients, tmp_path: Path
) -> None:
    path = track_path(journey.id, journey.first)
    await clients.storage.delete([path])
    told = operator.run("export", person.id, "--to", tmp_path)
    assert (told.status, f"no longer in storage: {path}" in told.out) == (1, True)


async def test_more_runs_than_a_page_are_all_handed_out(
    operator: Operator,
    person: Person,
    make_run: MakeRun,
    records: Records,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("parcours_xl.operations.personal_data.PAGE_RUNS", 2)
    for _ in range(5):
        run = await make_run()
        records.do("update public.parcours_runs set user_id = %s where id = %s", person.id, run.id)
    assert (
        operator.run("export", person.id, "--to", tmp_path / "export", "--json").json["runs"] == 5
    )
    erased = operator.run("erase", person.id, "--yes", "--json").json
    assert (erased["runs"], erased["files"]) == (5, 0)


def test_an_export_never_mixes_with_what_is_there(
    operator: Operator, owner: Person, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("mine")
    told = operator.run("export", owner.id, "--to", tmp_path)
    assert (told.status, told.err) == (4, f"parcours: {tmp_path} is not empty\n")


async def test_everything_of_a_user_is_erased(
    operator: Operator, person: Person, journey: NewRun, clients: Clients, records: Records
) -> None:
    told = operator.run("erase", person.id, "--yes", "--account")
    assert told.status == 0
    assert told.out == (
        "Erased: 1 runs and 1 files.\nThe account is deleted.\n"
        "Auth keeps its own log of sign-ins until the project deletes it: docs/runbook.md.\n"
    )
    # The workers find nobody behind a message, and delete it.
    places = records.places_of(str(journey.id))
    assert [place for place in places if not place.startswith("pgmq.")] == []
    assert set(records.places_of(str(person.id))) <= {"parcours.erased_users"}
    again = operator.run("erase", person.id, "--yes")
    assert (again.status, again.err) == (4, "parcours: unknown user\n")


async def test_the_account_stays_unless_it_is_meant(
    operator: Operator, person: Person, journey: NewRun, records: Records
) -> None:
    assert operator.run("erase", person.id, "--yes").status == 0
    assert records.all("select true from auth.users where id = %s", person.id)


async def test_nothing_is_erased_without_a_yes(
    operator: Operator, person: Person, journey: NewRun, records: Records
) -> None:
    told = operator.run("erase", person.id, keys="n\n")
    assert told.status == 1
    assert f"Erase every journey of {person.id}" in told.err
    assert records.run(journey.id)


@pytest.mark.parametrize("command", ["export", "erase"])
def test_nobody_is_unknown(operator: Operator, command: str, tmp_path: Path) -> None:
    words = ["--to", tmp_path / "new"] if command == "export" else ["--yes"]
    told = operator.run(command, uuid4(), *words)
    assert (told.status, told.err) == (4, "parcours: unknown user\n")
