"""`parcours logs`: what happened to a run."""

import contextlib
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from parcours_xl.cli.context import REFUSED, AsJson, EnvironmentFile, end, operate
from parcours_xl.domain.periods import read_moment

commands = typer.Typer()


@commands.command(epilog="Example: parcours logs 0b7c1f6e-… --follow")
def logs(
    run: Annotated[UUID, typer.Argument(metavar="RUN", help="The run's id.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C, as things happen.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Only since then: 15m, 2h, 7d, or 2026-11-22T18:00:00Z."),
    ] = None,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Tell what happened to a run, oldest first: one line an event (JSON: one object a line)."""
    from parcours_xl.operations.logs import show_logs

    moment = _read_since(since)
    with contextlib.suppress(KeyboardInterrupt):
        found = operate(
            environment,
            lambda context: show_logs(
                context.clients.queries, run, moment, follow=follow, as_json=as_json
            ),
        )
        if not found and moment is None:
            raise end(REFUSED, "unknown run")


def _read_since(text: str | None) -> datetime | None:
    try:
        return None if text is None else read_moment(text, datetime.now(UTC))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
