"""The report's tiles: its figures, each with a verdict."""

from collections.abc import Callable, Iterable

from parcours_xl.operations.report import Latency, Report
from parcours_xl.operations.wording import brief_reason, seconds, share
from parcours_xl.targets import (
    ALERT_BRIEFS_CURATED_SHARE_MAX,
    GOAL_ERRORS_SHARE_MAX,
    GOAL_HEARD_SHARE_MIN,
    GOAL_TIMEOUTS_SHARE_MAX,
)


def write_tiles(report: Report) -> Iterable[str]:
    """One tile a figure, as HTML; green or red by what is good enough."""
    for latency in report.latencies:
        timing = latency.listener
        within = timing.within(latency.target_s)
        yield _tile(
            f"{latency.name} · {latency.meaning}",
            share(within),
            f"within {seconds(latency.target_s)}",
            _verdict(within, lambda value: value >= GOAL_HEARD_SHARE_MIN),
            f"p50 {seconds(timing.percentile(0.5))} · p95 {seconds(timing.percentile(0.95))} · "
            f"{timing.measured} measured{_sunos(latency)}",
        )
    total = report.total
    yield _tile(
        "Attempts that failed",
        share(total.errors_share),
        "of those that ended",
        _verdict(total.errors_share, lambda value: value < GOAL_ERRORS_SHARE_MAX),
        f"{total.errors.total()} failed · {total.complete} complete · "
        f"{total.retries} tried again · {total.refusals.total()} refused by Suno",
    )
    yield _tile(
        "Runner timeouts",
        share(total.timeouts_share),
        f"took over {seconds(report.targets.runner_timeout_s)}",
        _verdict(total.timeouts_share, lambda value: value < GOAL_TIMEOUTS_SHARE_MAX),
        f"{total.runs_timed_out} of {total.runs_measured} runs that ended or should have",
    )
    curated = total.briefs_curated_share
    yield _tile(
        "Briefs by OpenAI",
        share(None if curated is None else 1 - curated),
        "of those it was asked for",
        _verdict(curated, lambda value: value <= ALERT_BRIEFS_CURATED_SHARE_MAX),
        ", ".join(
            f"{brief_reason(reason)} ({count})"
            for reason, count in total.briefs_curated.most_common()
        )
        or "none of them is the preset’s own",
    )
    by_callback = None if total.asked_share is None else 1 - total.asked_share
    yield _tile(
        "Callbacks",
        share(by_callback),
        "of the music came by one",
        _verdict(by_callback, lambda value: value >= GOAL_HEARD_SHARE_MIN),
        f"{total.messengers['record_info']} of {total.messengers.total()} previews and tracks had "
        "to be asked for",
    )


def _sunos(latency: Latency) -> str:
    return (
        f"<br>Suno’s share: p50 {seconds(latency.suno.percentile(0.5))} · "
        f"p95 {seconds(latency.suno.percentile(0.95))}"
    )


def _tile(title: str, figure: str, unit: str, verdict: str, foot: str) -> str:
    return (
        f'<div class="tile"><h2>{title}</h2>'
        f'<div class="figure {verdict}">{figure} <small>{unit}</small></div><p>{foot}</p></div>'
    )


def _verdict(value: float | None, is_good: Callable[[float], bool]) -> str:
    if value is None:
        return "unknown"
    return "good" if is_good(value) else "bad"
