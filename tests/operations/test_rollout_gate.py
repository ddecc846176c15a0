"""`parcours rollout gate`: the next share comes only when the runs say that it may."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import anyio
import pytest

from parcours_xl.clients.clients import Clients
from parcours_xl.clients.suno_events import Source, SunoError, SunoEvent, SunoTrack
from parcours_xl.errors import PermanentError
from parcours_xl.operations.rollout import Check, Verdict, advance_rollout
from tests.fixtures.operator import CommandResult, Operator
from tests.fixtures.records import Records
from tests.fixtures.service_fixtures import MakeRun

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

TRACK = SunoTrack("a", "https://cdn1.suno.ai/s", "https://cdn1.suno.ai/d", True, None, 5)
RUNS = 3

Live = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def canary(records: Records) -> Iterator[None]:
    """Five percent have it from now on: what other tests did before does not count."""
    records.do(
        "update parcours.deployment set rollout_share = 5, rollout_since = clock_timestamp()"
    )
    yield
    records.do("update parcours.deployment set rollout_share = 0, rollout_since = now()")
    records.do("delete from public.feature_flags")


@pytest.fixture
def live(clients: Clients, make_run: MakeRun) -> Live:
    """Makes a run of one segment: heard and kept, or failed by Suno, unheard where asked."""

    async def live(*, well: bool = True, heard: bool = True, after_s: float = 0) -> None:
        run = await make_run()
        await anyio.sleep(after_s)
        claim = await clients.database.claim_segment(run.first)
        assert claim.callback_token
        await clients.database.record_task(run.first, claim.callback_token, f"task-{run.first}")
        error = None if well else SunoError(501, "generation failed", again=False)
        for stage in (["first"] if heard else []) + ["complete" if well else "error"]:
            source: Source = "record_info" if stage == "error" else "callback"
            # A failed task that leaves a whole track behind would be no failure.
            track = TRACK if well else replace(TRACK, download_url=None)
            event = SunoEvent(stage, source, f"task-{run.first}", (track,), error=error)
            await clients.database.record_callback(run.first, claim.callback_token, event)
        if well:
            path = f"runs/{run.id}/{run.first}.mp3"
            await clients.database.record_track(run.first, claim.callback_token, path)

    return live


def judge(operator: Operator, *words: str, **settings: str) -> CommandResult:
    usual = {"GATE_RUNS_MIN": str(RUNS), "ROLLOUT": "flags"}
    return operator.run("rollout", "gate", *words, **usual | settings)


def passed(told: CommandResult) -> dict[str, bool]:
    return {check["name"]: check["passed"] for check in told.json["checks"]}


async def test_it_opens_when_enough_runs_were_heard_soon_without_errors(
    operator: Operator, live: Live
) -> None:
    for _ in range(RUNS):
        await live()
    told = judge(operator)
    assert told.status == 0
    assert "3 runs can be judged; 3 are needed" in told.out
    assert told.out.endswith("The gate is open: 25 % may have Parcours XL.\n")
    assert judge(operator, "--json").json["share"] == 5, "it was only asked"


async def test_it_stays_shut_while_too_few_runs_say_so(operator: Operator, live: Live) -> None:
    await live()
    told = judge(operator, "--json")
    assert told.status == 1
    assert passed(told) == {"runs": False, "ttfp": True, "errors": True}
    assert judge(operator).out.endswith("The gate is shut: the share stays 5 %.\n")


async def test_it_stays_shut_without_any_run(operator: Operator) -> None:
    told = judge(operator, "--json")
    assert told.status == 1
    assert passed(told) == {"runs": False, "ttfp": False, "errors": False}


async def test_it_stays_shut_when_listeners_wait_too_long(operator: Operator, live: Live) -> None:
    for _ in range(RUNS - 1):
        await live()
    await live(after_s=2.5)
    told = judge(operator, "--json", GATE_TTFP_S="2")
    assert told.status == 1
    assert passed(told) == {"runs": True, "ttfp": False, "errors": True}


async def test_it_stays_shut_when_failed_runs_were_never_heard(
    operator: Operator, live: Live
) -> None:
    """Nobody waits for them any more, and yet their listeners heard nothing in time."""
    for _ in range(RUNS):
        await live()
    assert passed(judge(operator, "--json"))["ttfp"]
    await live(well=False, heard=False)
    assert not passed(judge(operator, "--json"))["ttfp"]


async def test_it_stays_shut_when_too_many_attempts_fail(operator: Operator, live: Live) -> None:
    for _ in range(RUNS):
        await live()
    await live(well=False)
    told = judge(operator, "--json")
    assert told.status == 1
    assert passed(told) == {"runs": True, "ttfp": True, "errors": False}


async def test_it_goes_on_from_five_to_twenty_five_to_a_hundred(
    operator: Operator, live: Live
) -> None:
    for share in (25, 100):
        for _ in range(RUNS):
            await live()
        told = judge(operator, "--advance", "--json")
        assert (told.status, told.json["advanced"]) == (0, True)
        assert operator.run("rollout", "status", "--json").json["share"] == share
    for _ in range(RUNS):
        await live()
    told = judge(operator, "--advance")
    assert (told.status, "everybody has Parcours XL" in told.out) == (0, True)


async def test_a_new_share_is_not_judged_by_the_runs_of_the_one_before(
    operator: Operator, live: Live
) -> None:
    for _ in range(RUNS):
        await live()
    assert judge(operator, "--advance").status == 0
    told = judge(operator, "--advance", "--json")
    assert (told.status, told.json["advanced"], passed(told)["runs"]) == (1, False, False)
    assert operator.run("rollout", "status", "--json").json["share"] == 25


async def test_it_goes_nowhere_while_it_is_shut(operator: Operator, live: Live) -> None:
    await live(well=False)
    assert judge(operator, "--advance").status == 1
    assert operator.run("rollout", "status", "--json").json["share"] == 5


async def test_what_was_never_begun_does_not_go_on(clients: Clients, records: Records) -> None:
    records.do("update parcours.deployment set rollout_share = 0")
    now = datetime.now(UTC)
    open_gate = Verdict(0, now, now, [Check("runs", True, "enough")], 0)
    with pytest.raises(PermanentError, match="parcours rollout set 5"):
        await advance_rollout(clients.rollout, open_gate, lambda done, remaining: None)
    assert (await clients.rollout.read()).share == 0


async def test_a_share_that_changed_after_the_verdict_does_not_go_on(
    clients: Clients, records: Records
) -> None:
    now = datetime.now(UTC)
    open_gate = Verdict(5, now, now, [Check("runs", True, "enough")], 0)
    records.do("update parcours.deployment set rollout_share = 10")
    with pytest.raises(PermanentError, match="become 10 % meanwhile"):
        await advance_rollout(clients.rollout, open_gate, lambda done, remaining: None)
