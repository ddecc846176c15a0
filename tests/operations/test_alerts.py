"""Which alerts burn, and how `parcours alerts` tells it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.oversight import Day, QueueHealth, Signs
from parcours_xl.operations.alerts import judge
from parcours_xl.operations.figures import Figures
from parcours_xl.operations.watching import Watch
from parcours_xl.targets import Targets
from tests.fixtures.operator import Operator
from tests.fixtures.records import Records
from tests.fixtures.vendors import Vendor

NOW = datetime(2026, 11, 22, tzinfo=UTC)
QUIET = Signs(
    credits=900,
    credits_read_at=NOW,
    account_refused_at=None,
    jobs_given_up=0,
    jobs_unreadable=0,
    day=Day(runs=0, credits=0),
    caretaker_due_at=NOW,
)


def watch(figures: dict[str, Any] | None = None, oldest_s: float = 0, **signs: object) -> Watch:
    queues = [QueueHealth(queue="parcours_tracks", depth=1, due=1, oldest_s=oldest_s)]
    seen = QUIET.model_copy(update=signs)
    return Watch(timedelta(hours=1), Figures(**figures or {}), queues, seen)


def burning(seen: Watch, **targets: object) -> set[str]:
    return {alert.name for alert in judge(seen, Targets(**targets)) if alert.burning}  # type: ignore[arg-type]


def test_a_quiet_deployment_has_nine_alerts_and_none_burns() -> None:
    alerts = judge(watch(), Targets())
    assert [alert.name for alert in alerts] == [
        "errors",
        "ttfc",
        "runner_timeouts",
        "callbacks",
        "briefs",
        "credits",
        "daily_limit",
        "old_job",
        "job_given_up",
    ]
    assert not any(alert.burning for alert in alerts)
    assert all(alert.says and alert.then for alert in alerts)


@pytest.mark.parametrize(
    ("failed", "complete", "burns"), [(1, 9, False), (2, 17, True), (3, 0, True), (0, 50, False)]
)
def test_over_a_tenth_of_failed_attempts_burns(failed: int, complete: int, burns: bool) -> None:
    figures = {"errors": Counter(suno_error=failed), "complete": complete}
    assert ("errors" in burning(watch(figures))) is burns


@pytest.mark.parametrize(("slow", "burns"), [(2, False), (3, True)])
def test_over_a_fifth_of_slow_tracks_burns(slow: int, burns: bool) -> None:
    figures = {"ttfc_slow": slow, "ttfc_measured": 10}
    assert ("ttfc" in burning(watch(figures))) is burns


@pytest.mark.parametrize(("timed_out", "burns"), [(5, False), (6, True)])
def test_over_half_of_the_runs_timing_out_burns(timed_out: int, burns: bool) -> None:
    figures = {"runs_timed_out": timed_out, "runs_measured": 10}
    assert ("runner_timeouts" in burning(watch(figures))) is burns


@pytest.mark.parametrize(("asked", "burns"), [(5, False), (6, True)])
def test_callbacks_that_do_not_arrive_burn(asked: int, burns: bool) -> None:
    figures = {"messengers": Counter(record_info=asked, callback=10 - asked)}
    assert ("callbacks" in burning(watch(figures))) is burns


@pytest.mark.parametrize(
    ("curated", "burns"),
    [({"rate_limit": 2}, False), ({"bad_key": 2, "timeout": 1}, True), ({"no_key": 50}, False)],
)
def test_over_a_fifth_of_briefs_that_openai_did_not_write_burns(
    curated: dict[str, int], burns: bool
) -> None:
    figures = {"briefs_written": 8, "briefs_curated": Counter(curated)}
    assert ("briefs" in burning(watch(figures))) is burns


def test_the_alert_says_why_openai_wrote_no_briefs() -> None:
    figures = {"briefs_curated": Counter(bad_key=2, timeout=1, no_key=9)}
    [alert] = [one for one in judge(watch(figures), Targets()) if one.name == "briefs"]
    assert alert.says.endswith(": bad_key 2, timeout 1")


def test_too_few_are_not_judged() -> None:
    figures = {"errors": Counter(suno_error=2), "runs_timed_out": 2, "runs_measured": 2}
    assert burning(watch(figures)) == set()
    assert burning(watch(figures), alert_samples_min=2) == {"errors", "runner_timeouts"}


@pytest.mark.parametrize(("left", "burns"), [(48, False), (47, True), (0, True), (None, False)])
def test_too_little_credit_burns(left: float | None, burns: bool) -> None:
    assert ("credits" in burning(watch(credits=left))) is burns


def test_a_refused_account_burns_until_credit_was_read_after_it() -> None:
    later, earlier = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)
    assert "credits" in burning(watch(account_refused_at=later))
    assert "credits" in burning(watch(account_refused_at=later, credits_read_at=None))
    assert "credits" not in burning(watch(account_refused_at=earlier))


@pytest.mark.parametrize(("oldest_s", "burns"), [(600, False), (601, True)])
def test_a_job_that_waits_over_ten_minutes_burns(oldest_s: float, burns: bool) -> None:
    assert ("old_job" in burning(watch(oldest_s=oldest_s))) is burns


@pytest.mark.parametrize(
    "seen",
    [
        watch(jobs_given_up=1),
        watch({"errors": Counter(track_away=1)}),
        watch({"errors": Counter(track_unavailable=1)}),
        watch({"linked": 1, "complete": 1}),
    ],
)
def test_a_job_that_was_given_up_burns(seen: Watch) -> None:
    assert "job_given_up" in burning(seen)


@pytest.fixture
def calm(records: Records) -> None:
    """Nothing has happened within the second that these tests look back."""
    records.do("delete from parcours.jobs_given_up")


@pytest.mark.usefixtures("quiet", "calm")
def test_the_command_tells_what_burns_first_and_exits_with_one(
    operator: Operator, suno: Vendor
) -> None:
    suno.credits(30)
    told = operator.run("alerts", ALERT_WINDOW_S="1")
    assert told.status == 1
    first, then, *others = told.out.splitlines()
    assert first.startswith("BURNS  credits") and "30 Suno credits" in first
    assert "buy Suno credits" in then
    assert all(line.startswith("ok") for line in others)
    suno.credits(1000)
    told = operator.run("alerts", ALERT_WINDOW_S="1")
    assert (told.status, told.out.count("BURNS")) == (0, 0)


@pytest.mark.usefixtures("quiet", "calm")
def test_json_has_every_alert(operator: Operator) -> None:
    told = operator.run("alerts", "--json", ALERT_WINDOW_S="1")
    assert told.status == 0
    assert {alert["name"] for alert in told.json} >= {"errors", "credits"}
    assert all({"name", "burning", "says", "then"} == set(alert) for alert in told.json)


def test_without_sunos_key_the_credit_read_last_is_told(operator: Operator) -> None:
    told = operator.run("alerts", "--json", SUNO_API_KEY="", ALERT_WINDOW_S="1")
    assert told.status in (0, 1)


def test_a_supabase_that_is_away_burns(operator: Operator, dead_port: int) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    told = operator.run("alerts", SUPABASE_URL=url, POSTGREST_URL=url)
    assert told.status == 1
    assert told.out.startswith("BURNS  supabase_away")


def test_the_rules_for_prometheus_are_printed(operator: Operator) -> None:
    told = operator.run("alerts", "--rules", SUPABASE_URL="")
    assert told.status == 0
    assert told.out.startswith("# Alerts for Prometheus")
    assert told.out.count("- alert: ") == 11


@pytest.mark.anyio
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("command", ["alerts", "doctor"])
async def test_a_full_quota_of_suno_keeps_nobody_from_looking(
    operator: Operator, outside: Outside, command: str
) -> None:
    await outside.database.reserve_suno_request()
    told = operator.run(command, "--json", SUNO_REQUESTS_MAX="1")
    assert told.status in (0, 1), told.err
    assert told.json


@pytest.mark.parametrize(
    ("day", "limits", "burns"),
    [
        (Day(runs=9, credits=900), {}, False),
        (Day(runs=9, credits=900), {"runs_daily_max": 10}, False),
        (Day(runs=10, credits=0), {"runs_daily_max": 10}, True),
        (Day(runs=0, credits=88), {"suno_credits_daily_max": 100}, False),
        (Day(runs=0, credits=96), {"suno_credits_daily_max": 100}, True),
    ],
)
def test_a_day_s_limit_burns_when_nothing_more_fits(
    day: Day, limits: dict[str, int], burns: bool
) -> None:
    assert ("daily_limit" in burning(watch(day=day), **limits)) is burns
