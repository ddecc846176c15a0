"""Every fault of "Practise" in docs/runbook.md, played: its symptom there is what is seen."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from parcours_xl.domain.failures import FailureReason, failure_of
from tests.end_to_end.on_call import OnCall
from tests.end_to_end.runbook import TEXT

ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.MULTILINE)
_, _, PRACTISE = TEXT.partition("\n## Practise\n")
SUNO, _, OPENAI = PRACTISE.partition("| fault of OpenAI |")

NAMED = {fault: symptom for fault, symptom in ROW.findall(SUNO) if symptom.startswith("`")}
HEALS = [fault for fault, symptom in NAMED.items() if "the next attempt" in symptom]
FAILS = [fault for fault in NAMED if fault not in HEALS]
BUSY = dict(re.findall(r"^\| `(\w+)` \| Suno is busy.*?(\d+)", SUNO, re.MULTILINE))
HARMLESS = [fault for fault, _ in ROW.findall(SUNO) if fault not in NAMED | BUSY]
REASONS = dict(ROW.findall(OPENAI))

OPTIONS: dict[str, dict[str, Any]] = {
    # Gone, and not "not yet" as 404 is right after the music was announced.
    "missing": {"status": 410},
    "late_callback": {"delay_s": 3},
    "slow_download": {"bytes_a_second": 60_000},
    # The callbacks say nothing; Suno's record does, when it is asked.
    "empty_urls": {"match": {"message": "callback"}},
    # Not longer than announced.
    "silent_tail": {"sound_s": 6, "seconds": 8},
    # More often, and every prompt is refused: nothing but other prompts helps then.
    "too_long": {"times": 1},
}


def test_the_page_says_of_every_fault_what_is_seen() -> None:
    assert len(NAMED) >= 10 and len(BUSY) >= 5 and len(HARMLESS) >= 12
    assert len(REASONS) == 12


@pytest.mark.parametrize("fault", FAILS)
def test_a_fault_that_ends_a_run_is_named_and_mended(on_call: OnCall, fault: str) -> None:
    reason = named_reason(fault)
    failure = failure_of(reason)
    with on_call.working():
        run_id = play(on_call, fault)
        on_call.wait_for_all([run_id], "failed")
        assert f"reason={reason}" in on_call.logs(run_id)
        found = on_call.wait_until_found("failed")["failed"]
        assert found.startswith(f"1 segment failed within a day: {failure.summary}")
        assert on_call.named_runs() == {str(run_id)}

        on_call.deployment.clear_faults()
        on_call.found("--fix", *(["--force"] if failure.remedy == "force" else []))
        on_call.wait_for_all([run_id], "ready")
        on_call.wait_until_well()


@pytest.mark.parametrize("fault", HEALS)
def test_a_fault_that_the_next_attempt_mends_is_named(on_call: OnCall, fault: str) -> None:
    with on_call.working():
        run_id = play(on_call, fault)
        on_call.wait_for_all([run_id], "ready")
        reason = named_reason(fault)
        assert f"reason={reason}" in on_call.logs(run_id)
        assert set(on_call.report()["errors"]["by_cause"]) == {reason}
        assert "failed" not in on_call.found()


@pytest.mark.parametrize("fault", BUSY)
def test_a_busy_suno_is_named_and_waited_for(on_call: OnCall, fault: str) -> None:
    with on_call.working():
        run_id = play(on_call, fault)
        on_call.wait_for_all([run_id], "failed")
        assert BUSY[fault] in on_call.report()["refusals_by_code"]
        found = on_call.wait_until_found("failed")["failed"]
        assert found.startswith("1 segment failed within a day: Suno was busy")
        assert f"reason={FailureReason.SUNO_BUSY}" in on_call.logs(run_id)

        on_call.deployment.clear_faults()
        on_call.found("--fix")
        on_call.wait_for_all([run_id], "ready")
        on_call.wait_until_well()


@pytest.mark.parametrize("fault", HARMLESS)
def test_a_fault_without_a_symptom_costs_nothing_but_time(on_call: OnCall, fault: str) -> None:
    with on_call.working():
        run_id = play(on_call, fault)
        on_call.wait_for_all([run_id], "ready")
        assert on_call.report()["errors"]["by_cause"] == {}
        assert "failed" not in on_call.found()


@pytest.mark.parametrize("fault", REASONS)
def test_a_brief_that_openai_does_not_write_is_counted_with_its_reason(
    on_call: OnCall, fault: str
) -> None:
    control = f"{on_call.deployment.project.openai_url.removesuffix('/v1')}/_control/faults"
    asked = httpx.post(control, json={"fault": fault, "times": 0}, trust_env=False)
    assert asked.status_code == 201, asked.text
    try:
        create_run(on_call)
        counted = on_call.report()["briefs"]
    finally:
        httpx.delete(control, trust_env=False)
    assert (counted["written"], counted["curated_share"]) == (0, 1)
    [reason] = counted["curated_by_reason"]
    assert reason in re.findall(r"`(\w+)`", REASONS[fault])


def create_run(on_call: OnCall) -> None:
    project = on_call.deployment.project
    signed_up = httpx.post(
        f"{project.url}/auth/v1/signup",
        json={"email": f"{uuid4().hex}@example.org", "password": "a calm evening"},
        headers={"apikey": project.anon_key},
        trust_env=False,
    )
    created = on_call.deployment.call(
        "parcours-xl-create",
        {"presetKey": "universel-reset"},
        headers={"authorization": f"Bearer {signed_up.json()['access_token']}"},
    )
    assert created.status_code == 200, created.text


def play(on_call: OnCall, fault: str) -> Any:
    """A listener begins a journey while Suno does this wrong, until it is cleared."""
    on_call.deployment.ask_fault(**{"fault": fault, "times": 0} | OPTIONS.get(fault, {}))
    [run_id] = on_call.begin_runs(1)
    return run_id


def named_reason(fault: str) -> FailureReason:
    """The reason that the page names first."""
    [code] = re.findall(r"^`(\w+)`", NAMED[fault])
    return FailureReason(code)
