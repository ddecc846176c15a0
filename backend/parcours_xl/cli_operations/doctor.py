"""`parcours doctor` and `parcours retry`: find the cause, mend it."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from parcours_xl.cli_operations.desk import NO, AsJson, EnvironmentFile, operate, print_json

if TYPE_CHECKING:
    from parcours_xl.adapters.outside import Outside
    from parcours_xl.adapters.oversight import Retried
    from parcours_xl.operations.doctor import Examination
    from parcours_xl.settings import OperatorSettings

commands = typer.Typer()

OUTCOMES = {
    "queued": "is composed anew",
    "under_way": "is being composed, and not for too long",
    "storing": "is being stored",
    "complete": "is complete",
    "exhausted": "has used up every attempt",
}


@commands.command(epilog="Example: parcours doctor --fix")
def doctor(
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Mend what can be mended. Safe to run twice, and beside live workers. Failed "
            "segments are composed anew, which costs Suno credits.",
        ),
    ] = False,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Look at everything: settings, Supabase, Suno, OpenAI, queues, and every run and file.

    Each finding says what it means for the listener and how it is mended. Exit status 1 when
    somebody still has to act.
    """

    async def work(outside: "Outside", settings: "OperatorSettings") -> "Examination":
        from parcours_xl.cli_operations.progress import looking
        from parcours_xl.operations.doctor import examine

        with looking() as progress:
            return await examine(outside, settings, fix=fix, progress=progress)

    examination = operate(environment, work)
    if as_json:
        print_json(examination.as_json())
    else:
        _show(examination)
    if not examination.healthy:
        raise typer.Exit(NO)


@commands.command(epilog="Example: parcours retry 0b7c1f6e-…")
def retry(
    run_or_segment: Annotated[
        UUID, typer.Argument(metavar="RUN|SEGMENT", help="The id of a run, or of one segment.")
    ],
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Have composed anew what failed or is stuck, each with a new callback_token.

    What is under way, stored or complete is left alone. Exit status 1 when every attempt of a
    segment is used up.
    """

    async def work(outside: "Outside", _: "OperatorSettings") -> "Retried":
        return await outside.oversight.retry(run_or_segment)

    retried = operate(environment, work)
    if as_json:
        print_json(retried.model_dump(mode="json"))
    else:
        for segment in retried.segments:
            typer.echo(f"segment {segment.segment_index + 1} {OUTCOMES[segment.outcome]}")
    if any(segment.outcome == "exhausted" for segment in retried.segments):
        raise typer.Exit(NO)


def _show(examination: "Examination") -> None:
    from parcours_xl.operations.findings import KINDS

    for part in examination.parts:
        if not part.findings:
            typer.echo(f"{'-' if part.skipped else 'ok':<8} {part.part}: {part.says}")
        for finding in part.findings:
            kind = KINDS[finding.kind]
            typer.echo(f"{kind.severity:<8} {part.part}: {finding.says}")
            typer.echo(f"           for the listener: {kind.means}")
            if finding.done is not None:
                typer.echo(f"           done: {finding.done}")
            if finding.left != 0:
                typer.echo(f"           to mend it: {kind.mend}")
            for example in finding.examples:
                typer.echo(f"           e.g. {example}")
    typer.echo("\nNobody has to act." if examination.healthy else "\nSomebody has to act.")
