"""`parcours export` and `parcours erase`: what is held of a user (GDPR)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parcours_xl.cli.context import FAILED, AsJson, CliContext, EnvironmentFile, operate, print_json

if TYPE_CHECKING:
    from parcours_xl.operations.personal_data import Erasure, Export

commands = typer.Typer()

User = Annotated[str, typer.Argument(metavar="USER", help="The user's id or e-mail address.")]


@commands.command(epilog="Example: parcours export someone@example.org --to export")
def export(
    user: User,
    to: Annotated[
        Path,
        typer.Option("--to", metavar="FOLDER", file_okay=False, help="A new or empty folder."),
    ],
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Hand out everything that is held of a user: runs, segments, events, and the tracks.

    user.json is written last: where it stands, the export is whole. Exit status 1 when a track is
    no longer in storage.
    """

    async def work(context: CliContext) -> "Export":
        from parcours_xl.cli.context import show_count
        from parcours_xl.operations.personal_data import export_user, find_user

        clients = context.clients
        found = await find_user(clients.users, user)
        with show_count("Runs") as progress:
            return await export_user(clients.users, clients.storage, found, to, progress)

    made = operate(environment, work)
    if as_json:
        print_json(made.as_json())
    else:
        typer.echo(f"{made.runs} runs and {made.tracks} tracks are in {made.folder}")
        for path in made.missing:
            typer.echo(f"no longer in storage: {path}")
    if made.missing:
        raise typer.Exit(FAILED)


@commands.command(epilog="Example: parcours erase someone@example.org --account")
def erase(
    user: User,
    account: Annotated[
        bool, typer.Option("--account", help="Delete the user's account in Auth as well.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Erase everything that is held of a user: runs, segments, events, flag, and the tracks.

    Nothing brings it back. Safe to repeat. Whatever Storage does not delete now, the workers will.
    """
    from parcours_xl.operations.personal_data import erase_user, find_user, name_user

    found = operate(environment, lambda context: find_user(context.clients.users, user))
    if not yes:
        typer.confirm(_question(name_user(found), account=account), abort=True, err=True)

    async def work(context: CliContext) -> "Erasure":
        from parcours_xl.cli.context import show_count

        clients = context.clients
        with show_count("Runs") as progress:
            return await erase_user(
                clients.database, clients.users, clients.storage, found, progress, account=account
            )

    done = operate(environment, work)
    if as_json:
        print_json(done.as_json())
        return
    typer.echo(f"Erased: {done.runs} runs and {done.files} files.")
    if done.left:
        typer.echo(
            f"Storage is unavailable: the files of {done.left} runs are left to the workers."
        )
    if done.account:
        typer.echo("The account is deleted.")
    typer.echo("Auth keeps its own log of sign-ins until the project deletes it: docs/runbook.md.")


def _question(whose: str, *, account: bool) -> str:
    return f"Erase every journey of {whose}{', and the account' if account else ''}?"
