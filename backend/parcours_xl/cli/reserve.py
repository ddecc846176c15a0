"""`parcours reserve`: ready pieces for whoever waits, or when Suno is away."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from parcours_xl.cli.context import (
    FAILED,
    USAGE_ERROR,
    AsJson,
    CliContext,
    EnvironmentFile,
    end,
    operate,
    print_json,
)

if TYPE_CHECKING:
    from parcours_xl.operations.reserve import Filled, FillPlan

reserve = typer.Typer(
    name="reserve", help="Pieces that are ready before anybody asks.", no_args_is_help=True
)
commands = typer.Typer()
commands.add_typer(reserve)


@reserve.command(epilog="Example: parcours reserve status")
def status(as_json: AsJson = False, environment: EnvironmentFile = None) -> None:
    """How many pieces of each preset are ready, under way, or missing in Storage."""
    from parcours_xl.operations.reserve import read_stock

    state, stocks = operate(environment, lambda context: read_stock(context.clients.reserve))
    if as_json:
        print_json(state.model_dump(mode="json"))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("preset", "ready", "being stored", "being composed", "file missing", "minutes")
    for stock in stocks:
        ready = [piece for piece in stock.pieces if piece.status == "ready"]
        table.add_row(
            stock.preset_key,
            str(stock.ready),
            str(len(stock.pieces) - len(ready)),
            str(stock.composing),
            str(sum(piece.missing for piece in ready)),
            f"{sum(piece.seconds or 0 for piece in ready) / 60:.0f}",
        )
    Console(highlight=False).print(table)
    typer.echo(f"Credits spent on the reserve in the last 24 hours: {state.spent}")


@reserve.command(epilog="Example: parcours reserve fill --per-preset 2 --preset universel-reset")
def fill(
    per_preset: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=50, help="Pieces of each; else RESERVE_PER_PRESET."),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="KEY", help="Only this preset; else all twenty.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Have Suno compose what is missing, and store it. Says first what it costs.

    It waits while a listener waits for music. Safe to interrupt and to repeat: nothing is bought
    twice. Exit status 1 when some pieces are still missing.
    """
    from parcours_xl.domain.presets import UnknownPreset
    from parcours_xl.operations.reserve import plan_fill

    async def plan(context: CliContext) -> "FillPlan":
        wanted = per_preset or context.settings.reserve_per_preset
        if not wanted:
            raise end(USAGE_ERROR, "say how many with --per-preset, or set RESERVE_PER_PRESET")
        if not context.settings.callback_base or not context.settings.has_suno_key:
            raise end(USAGE_ERROR, "SUNO_API_KEY and CALLBACK_BASE must be those of the service")
        return await plan_fill(context.clients.reserve, wanted, preset)

    try:
        planned = operate(environment, plan)
    except UnknownPreset as unknown:
        raise end(USAGE_ERROR, f"unknown preset; it is one of: {', '.join(unknown.keys)}") from None
    if planned.missing and not yes:
        typer.confirm(_question(planned), abort=True, err=True)

    async def work(context: CliContext) -> "Filled":
        from parcours_xl.cli.context import show_count
        from parcours_xl.operations.reserve import fill, read_limits
        from parcours_xl.wiring import wire_reserve

        clients, settings = context.clients, context.settings
        limits = read_limits(settings, planned.per_preset)
        with show_count("Pieces") as progress:
            return await fill(
                wire_reserve(clients, settings), clients.reserve, planned, limits, progress
            )

    filled = operate(environment, work)
    if as_json:
        print_json(filled.as_json())
    elif not filled.missing:
        typer.echo(f"The reserve is full: {filled.done['stored']} pieces more are ready.")
    else:
        lacks = ", ".join(f"{key} {number}" for key, number in filled.missing.items())
        typer.echo(f"{filled.done['stored']} pieces more are ready. Still missing: {lacks}.")
        typer.echo(f"Why: {_WHY.get(filled.why or '', filled.why)}")
    if filled.missing:
        raise typer.Exit(FAILED)


@reserve.command(epilog="Example: parcours reserve drop 0b7c1f6e-…")
def drop(
    piece: Annotated[UUID, typer.Argument(metavar="ID", help="As `status --json` names it.")],
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Delete a piece and its file. Exit status 4 when there is no such piece."""
    from parcours_xl.operations.reserve import drop_piece
    from parcours_xl.wiring import wire_reserve

    operate(
        environment,
        lambda context: drop_piece(wire_reserve(context.clients, context.settings), piece),
    )
    if as_json:
        print_json({"dropped": str(piece)})
    else:
        typer.echo("Deleted.")


_WHY = {
    "refused": "Suno refuses it: see parcours doctor",
    "credits": "what is left of SUNO_CREDITS_DAILY_MAX is kept for one whole journey of a listener",
    "full": "some pieces could not be stored: try again",
}


def _question(planned: "FillPlan") -> str:
    missing = sum(planned.missing.values())
    return (
        f"{missing} pieces are missing: {planned.tasks} tasks of Suno, {planned.credits} credits. "
        "Buy them?"
    )
