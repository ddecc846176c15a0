"""The operator's commands. Each imports what it needs only when it is called."""

import typer

from parcours_xl.cli_operations import (
    alerts,
    cancel,
    doctor,
    logs,
    personal_data,
    report,
    rollout,
    smoke,
)

operators = typer.Typer(rich_markup_mode="markdown", pretty_exceptions_enable=False)
for room in (
    alerts,
    cancel,
    doctor,
    logs,
    personal_data,
    report,
    rollout,
    smoke,
):
    operators.add_typer(room.commands)
