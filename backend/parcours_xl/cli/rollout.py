"""`parcours rollout`: who has Parcours XL while it is being introduced."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from parcours_xl.cli.context import FAILED, AsJson, CliContext, EnvironmentFile, operate, print_json

if TYPE_CHECKING:
    from parcours_xl.operations.rollout import Verdict

commands = typer.Typer()
rollout = typer.Typer(
    help="Introduce Parcours XL to a share of the users that only grows: 5 %, 25 %, all.",
    epilog="Example: parcours rollout set 5",
    no_args_is_help=True,
)
commands.add_typer(rollout, name="rollout")

EVERYBODY = "ROLLOUT=all here: every user may create runs, whatever the flags say."


@rollout.command(epilog="Example: parcours rollout status --json")
def status(as_json: AsJson = False, environment: EnvironmentFile = None) -> None:
    """Tell the share that was set last, and how many users have it."""

    from parcours_xl.operations.rollout import read_rollout

    state, setting = operate(
        environment, lambda context: read_rollout(context.clients.rollout, context.settings)
    )
    if as_json:
        print_json({"rollout": setting, **state.model_dump(mode="json")})
        return
    typer.echo(f"share    {state.share} % since {state.since:%Y-%m-%d %H:%M} UTC")
    typer.echo(
        f"enabled  {state.enabled} of {state.users} users, "
        f"{state.eligible_enabled} of the {state.eligible} older than 30 days"
    )
    _print_setting(setting)


@rollout.command("set", epilog="Example: parcours rollout set 25")
def set_share(
    share: Annotated[
        int, typer.Argument(metavar="PERCENT", min=1, max=100, help="5, then 25, then 100.")
    ],
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Let a share of the users older than 30 days create runs; at 100, every user.

    Who has it keeps it. Once more with the same share takes in those who have turned 30 days old.
    """
    from parcours_xl.operations.rollout import grow_rollout

    async def grow(context: CliContext) -> tuple[int, str]:
        given = await grow_rollout(context.clients.rollout, share, _print_progress)
        return given, context.settings.rollout

    given, setting = operate(environment, grow)
    _print_change({"share": share, "given": given, "rollout": setting}, as_json=as_json)


@rollout.command(epilog="Example: parcours rollout off")
def off(as_json: AsJson = False, environment: EnvironmentFile = None) -> None:
    """Take Parcours XL from everybody at once. Runs that were created go on."""
    from parcours_xl.operations.rollout import end_rollout

    async def end(context: CliContext) -> tuple[int, str]:
        taken = await end_rollout(context.clients.rollout, _print_progress)
        return taken, context.settings.rollout

    taken, setting = operate(environment, end)
    _print_change({"share": 0, "taken": taken, "rollout": setting}, as_json=as_json)


@rollout.command(epilog="Example: parcours rollout gate --advance")
def gate(
    advance: Annotated[
        bool, typer.Option("--advance", help="Go on to the next share, only if the gate is open.")
    ] = False,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Judge the last 48 hours: may the next share (5, 25, 100 %) have Parcours XL?

    Open when 95 % of the runs were heard within 45 s, under 5 % of the attempts failed, and there
    were enough runs to say so. A share that was set later is judged by its own runs. Exit status 0
    when open, 1 when shut.
    """
    from parcours_xl.operations.rollout import Verdict, advance_rollout, judge_rollout

    async def judge(context: CliContext) -> tuple[Verdict, int | None]:
        clients = context.clients
        verdict = await judge_rollout(clients.rollout, clients.queries, context.settings)
        if not (advance and verdict.passed and verdict.next_share):
            return verdict, None
        return verdict, await advance_rollout(clients.rollout, verdict, _print_progress)

    verdict, given = operate(environment, judge)
    if as_json:
        print_json(verdict.as_json() | {"advanced": given is not None, "given": given or 0})
    else:
        _print_verdict(verdict, given)
    if not verdict.passed:
        raise typer.Exit(FAILED)


def _print_verdict(verdict: "Verdict", given: int | None) -> None:
    typer.echo(f"since {verdict.start:%Y-%m-%d %H:%M} UTC, with {verdict.share} %:")
    for check in verdict.checks:
        typer.echo(f"  {'yes' if check.passed else 'NO ':<4} {check.said}")
    typer.echo(f"  {verdict.timed_out} runs took over half an hour: did anybody complain?")
    if not verdict.passed:
        typer.echo(f"The gate is shut: the share stays {verdict.share} %.")
    elif verdict.next_share is None:
        typer.echo("The gate is open, and everybody has Parcours XL.")
    elif given is None:
        typer.echo(f"The gate is open: {verdict.next_share} % may have Parcours XL.")
    else:
        typer.echo(
            f"The gate is open: {verdict.next_share} % have Parcours XL, {given} users more."
        )


def _print_change(change: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(change)
        return
    if "taken" in change:
        typer.echo(f"Nobody has Parcours XL any more; {change['taken']} users had it.")
    else:
        typer.echo(f"{change['share']} % have Parcours XL: {change['given']} users more.")
    _print_setting(change["rollout"])


def _print_progress(done: int, remaining: int) -> None:
    typer.echo(f"{done} users done, {remaining} to go", err=True)


def _print_setting(rollout_setting: str) -> None:
    if rollout_setting == "all":
        typer.echo(EVERYBODY, err=True)
