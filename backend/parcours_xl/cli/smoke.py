"""`parcours smoke`: does this deployment carry a listener from tap to signed tracks?"""

import os
from typing import TYPE_CHECKING, Annotated

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
    from parcours_xl.operations.smoke import Verdict, Visitor

commands = typer.Typer()


@commands.command(epilog="Example: parcours smoke --timeout 1800")
def smoke(
    preset: Annotated[
        str, typer.Option(metavar="KEY", help="Which preset the journey begins from.")
    ] = "universel-reset",
    timeout: Annotated[
        int,
        typer.Option(min=10, max=86_400, metavar="SECONDS", help="How long the run may take."),
    ] = 1800,
    email: Annotated[
        str | None,
        typer.Option(
            envvar="SMOKE_EMAIL",
            metavar="ADDRESS",
            help="Sign in as this user; the password is SMOKE_PASSWORD, or is asked for. Without "
            "a user a new one is made, and deleted with everything when the test has passed.",
        ),
    ] = None,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Live one real journey: create, run, follow until it is ready, sign and fetch every track.

    It is what a listener's journey is, and costs the same Suno credits. A user's access token in
    SMOKE_JWT is used as it is. The verdict is pass, pass but slow (a target was missed; exit status
    0 as well), or fail (exit status 1): the journey did not come to its end.
    """
    visitor = _read_user(email)

    async def work(context: CliContext) -> "Verdict":
        from rich.console import Console

        from parcours_xl.operations.journey_screen import following
        from parcours_xl.operations.smoke import try_deployment

        with following(Console(stderr=True, highlight=False)) as show:
            return await try_deployment(
                context.clients.users, context.settings, visitor, preset, timeout, show
            )

    verdict = operate(environment, work)
    if as_json:
        print_json(verdict.as_json())
    else:
        _show(verdict)
    if not verdict.passed:
        raise typer.Exit(FAILED)


def _read_user(email: str | None) -> "Visitor":
    from parcours_xl.operations.smoke import Visitor

    token, password = os.environ.get("SMOKE_JWT"), os.environ.get("SMOKE_PASSWORD")
    if token and email:
        raise end(USAGE_ERROR, "SMOKE_JWT and an address name two different users")
    if email and not password:
        password = typer.prompt("Password", hide_input=True, err=True)
    return Visitor(token=token or None, email=email, password=password if email else None)


def _show(verdict: "Verdict") -> None:
    from rich.console import Console

    from parcours_xl.operations.journey_screen import name_times, show_facts, show_journey

    console = Console(highlight=False)
    if verdict.journey is not None:
        show_journey(console, verdict.journey)
        show_facts(console, name_times(verdict.journey))
    for slow in verdict.slow:
        console.print(f"[yellow]Slow:[/] {slow}")
    for failure in verdict.failures:
        console.print(f"[bold red]Failed:[/] {failure}")
    if verdict.verdict == "pass":
        console.print("[bold green]Passed:[/] a listener's journey works here.")
    elif verdict.verdict == "slow":
        console.print("[bold yellow]Passed, but slow:[/] it works here, and a target was missed.")
    elif verdict.run_id is not None:
        console.print(f"Look into it: parcours logs {verdict.run_id}", soft_wrap=True)
