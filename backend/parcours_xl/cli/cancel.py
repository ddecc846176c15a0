"""`parcours cancel`: nothing more is bought for a run."""

from typing import Annotated
from uuid import UUID

import typer

from parcours_xl.cli.context import AsJson, EnvironmentFile, operate, print_json

commands = typer.Typer()


@commands.command(epilog="Example: parcours cancel 0b7c1f6e-…")
def cancel(
    run: Annotated[UUID, typer.Argument(metavar="RUN", help="The run's id.")],
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Give a run up: Suno is asked for nothing more, and what is under way is still stored.

    Only its owner can have it made after all. A run that is ready stays as it is.
    """
    from parcours_xl.operations.runs import cancel_run

    stopped = operate(environment, lambda context: cancel_run(context.clients.database, run))
    if as_json:
        print_json(stopped.model_dump(mode="json"))
    elif stopped.status == "ready":
        typer.echo("The run is ready: there is nothing left to cancel.")
    else:
        typer.echo(
            f"Cancelled: {stopped.cancelled} segments will not be composed, "
            f"{stopped.under_way} under way will still be stored, {stopped.complete} are."
        )
