"""The report on a terminal."""

from collections import Counter
from collections.abc import Callable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from parcours_xl.domain.failures import failure_summary
from parcours_xl.operations.daily import daily_uses
from parcours_xl.operations.report.report import Report, Timing
from parcours_xl.operations.wording import (
    STATUSES,
    amount,
    brief_reason,
    period,
    put_off_reason,
    seconds,
    share,
)

GOOD_SHARE = 0.95


def show_report(console: Console, report: Report) -> None:
    """Latencies, statuses, errors, refusals and the busiest users."""
    length = period(report.end - report.start)
    console.print(f"\n[bold]The last {length}[/], until {report.end:%Y-%m-%d %H:%M} UTC\n")
    console.print(_latencies(report))
    total = report.total
    console.print(_counts("runs", total.runs, lambda status: STATUSES.get(status, status)))
    console.print(_counts("segments", total.segments, lambda status: STATUSES.get(status, status)))
    console.print(
        f"[bold]Errors[/] {share(total.errors_share)} of the attempts that ended "
        f"({total.errors.total()} failed, {total.complete} complete)"
    )
    if total.errors:
        console.print(_counts("failed attempts", total.errors, failure_summary))
    console.print(
        f"[bold]Runner timeouts[/] {share(total.timeouts_share)} of {total.runs_measured} runs"
    )
    console.print(
        f"[bold]Suno[/] {total.submissions} submissions, {total.retries} of them again; "
        f"{total.refusals.total()} refused"
    )
    if total.refusals:
        console.print(_counts("refusals", total.refusals, lambda code: f"code {code}"))
    if total.refused_words:
        console.print(_counts("prompts refused, as Suno said", total.refused_words, escape))
    if asked := total.messengers["record_info"]:
        console.print(
            f"[bold]Callbacks[/] {asked} of {total.messengers.total()} previews and tracks came by "
            "none: Suno had to be asked"
        )
    if total.briefs_asked:
        console.print(
            f"[bold]Briefs[/] OpenAI wrote {total.briefs_written} of {total.briefs_asked}; "
            "the others are their preset's own"
        )
    if total.briefs_curated:
        console.print(_counts("preset's own briefs", total.briefs_curated, brief_reason))
    if total.linked:
        console.print(f"[bold]Not stored[/] {total.linked} tracks play from Suno's own address")
    _show_costs(console, report)
    for use in daily_uses(report.day, report.targets):
        console.print(f"[bold]{'Limit reached' if use.is_reached else 'Limit'}[/] {use}")
    if report.top_users:
        console.print(_top_users(report))


def _show_costs(console: Console, report: Report) -> None:
    costs = report.total.costs
    for what, spent, of_runs, wasted in (
        ("Suno credits", costs.credits, costs.credits_of_runs, costs.credits_wasted),
        ("OpenAI tokens", costs.tokens, costs.tokens, costs.tokens_wasted),
    ):
        console.print(
            f"[bold]{what}[/] {amount(spent)} spent, {amount(costs.a_run(of_runs))} a run, "
            f"{amount(spent / report.days)} a day at this rate; {amount(wasted.total())} wasted"
        )
    if costs.credits_reserve:
        console.print(f"[bold]Reserve[/] {amount(costs.credits_reserve)} of these credits")
    if costs.credits_wasted:
        console.print(_counts("Suno credits wasted", costs.credits_wasted, failure_summary))
    if costs.tokens_wasted:
        console.print(_counts("OpenAI tokens wasted", costs.tokens_wasted, brief_reason))
    if costs.put_off:
        console.print(_counts("runs put off", costs.put_off, put_off_reason))


def _latencies(report: Report) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("", "target", "within it", "p50", "p95", "measured"):
        table.add_column(heading, justify="right" if heading else "left")
    for latency in report.latencies:
        whose = {"for the listener": latency.listener, "Suno's share": latency.suno}
        for name, timing in whose.items():
            title = f"[bold]{latency.name}[/] {name}"
            table.add_row(title, *_timing(timing, latency.target_s))
    return table


def _timing(timing: Timing, target_s: float) -> list[str]:
    within = timing.within(target_s)
    colour = "dim" if within is None else "green" if within >= GOOD_SHARE else "red"
    return [
        f"< {seconds(target_s)}",
        f"[{colour}]{share(within)}[/]",
        seconds(timing.percentile(0.50)),
        seconds(timing.percentile(0.95)),
        str(timing.measured),
    ]


def _counts(what: str, counts: Counter[str], word: Callable[[str], str]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column(what)
    table.add_column("", justify="right")
    table.add_column("share", justify="right")
    for name, count in counts.most_common():
        table.add_row(word(name), str(count), share(count / counts.total()))
    return table


def _top_users(report: Report) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Most runs in 7 days", title_justify="left")
    table.add_column("user")
    table.add_column("runs", justify="right")
    for user in report.top_users:
        table.add_row(str(user.user_id), str(user.runs))
    return table
