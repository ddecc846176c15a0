"""`parcours doctor` and `parcours retry`: find the cause, repair it."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from parcours_xl.cli.context import (
    FAILED,
    QUEUED,
    AsJson,
    CliContext,
    EnvironmentFile,
    operate,
    print_json,
)

if TYPE_CHECKING:
    from parcours_xl.operations.doctor.examination import DoctorReport
    from parcours_xl.operations.doctor.findings import Finding

commands = typer.Typer()

OUTCOMES = {
    "queued": "is queued to be composed again",
    "under_way": "is being composed, and not for too long",
    "storing": "is being stored",
    "complete": "is complete",
    "exhausted": "has used up every attempt",
}
LOOK_AGAIN_MIN = 5


@commands.command(epilog="Example: parcours doctor --fix")
def doctor(
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Repair what can be repaired. Safe to repeat, and beside live workers. Failed "
            "segments are composed again, which costs Suno credits.",
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="With --fix: also compose again what Suno has refused. Correct the cause first.",
        ),
    ] = False,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Check everything: settings, Supabase, Suno, OpenAI, queues, and every run and file.

    Each finding says what the listener notices and what to do. Exit status 1 when action is
    required, 5 when repairs were queued: look again in some minutes.
    """

    async def work(context: CliContext) -> "DoctorReport":
        from parcours_xl.cli.context import show_steps
        from parcours_xl.operations.doctor.examination import run_checks
        from parcours_xl.wiring import wire_doctor

        with show_steps() as progress:
            checked = wire_doctor(context.clients, context.settings, force=force, progress=progress)
            return await run_checks(checked, fix=fix)

    doctor_report = operate(environment, work)
    if as_json:
        print_json(doctor_report.as_json())
    else:
        _show(doctor_report)
    if doctor_report.verdict == "action_required":
        raise typer.Exit(FAILED)
    if doctor_report.verdict == "queued":
        raise typer.Exit(QUEUED)


@commands.command(epilog="Example: parcours retry 0b7c1f6e-…")
def retry(
    run_or_segment: Annotated[
        UUID, typer.Argument(metavar="RUN|SEGMENT", help="The id of a run, or of one segment.")
    ],
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Compose again what failed or is stuck, each with a new callback_token.

    What is under way, stored or complete is left alone. Exit status 1 when every attempt of a
    segment is used up.
    """
    from parcours_xl.operations import runs

    retried = operate(
        environment, lambda context: runs.retry(context.clients.queries, run_or_segment)
    )
    if as_json:
        print_json(retried.model_dump(mode="json"))
    else:
        for segment in retried.segments:
            typer.echo(f"segment {segment.segment_index + 1} {OUTCOMES[segment.outcome]}")
    if any(segment.outcome == "exhausted" for segment in retried.segments):
        raise typer.Exit(FAILED)


def _show(doctor_report: "DoctorReport") -> None:
    for result in doctor_report.results:
        if not result.findings:
            state = "skipped" if result.skipped else "ok"
            typer.echo(f"{state:<8} {result.part}: {result.message}")
        for finding in result.findings:
            _show_finding(result.part, finding)
    typer.echo("")
    typer.echo(_verdict(doctor_report))


def _show_finding(part: str, finding: "Finding") -> None:
    from parcours_xl.operations.doctor.findings import RUNBOOK

    kind = finding.kind
    rows = [("listener", kind.impact)]
    if finding.since is not None:
        rows.insert(0, ("since", f"{finding.since:%Y-%m-%d %H:%M} UTC"))
    if finding.repaired is not None:
        rows.append(("repaired", finding.repaired.message))
    if finding.repaired is None or finding.repaired.left:
        rows.append(("to do", finding.advice or kind.advice))
    rows += [("id", example) for example in finding.examples]
    rows.append(("see", f"{RUNBOOK}#{kind.section}"))
    typer.echo(f"{kind.severity.upper():<8} {part}: {kind.name}: {finding.message}")
    for name, words in rows:
        typer.echo(f"{'':9}{name:<9} {words}")


def _verdict(doctor_report: "DoctorReport") -> str:
    if doctor_report.verdict == "action_required":
        return "Action required."
    if doctor_report.verdict == "queued":
        count = f"{doctor_report.queued} repair{'s' if doctor_report.queued > 1 else ''} queued"
        return f"{count}: look again in {LOOK_AGAIN_MIN} min (parcours doctor)."
    return "No action required."
