"""What burns (runbook, "Contacts & escalades"), judged from figures and signs."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from parcours_xl.operations.daily import daily_uses
from parcours_xl.operations.watching import Watch
from parcours_xl.operations.wording import period, seconds, share
from parcours_xl.targets import Targets

ERRORS_SHARE_MAX = 0.10
TTFC_SLOW_SHARE_MAX = 0.20
TIMEOUTS_SHARE_MAX = 0.50
ASKED_SHARE_MAX = 0.50
BRIEFS_CURATED_SHARE_MAX = 0.20
UNKEPT = ("track_away", "track_unavailable", "storing_broke")
"""Causes for which a track that Suno delivered was given up (wording.py)."""

WHAT_TO_DO = {
    "errors": "parcours doctor; then read the logs of a run that failed",
    "ttfc": "see whether Suno is slow, and whether its callbacks arrive: parcours doctor",
    "runner_timeouts": "Suno refuses too often, or its callbacks are lost: parcours doctor",
    "callbacks": "Suno's callbacks do not arrive: parcours doctor looks at CALLBACK_BASE",
    "briefs": "OpenAI does not write the briefs: parcours doctor says what it answers",
    "credits": "buy Suno credits, then: parcours doctor --fix",
    "old_job": "no worker is taking jobs: look at the workers, start parcours worker",
    "supabase_away": "see status.supabase.com and the project's dashboard; all goes on by itself",
    "daily_limit": "parcours report says who creates so much; wait, or raise the limit",
    "job_given_up": "a track could not be fetched or stored, however often: parcours doctor --fix",
}


@dataclass(frozen=True)
class Alert:
    """One rule and how it stands. says: the figure and its limit, in words."""

    name: str
    burning: bool
    says: str

    @property
    def then(self) -> str:
        """What whoever is told does about it."""
        return WHAT_TO_DO[self.name]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"then": self.then}


def judge(watch: Watch, targets: Targets) -> list[Alert]:
    """Every rule, burning or not."""
    return [
        _errors(watch, targets),
        _ttfc(watch, targets),
        _runner_timeouts(watch, targets),
        _callbacks(watch, targets),
        _briefs(watch, targets),
        _credits(watch, targets),
        _daily_limit(watch, targets),
        _old_job(watch, targets),
        _job_given_up(watch),
    ]


def _errors(watch: Watch, targets: Targets) -> Alert:
    figures = watch.figures
    ended = figures.errors.total() + figures.complete
    return _share_alert(
        "errors", figures.errors_share, ERRORS_SHARE_MAX, ended, watch, targets, "attempts failed"
    )


def _ttfc(watch: Watch, targets: Targets) -> Alert:
    return _share_alert(
        "ttfc",
        watch.figures.ttfc_slow_share,
        TTFC_SLOW_SHARE_MAX,
        watch.figures.ttfc_measured,
        watch,
        targets,
        f"tracks took over {seconds(targets.ttfc_alert_s)}",
    )


def _runner_timeouts(watch: Watch, targets: Targets) -> Alert:
    return _share_alert(
        "runner_timeouts",
        watch.figures.timeouts_share,
        TIMEOUTS_SHARE_MAX,
        watch.figures.runs_measured,
        watch,
        targets,
        f"runs took over {seconds(targets.runner_timeout_s)}",
    )


def _callbacks(watch: Watch, targets: Targets) -> Alert:
    # The music is not lost, Suno is asked for it; but only after 90 s, and no other alert says so.
    return _share_alert(
        "callbacks",
        watch.figures.asked_share,
        ASKED_SHARE_MAX,
        watch.figures.messengers.total(),
        watch,
        targets,
        "previews and tracks came by no callback",
    )


def _briefs(watch: Watch, targets: Targets) -> Alert:
    figures = watch.figures
    alert = _share_alert(
        "briefs",
        figures.briefs_curated_share,
        BRIEFS_CURATED_SHARE_MAX,
        figures.briefs_asked,
        watch,
        targets,
        "briefs were not written by OpenAI",
    )
    reasons = ", ".join(
        f"{reason} {count}"
        for reason, count in figures.briefs_curated.most_common()
        if reason != "no_key"
    )
    return replace(alert, says=f"{alert.says}: {reasons}") if reasons else alert


def _share_alert(
    name: str,
    found: float | None,
    limit: float,
    samples: int,
    watch: Watch,
    targets: Targets,
    what: str,
) -> Alert:
    last = f"in the last {period(watch.window)}"
    if found is None:
        return Alert(name, False, f"nothing to judge {last}")
    enough = samples >= targets.alert_samples_min
    says = f"{share(found)} of {samples} {what} {last}, at most {share(limit)}"
    if not enough:
        says += f" (too few to judge: {targets.alert_samples_min} are needed)"
    return Alert(name, enough and found > limit, says)


def _credits(watch: Watch, targets: Targets) -> Alert:
    signs = watch.signs
    refused = signs.account_refused_at is not None and (
        signs.credits_read_at is None or signs.account_refused_at > signs.credits_read_at
    )
    if refused:
        return Alert("credits", True, "Suno refused a request for want of credits, or of a key")
    if signs.credits is None:
        return Alert("credits", False, "nobody has asked Suno for its credit yet")
    says = f"{signs.credits:g} Suno credits are left, at least {targets.credits_min}"
    return Alert("credits", signs.credits < targets.credits_min, says)


def _daily_limit(watch: Watch, targets: Targets) -> Alert:
    reached = [use for use in daily_uses(watch.signs.day, targets) if use.is_reached]
    says = "; ".join(str(use) for use in daily_uses(watch.signs.day, targets))
    return Alert("daily_limit", bool(reached), says or "a day has no limit of runs or credits")


def _old_job(watch: Watch, targets: Targets) -> Alert:
    oldest = max(watch.queues, key=lambda queue: queue.oldest_s)
    says = (
        f"the oldest job ({oldest.queue}) has waited for {seconds(oldest.oldest_s)}, "
        f"at most {seconds(targets.old_job_s)}"
    )
    return Alert("old_job", oldest.oldest_s > targets.old_job_s, says)


def _job_given_up(watch: Watch) -> Alert:
    figures = watch.figures
    waiting = watch.signs.jobs_given_up
    lost = sum(figures.errors[cause] for cause in UNKEPT)
    unread = f", {watch.signs.jobs_unreadable} of them unreadable," * bool(
        watch.signs.jobs_unreadable
    )
    says = (
        f"{waiting} jobs given up{unread} wait for the doctor; in the last {period(watch.window)} "
        f"{lost} tracks could not be had or kept and {figures.linked} could not be stored"
    )
    return Alert("job_given_up", waiting + lost + figures.linked > 0, says)
