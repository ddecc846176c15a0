"""The report's tiles: its figures, each with a verdict."""

from collections import Counter
from collections.abc import Callable, Iterable
from html import escape
from importlib.resources import files

from parcours_xl.domain.failures import failure_summary
from parcours_xl.operations.daily import daily_uses
from parcours_xl.operations.report.charts import Series, draw_bars, draw_columns, draw_lines
from parcours_xl.operations.report.report import Latency, Report, Slice, Timing
from parcours_xl.operations.wording import (
    STATUSES,
    amount,
    brief_reason,
    period,
    put_off_reason,
    seconds,
    share,
)
from parcours_xl.settings import (
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
    yield from _cost_tiles(report)


def _cost_tiles(report: Report) -> Iterable[str]:
    costs = report.total.costs
    for title, spent, of_runs, wasted, reasons in (
        (
            "Suno credits",
            costs.credits,
            costs.credits_of_runs,
            costs.credits_wasted,
            failure_summary,
        ),
        ("OpenAI tokens", costs.tokens, costs.tokens, costs.tokens_wasted, brief_reason),
    ):
        why = ", ".join(f"{reasons(why)} ({amount(n)})" for why, n in wasted.most_common())
        share_wasted = wasted.total() / spent if spent else None
        yield _tile(
            title,
            amount(spent),
            f"spent · {share(share_wasted)} wasted",
            _verdict(share_wasted, lambda value: value < GOAL_ERRORS_SHARE_MAX),
            f"{amount(costs.a_run(of_runs))} a journey · "
            f"{amount(spent / report.days)} a day at this rate"
            + (f"<br>Wasted: {escape(why)}" if why else ""),
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


COLOURS = {
    "complete": "var(--good)",
    "ready": "var(--good)",
    "first": "var(--calm)",
    "generating": "var(--dusk)",
    "creating": "var(--dusk)",
    "queued": "var(--line)",
    "failed": "var(--bad)",
}


def write_page(report: Report) -> str:
    """The report as HTML, to be kept as a file and looked at in a browser."""
    length = period(report.end - report.start)
    style = (files("parcours_xl.operations.report") / "report.css").read_text()
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Parcours XL, the last {length}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>Parcours XL, the last {length}</h1>
<p>{report.start:%d %B %H:%M} to {report.end:%d %B %Y %H:%M} UTC · {_journeys(report)}</p>
</header>
<main>
<div class="tiles">{"".join(write_tiles(report))}</div>
<div class="charts">{"".join(_charts(report))}</div>
</main>
</body>
</html>
"""


def _journeys(report: Report) -> str:
    count = report.total.runs.total()
    return f"{count} journey{'' if count == 1 else 's'} created"


def _charts(report: Report) -> Iterable[str]:
    labels = [_label(piece, report) for piece in report.slices]
    targets, total = report.targets, report.total
    yield _latency_chart(
        "Time to the first sound",
        [piece.figures.ttfp for piece in report.slices],
        labels,
        targets.ttfp_target_s,
    )
    yield _latency_chart(
        "Time to the first whole track",
        [piece.figures.ttfc for piece in report.slices],
        labels,
        targets.ttfc_target_s,
    )
    yield _runs_chart(report, labels)
    yield _costs_chart(report, labels)
    yield _section(
        "What the limits did",
        "Journeys that wait, by why; and what the last 24 hours have used of each limit",
        _limits(report),
    )
    yield _section(
        "Errors by cause",
        "Attempts that failed, whether or not another one made it good",
        _bars([(failure_summary(name), count) for name, count in total.errors.most_common()]),
    )
    yield _section(
        "Segments",
        "How the segments of these journeys stand now",
        _stack(total.segments),
        wide=True,
    )
    yield _section(
        "Suno’s refusals by code",
        "405, 429, 430: too many requests · 429 (credits): none left · 455, 5xx: out of service",
        _bars([(name, count) for name, count in total.refusals.most_common()]),
    )
    yield _section(
        "Prompts that Suno refused",
        "In Suno’s words; the next attempt asks with the preset’s own prompt",
        _refused(total.refused_words),
    )
    yield _section("Most journeys in 7 days", "Who creates more than anybody else", _users(report))


def _label(piece: Slice, report: Report) -> str:
    days = (report.end - report.start).days
    return f"{piece.start:%d %b}" if days >= 3 else f"{piece.start:%H:%M}"


def _latency_chart(title: str, timings: list[Timing], labels: list[str], target_s: float) -> str:
    series = [
        Series("p95", "var(--warm)", [timing.percentile(0.95) for timing in timings]),
        Series("p50", "var(--calm)", [timing.percentile(0.50) for timing in timings]),
    ]
    if not any(timing.seconds for timing in timings):
        return _section(title, "As the listener lives it", _nothing("Nothing was heard."))
    drawing = draw_lines(series, labels, target_s, seconds)
    about = "As the listener lives it"
    if any(timing.measured and timing.percentile(0.95) is None for timing in timings):
        about += "; p95 breaks off where over 5 % never came"
    target = Series(f"target {seconds(target_s)}", "var(--bad)", [])
    return _section(title, about, _legend([*series, target]) + drawing)


def _runs_chart(report: Report, labels: list[str]) -> str:
    layers = [
        Series(
            STATUSES[status],
            COLOURS[status],
            [piece.figures.runs[status] for piece in report.slices],
        )
        for status in ("ready", "creating", "failed")
    ]
    about = "By when they were created, and how they stand now"
    if not report.total.runs:
        return _section("Journeys", about, _nothing("None was created."))
    return _section("Journeys", about, _legend(layers) + draw_columns(layers, labels))


def _costs_chart(report: Report, labels: list[str]) -> str:
    pieces = [piece.figures.costs for piece in report.slices]
    layers = [
        Series("kept", "var(--good)", [costs.credits_kept for costs in pieces]),
        Series("under way", "var(--dusk)", [costs.credits_under_way for costs in pieces]),
        Series("wasted", "var(--bad)", [costs.credits_wasted.total() for costs in pieces]),
        Series("reserve", "var(--calm)", [costs.credits_reserve for costs in pieces]),
    ]
    title, about = "Suno credits", "By when the music was asked for, and what became of it"
    if not report.total.costs.credits:
        return _section(title, about, _nothing("None was spent."))
    return _section(title, about, _legend(layers) + draw_columns(layers, labels))


def _limits(report: Report) -> str:
    put_off = report.total.costs.put_off
    rows = [(f"put off: {put_off_reason(why)}", str(count)) for why, count in put_off.most_common()]
    rows += [
        (use.what, f"{use.used} of {use.limit}" + (" (reached)" if use.is_reached else ""))
        for use in daily_uses(report.day, report.targets)
    ]
    if not rows:
        return _nothing("No journey waited, and no daily limit is set.")
    cells = "".join(f"<tr><td>{escape(what)}</td><td>{said}</td></tr>" for what, said in rows)
    return f"<table><tr><th>limit</th><th>journeys, or used</th></tr>{cells}</table>"


def _stack(counts: Counter[str]) -> str:
    if not counts:
        return _nothing("There are none.")
    known = [status for status in COLOURS if counts[status]]
    stripes = "".join(
        f'<i style="--many:{counts[status]};--dot:{COLOURS[status]}"></i>' for status in known
    )
    names = "".join(
        f'<span style="--dot:{COLOURS[status]}">{STATUSES[status]}: {counts[status]}, '
        f"{share(counts[status] / counts.total())}</span>"
        for status in known
    )
    return f'<div class="stack">{stripes}</div><div class="legend">{names}</div>'


def _bars(rows: list[tuple[str, int]]) -> str:
    if not rows:
        return _nothing("None.")
    total = sum(count for _, count in rows)
    return draw_bars(
        [(name, count, f"{count}, {share(count / total)}") for name, count in rows], "var(--bad)"
    )


def _refused(counts: Counter[str]) -> str:
    if not counts:
        return _nothing("None.")
    rows = "".join(
        f"<tr><td>{escape(said)}</td><td>{count}</td></tr>" for said, count in counts.most_common()
    )
    return f"<table><tr><th>Suno said</th><th>prompts</th></tr>{rows}</table>"


def _users(report: Report) -> str:
    if not report.top_users:
        return _nothing("Nobody.")
    rows = "".join(
        f"<tr><td><code>{user.user_id}</code></td><td>{user.runs}</td></tr>"
        for user in report.top_users
    )
    return f"<table><tr><th>user</th><th>journeys</th></tr>{rows}</table>"


def _legend(series: Iterable[Series]) -> str:
    names = "".join(f'<span style="--dot:{one.colour}">{escape(one.name)}</span>' for one in series)
    return f'<div class="legend">{names}</div>'


def _section(title: str, about: str, content: str, *, wide: bool = False) -> str:
    kind = ' class="wide"' if wide else ""
    return f"<section{kind}><h2>{title}</h2><p>{about}</p>{content}</section>"


def _nothing(words: str) -> str:
    return f'<div class="nothing">{words}</div>'
