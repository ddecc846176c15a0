"""Alerts: what they measure, which of them fire, and who is notified.

See docs/specification.md#alerts.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from parcours_xl.clients.database import Database, KeyRefused, SupabaseUnavailable
from parcours_xl.clients.operations_queries import (
    Gauges,
    OperationsQueries,
    PendingNotification,
    QueueHealth,
)
from parcours_xl.clients.suno import Suno
from parcours_xl.clients.webhook import Webhook
from parcours_xl.domain.failures import NOT_KEPT
from parcours_xl.domain.presets import all_presets
from parcours_xl.operations.credit import refresh_credits
from parcours_xl.operations.daily import daily_uses
from parcours_xl.operations.report.report import BRIEFS_NOT_OPENAIS, Figures, read_figures
from parcours_xl.operations.wording import brief_reason, period, seconds, share
from parcours_xl.settings import (
    ALERT_ASKED_SHARE_MAX,
    ALERT_BRIEFS_CURATED_SHARE_MAX,
    ALERT_ERRORS_SHARE_MAX,
    ALERT_SLOW_SHARE_MAX,
    ALERT_TIMEOUTS_SHARE_MAX,
    Settings,
    Targets,
)

CACHED_S = 10
RESERVE_IDLE_S = 3600
"""A worker that may fill the reserve begins a task within minutes."""

ADVICE = {
    "errors": "parcours doctor; then parcours logs of a run that failed",
    "ttfc": "parcours doctor: it checks whether Suno is slow and whether its callbacks arrive",
    "runner_timeouts": "parcours doctor: Suno refuses too often, or its callbacks do not arrive",
    "callbacks": "Suno's callbacks do not arrive: parcours doctor checks CALLBACK_BASE",
    "briefs": "OpenAI does not write the briefs: parcours doctor says what it answers",
    "credits": "buy Suno credits, then: parcours doctor --fix",
    "old_job": "no worker takes jobs: look at the workers, start parcours worker",
    "supabase_unavailable": "parcours doctor; see status.supabase.com and the project's dashboard",
    "daily_limit": "parcours report says who creates so much; wait, or raise the limit",
    "reserve": "parcours doctor --fix takes out pieces without a file; then: parcours reserve fill",
    "job_given_up": "a track could not be downloaded or stored: parcours doctor --fix",
}


@dataclass(frozen=True)
class Alert:
    """One rule and how it stands. message: the figure and its limit, in words."""

    name: str
    firing: bool
    message: str
    reason_advice: str | None = None

    @property
    def advice(self) -> str:
        """What the person on call does about it."""
        return self.reason_advice or ADVICE[self.name]

    def as_json(self) -> dict[str, Any]:
        row = asdict(self) | {"advice": self.advice}
        del row["reason_advice"]
        return row


@dataclass(frozen=True)
class Snapshot:
    """Everything that alerts and metrics judge, read at one moment.

    figures: of the last `window`; recent: of the last `recent_window`, so that what breaks now
    is not hidden by a good hour.
    """

    window: timedelta
    figures: Figures
    recent_window: timedelta
    recent: Figures
    queues: list[QueueHealth]
    gauges: Gauges


async def read_snapshot(queries: OperationsQueries, targets: Targets) -> Snapshot:
    """Raises RetryableError when Supabase does not answer."""
    now = datetime.now(UTC)
    window = timedelta(seconds=targets.alert_window_s)
    recent_window = min(window, timedelta(seconds=targets.alert_recent_s))
    return Snapshot(
        window,
        await read_figures(queries, now - window, now, targets.targets),
        recent_window,
        await read_figures(queries, now - recent_window, now, targets.targets),
        await queries.read_queues(),
        await queries.read_gauges(now - window),
    )


class SnapshotCache:
    """One snapshot serves all who ask within ten seconds."""

    def __init__(self, queries: OperationsQueries, targets: Targets):
        self._queries = queries
        self._targets = targets
        self._lock = asyncio.Lock()
        self._snapshot: Snapshot | None = None
        self._read_at = 0.0

    async def read(self) -> Snapshot:
        """Raises RetryableError."""
        async with self._lock:
            if self._snapshot is None or time.monotonic() - self._read_at > CACHED_S:
                self._snapshot = await read_snapshot(self._queries, self._targets)
                self._read_at = time.monotonic()
            return self._snapshot


def judge(snapshot: Snapshot, targets: Targets) -> list[Alert]:
    """Every rule, firing or not."""
    return [
        *(_judge_share(rule, snapshot, targets) for rule in _share_rules(targets)),
        _credits(snapshot, targets),
        _daily_limit(snapshot, targets),
        _old_job(snapshot, targets),
        _job_given_up(snapshot),
        _reserve(snapshot, targets),
    ]


@dataclass(frozen=True)
class _ShareRule:
    """A rule that fires when a share of `what` exceeds its limit, in the long or the short window.

    found: the share, and of how many; None when nothing was measured.
    """

    name: str
    limit: float
    what: str
    found: Callable[[Figures], tuple[float | None, int]]
    explain: Callable[[Figures], str] = lambda _: ""


def _share_rules(targets: Targets) -> list[_ShareRule]:
    return [
        _ShareRule(
            "errors",
            ALERT_ERRORS_SHARE_MAX,
            "attempts failed",
            lambda it: (it.errors_share, it.errors.total() + it.complete),
        ),
        _ShareRule(
            "ttfc",
            ALERT_SLOW_SHARE_MAX,
            f"tracks took over {seconds(targets.ttfc_alert_s)}",
            lambda it: (it.ttfc_slow_share, it.ttfc_measured),
        ),
        _ShareRule(
            "runner_timeouts",
            ALERT_TIMEOUTS_SHARE_MAX,
            f"runs took over {seconds(targets.runner_timeout_s)}",
            lambda it: (it.timeouts_share, it.runs_measured),
        ),
        # Without callbacks music comes late, when Suno is asked: no other rule notices that.
        _ShareRule(
            "callbacks",
            ALERT_ASKED_SHARE_MAX,
            "previews and tracks came without a callback",
            lambda it: (it.asked_share, it.messengers.total()),
        ),
        _ShareRule(
            "briefs",
            ALERT_BRIEFS_CURATED_SHARE_MAX,
            "briefs were not written by OpenAI",
            lambda it: (it.briefs_curated_share, it.briefs_asked),
            _why_no_briefs,
        ),
    ]


def _judge_share(rule: _ShareRule, snapshot: Snapshot, targets: Targets) -> Alert:
    """The short window decides only when it alone exceeds the limit."""
    slow = _judge_window(rule, snapshot.window, snapshot.figures, targets)
    fast = _judge_window(rule, snapshot.recent_window, snapshot.recent, targets)
    return fast if fast.firing and not slow.firing else slow


def _judge_window(rule: _ShareRule, window: timedelta, figures: Figures, targets: Targets) -> Alert:
    last = f"in the last {period(window)}"
    found, samples = rule.found(figures)
    if found is None:
        return Alert(rule.name, False, f"nothing to judge {last}")
    enough = samples >= targets.alert_samples_min
    message = f"{share(found)} of {samples} {rule.what} {last}, at most {share(rule.limit)}"
    if not enough:
        message += f" (too few to judge: {targets.alert_samples_min} are needed)"
    if explained := rule.explain(figures):
        message += f": {explained}"
    return Alert(rule.name, enough and found > rule.limit, message)


def _why_no_briefs(figures: Figures) -> str:
    return ", ".join(
        f"{brief_reason(reason)} ({count})"
        for reason, count in figures.briefs_curated.most_common()
        if reason not in BRIEFS_NOT_OPENAIS
    )


def _credits(snapshot: Snapshot, targets: Targets) -> Alert:
    gauges = snapshot.gauges
    refused = gauges.account_refused_at is not None and (
        gauges.credits_read_at is None or gauges.account_refused_at > gauges.credits_read_at
    )
    if refused:
        message = "Suno refused a request: no credits are left, or it does not accept the key"
        advice = "parcours doctor says which: buy Suno credits, or correct SUNO_API_KEY; then --fix"
        return Alert("credits", True, message, advice)
    if gauges.credits is None:
        return Alert("credits", False, "no worker has asked Suno for its credit yet")
    message = f"{gauges.credits:g} Suno credits are left, at least {targets.credits_min}"
    return Alert("credits", gauges.credits < targets.credits_min, message)


def _daily_limit(snapshot: Snapshot, targets: Targets) -> Alert:
    uses = daily_uses(snapshot.gauges.day, targets)
    message = "; ".join(str(use) for use in uses)
    firing = any(use.is_reached for use in uses)
    return Alert("daily_limit", firing, message or "no daily limit of runs or credits is set")


def _old_job(snapshot: Snapshot, targets: Targets) -> Alert:
    oldest = max(snapshot.queues, key=lambda queue: queue.oldest_s)
    message = (
        f"the oldest job ({oldest.queue}) has waited for {seconds(oldest.oldest_s)}, "
        f"at most {seconds(targets.old_job_s)}"
    )
    return Alert("old_job", oldest.oldest_s > targets.old_job_s, message)


def _job_given_up(snapshot: Snapshot) -> Alert:
    figures, gauges = snapshot.figures, snapshot.gauges
    lost = sum(figures.errors[reason] for reason in NOT_KEPT)
    unreadable = f", {gauges.jobs_unreadable} of them unreadable" if gauges.jobs_unreadable else ""
    message = (
        f"{gauges.jobs_given_up} jobs were given up{unreadable}; in the last "
        f"{period(snapshot.window)} {lost} tracks could not be downloaded or stored and "
        f"{figures.linked} play from Suno's own address"
    )
    return Alert("job_given_up", gauges.jobs_given_up + lost + figures.linked > 0, message)


def _reserve(snapshot: Snapshot, targets: Targets) -> Alert:
    """A reserve that is only being filled is no alert: a preset without a piece is one when Suno's
    tasks failed, or none has begun for RESERVE_IDLE_S, for want of credits or of a worker.
    """
    gauges = snapshot.gauges
    missing = sum(stock.missing for stock in gauges.reserve.values())
    ready = sum(stock.ready for stock in gauges.reserve.values())
    filled = sum(stock.ready > 0 for stock in gauges.reserve.values())
    message = f"{ready} pieces of {filled} presets are ready, {missing} have no file"
    if gauges.reserve_failed:
        message += f"; {gauges.reserve_failed} tasks gave no piece in the last 24 hours"
    wanted = len(all_presets()) if targets.reserve_per_preset else 0
    begun_at = gauges.reserve_claimed_at
    idle = begun_at is not None and datetime.now(UTC) - begun_at > timedelta(seconds=RESERVE_IDLE_S)
    if idle and filled < wanted:
        message += f"; no task has begun since {begun_at:%Y-%m-%d %H:%M} UTC"
    empty = filled < wanted and (gauges.reserve_failed > 0 or idle)
    return Alert("reserve", missing > 0 or empty, message)


async def notify_changes(
    queries: OperationsQueries, webhook: Webhook | None, alerts: list[Alert]
) -> int:
    """Record what fires, and notify of what has changed. Returns how many messages were sent.

    Each alert is told once when it fires and once when it is resolved, in that order; what could
    not be sent is sent the next time. Raises WebhookUnavailable.
    """
    firing = [{"name": alert.name, "says": alert.message} for alert in alerts if alert.firing]
    untold = await queries.record_alerts(firing)
    if webhook is None:
        return 0
    advice = {alert.name: alert.advice for alert in alerts}
    sent = 0
    for change in untold:
        if not change.told_began:
            await webhook.send(firing_message(change.name, change.says, advice.get(change.name)))
            await queries.record_notified(change.id, ended=False)
            sent += 1
        if change.ended_at is not None:
            await webhook.send(_resolved_message(change))
            await queries.record_notified(change.id, ended=True)
            sent += 1
    return sent


def firing_message(name: str, message: str, advice: str | None = None) -> str:
    """The notification when an alert begins to fire."""
    return f"🔥 Parcours XL: {name} is firing: {message}. {advice or ADVICE.get(name, '')}".rstrip()


def _resolved_message(change: PendingNotification) -> str:
    assert change.ended_at is not None, "it has ended"
    length = (change.ended_at - change.began_at).total_seconds()
    return f"✅ Parcours XL: {change.name} is resolved, after {seconds(length)}."


async def judge_now(
    database: Database, queries: OperationsQueries, suno: Suno, settings: Settings
) -> list[Alert]:
    """Every rule at this moment, after Suno was asked for the credits that are left.

    Without Supabase nothing can be judged: that is the one alert then. Raises KeyRefused.
    """
    try:
        await refresh_credits(database, queries, suno, settings)
        return judge(await read_snapshot(queries, settings), settings)
    except KeyRefused:
        raise
    except SupabaseUnavailable as unavailable:
        return [Alert("supabase_unavailable", True, unavailable.message)]
