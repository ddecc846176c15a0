"""The operator's commands. Each imports what it needs only when it is called."""

import typer

from parcours_xl.cli import (
    alerts,
    cancel,
    doctor,
    logs,
    personal_data,
    report,
    reserve,
    rollout,
    smoke,
)

operators = typer.Typer(rich_markup_mode="markdown", pretty_exceptions_enable=False)
for command in (
    alerts,
    cancel,
    doctor,
    logs,
    personal_data,
    report,
    reserve,
    rollout,
    smoke,
):
    operators.add_typer(command.commands)
