"""`parcours report`: how the deployment has done."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parcours_xl.cli.context import (
    USAGE_ERROR,
    AsJson,
    CliContext,
    EnvironmentFile,
    end,
    operate,
    print_json,
)
from parcours_xl.domain.periods import read_period

if TYPE_CHECKING:
    from parcours_xl.operations.report.report import Report

commands = typer.Typer()


@commands.command(epilog="Example: parcours report --since 48h --html report.html")
def report(
    since: Annotated[
        str, typer.Option(metavar="PERIOD", help="How far to look back: 90s, 15m, 48h, 7d.")
    ] = "7d",
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Write one page with charts as well."),
    ] = None,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Latencies against their targets, statuses, errors by cause, refusals, the busiest users.

    Each latency is shown twice: as the listener waits for it, from the creation of the run, and as
    Suno's share of it, from the moment a segment was submitted.
    """
    period = _read_period(since)

    async def work(context: CliContext) -> "Report":
        from parcours_xl.cli.context import show_count
        from parcours_xl.operations.report.report import make_report

        with show_count("Counting") as progress:
            return await make_report(context.clients.queries, context.settings, period, progress)

    made = operate(environment, work)
    if html is not None:
        from parcours_xl.operations.report.page import write_page

        try:
            html.write_text(write_page(made), encoding="utf-8")
        except OSError as error:
            raise end(USAGE_ERROR, f"{html} cannot be written: {error.strerror}") from None
    if as_json:
        print_json(made.as_json())
        return
    from rich.console import Console

    from parcours_xl.operations.report.screen import show_report

    show_report(Console(highlight=False), made)
    if html is not None:
        typer.echo(f"\nThe page is in {html}")


def _read_period(text: str) -> timedelta:
    try:
        return read_period(text)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
