"""Which alerts fire, and how `parcours alerts` prints them."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parcours_xl.clients.clients import Clients
from parcours_xl.clients.operations_queries import Day, Gauges, QueueHealth, ReserveStock
from parcours_xl.domain.presets import all_presets
from parcours_xl.operations.alerts import Snapshot, judge
from parcours_xl.operations.report.report import Figures
from parcours_xl.settings import Targets
from tests.fixtures.operator import Operator
from tests.fixtures.records import Records
from tests.fixtures.vendors import Vendor

NOW = datetime(2026, 11, 22, tzinfo=UTC)
QUIET = Gauges(
    credits=900,
    credits_read_at=NOW,
    account_refused_at=None,
    jobs_given_up=0,
    jobs_unreadable=0,
    day=Day(runs=0, credits=0),
    maintenance_due_at=NOW,
)


def snapshot(
    figures: dict[str, Any] | None = None,
    oldest_s: float = 0,
    recent: dict[str, Any] | None = None,
    **gauges: object,
) -> Snapshot:
    return Snapshot(
        timedelta(hours=1),
        Figures(**figures or {}),
        timedelta(minutes=5),
        Figures(**recent or {}),
        [QueueHealth(queue="parcours_tracks", depth=1, due=1, oldest_s=oldest_s)],
        QUIET.model_copy(update=gauges),
    )


def firing(seen: Snapshot, **targets: object) -> set[str]:
    return {alert.name for alert in judge(seen, Targets(**targets)) if alert.firing}  # type: ignore[arg-type]


def test_what_breaks_now_is_not_hidden_by_a_good_hour() -> None:
    hour = {"messengers": Counter(callback=200, record_info=4)}
    minutes = {"messengers": Counter(record_info=4)}
    assert firing(snapshot(hour, recent=minutes)) == {"callbacks"}
    [alert] = [one for one in judge(snapshot(hour, recent=minutes), Targets()) if one.firing]
    assert "in the last 5 minutes" in alert.message
    assert firing(snapshot(hour, recent={"messengers": Counter(record_info=2)})) == set(), "too few"
    assert firing(snapshot({"messengers": Counter(record_info=9)})) == {"callbacks"}


def test_a_quiet_deployment_has_ten_alerts_and_none_fires() -> None:
    alerts = judge(snapshot(), Targets())
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
        "reserve",
    ]
    assert not any(alert.firing for alert in alerts)
    assert all(alert.message and alert.advice for alert in alerts)


@pytest.mark.parametrize(
    ("failed", "complete", "fires"), [(1, 9, False), (2, 17, True), (3, 0, True), (0, 50, False)]
)
def test_over_a_tenth_of_failed_attempts_fires(failed: int, complete: int, fires: bool) -> None:
    figures = {"errors": Counter(suno_error=failed), "complete": complete}
    assert ("errors" in firing(snapshot(figures))) is fires


@pytest.mark.parametrize(("slow", "fires"), [(2, False), (3, True)])
def test_over_a_fifth_of_slow_tracks_fires(slow: int, fires: bool) -> None:
    figures = {"ttfc_slow": slow, "ttfc_measured": 10}
    assert ("ttfc" in firing(snapshot(figures))) is fires


@pytest.mark.parametrize(("timed_out", "fires"), [(5, False), (6, True)])
def test_over_half_of_the_runs_timing_out_fires(timed_out: int, fires: bool) -> None:
    figures = {"runs_timed_out": timed_out, "runs_measured": 10}
    assert ("runner_timeouts" in firing(snapshot(figures))) is fires


@pytest.mark.parametrize(("asked", "fires"), [(5, False), (6, True)])
def test_callbacks_that_do_not_arrive_fire(asked: int, fires: bool) -> None:
    figures = {"messengers": Counter(record_info=asked, callback=10 - asked)}
    assert ("callbacks" in firing(snapshot(figures))) is fires


@pytest.mark.parametrize(
    ("curated", "fires"),
    [({"rate_limit": 2}, False), ({"bad_key": 2, "timeout": 1}, True), ({"no_key": 50}, False)],
)
def test_over_a_fifth_of_briefs_that_openai_did_not_write_fires(
    curated: dict[str, int], fires: bool
) -> None:
    figures = {"briefs_written": 8, "briefs_curated": Counter(curated)}
    assert ("briefs" in firing(snapshot(figures))) is fires


def test_the_alert_says_why_openai_wrote_no_briefs() -> None:
    figures = {"briefs_curated": Counter(bad_key=2, timeout=1, no_key=9)}
    [alert] = [one for one in judge(snapshot(figures), Targets()) if one.name == "briefs"]
    assert alert.message.endswith(": OpenAI refuses the key (2), OpenAI was too slow (1)")


def test_too_few_are_not_judged() -> None:
    figures = {"errors": Counter(suno_error=2), "runs_timed_out": 2, "runs_measured": 2}
    assert firing(snapshot(figures)) == set()
    assert firing(snapshot(figures), alert_samples_min=2) == {"errors", "runner_timeouts"}


@pytest.mark.parametrize(("left", "fires"), [(48, False), (47, True), (0, True), (None, False)])
def test_too_little_credit_fires(left: float | None, fires: bool) -> None:
    assert ("credits" in firing(snapshot(credits=left))) is fires


def test_a_refused_account_fires_until_credit_was_read_after_it() -> None:
    later, earlier = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)
    assert "credits" in firing(snapshot(account_refused_at=later))
    assert "credits" in firing(snapshot(account_refused_at=later, credits_read_at=None))
    assert "credits" not in firing(snapshot(account_refused_at=earlier))


@pytest.mark.parametrize(("oldest_s", "fires"), [(600, False), (601, True)])
def test_a_job_that_waits_over_ten_minutes_fires(oldest_s: float, fires: bool) -> None:
    assert ("old_job" in firing(snapshot(oldest_s=oldest_s))) is fires


@pytest.mark.parametrize(
    "seen",
    [
        snapshot(jobs_given_up=1),
        snapshot({"errors": Counter(track_away=1)}),
        snapshot({"errors": Counter(track_unavailable=1)}),
        snapshot({"linked": 1, "complete": 1}),
    ],
)
def test_a_job_that_was_given_up_fires(seen: Snapshot) -> None:
    assert "job_given_up" in firing(seen)


@pytest.fixture
def calm(records: Records) -> None:
    """Nothing has happened within the second that these tests look back."""
    records.do("delete from parcours.dead_letters")


@pytest.mark.usefixtures("quiet", "calm")
def test_the_command_tells_what_fires_first_and_exits_with_one(
    operator: Operator, suno: Vendor
) -> None:
    suno.credits(30)
    told = operator.run("alerts", ALERT_WINDOW_S="1")
    assert told.status == 1
    first, then, *others = told.out.splitlines()
    assert first.startswith("FIRING  credits") and "30 Suno credits" in first
    assert "buy Suno credits" in then
    assert all(line.startswith("ok") for line in others)
    suno.credits(1000)
    told = operator.run("alerts", ALERT_WINDOW_S="1")
    assert (told.status, told.out.count("FIRING")) == (0, 0)


@pytest.mark.usefixtures("quiet", "calm")
def test_json_has_every_alert(operator: Operator) -> None:
    told = operator.run("alerts", "--json", ALERT_WINDOW_S="1")
    assert told.status == 0
    assert {alert["name"] for alert in told.json} >= {"errors", "credits"}
    assert all({"name", "firing", "message", "advice"} == set(alert) for alert in told.json)


def test_without_sunos_key_the_credit_read_last_is_told(operator: Operator) -> None:
    told = operator.run("alerts", "--json", SUNO_API_KEY="", ALERT_WINDOW_S="1")
    assert told.status in (0, 1)


def test_a_supabase_that_is_unavailable_fires(operator: Operator, dead_port: int) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    told = operator.run("alerts", SUPABASE_URL=url, POSTGREST_URL=url)
    assert told.status == 1
    assert told.out.startswith("FIRING  supabase_unavailable")


def test_the_rules_for_prometheus_are_printed(operator: Operator) -> None:
    told = operator.run("alerts", "--rules", SUPABASE_URL="")
    assert told.status == 0
    assert told.out.startswith("# Alerts for Prometheus")
    assert told.out.count("- alert: ") == 12


@pytest.mark.anyio
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("command", ["alerts", "doctor"])
async def test_a_full_quota_of_suno_keeps_nobody_from_looking(
    operator: Operator, clients: Clients, command: str
) -> None:
    await clients.database.reserve_suno_request()
    told = operator.run(command, "--json", SUNO_REQUESTS_MAX="1")
    assert told.status in (0, 1), told.err
    assert told.json


@pytest.mark.parametrize(
    ("day", "limits", "fires"),
    [
        (Day(runs=9, credits=900), {}, False),
        (Day(runs=9, credits=900), {"runs_daily_max": 10}, False),
        (Day(runs=10, credits=0), {"runs_daily_max": 10}, True),
        (Day(runs=0, credits=88), {"suno_credits_daily_max": 100}, False),
        (Day(runs=0, credits=96), {"suno_credits_daily_max": 100}, True),
    ],
)
def test_a_day_s_limit_fires_when_nothing_more_fits(
    day: Day, limits: dict[str, int], fires: bool
) -> None:
    assert ("daily_limit" in firing(snapshot(day=day), **limits)) is fires


@pytest.mark.parametrize(
    ("ready", "missing", "failed", "idle_s", "per_preset", "fires"),
    [
        (2, 1, 0, 60, 0, True),
        (2, 0, 3, 7200, 2, False),
        (0, 0, 3, 60, 2, True),
        (0, 0, 0, 60, 2, False),
        (0, 0, 0, 7200, 2, True),
        (0, 0, 3, 7200, 0, False),
    ],
    ids=["a file is missing", "none is empty", "empty", "being filled", "nobody fills", "off"],
)
def test_a_reserve_without_files_or_that_cannot_be_filled_fires(
    ready: int, missing: int, failed: int, idle_s: float, per_preset: int, fires: bool
) -> None:
    stock = {
        preset.key: ReserveStock(ready=ready, missing=missing if place == 0 else 0)
        for place, preset in enumerate(all_presets())
    }
    begun_at = datetime.now(UTC) - timedelta(seconds=idle_s)
    seen = snapshot(reserve=stock, reserve_failed=failed, reserve_claimed_at=begun_at)
    assert ("reserve" in firing(seen, reserve_per_preset=per_preset)) is fires
