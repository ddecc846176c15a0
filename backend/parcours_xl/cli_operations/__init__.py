"""The operator's commands. Each imports what it needs only when it is called."""

import typer

from parcours_xl.cli_operations import (
    alerts,
    cancel,
    doctor,
    logs,
    report,
    rollout,
)

operators = typer.Typer(rich_markup_mode="markdown", pretty_exceptions_enable=False)
for room in (
    alerts,
    cancel,
    doctor,
    logs,
    report,
    rollout,
):
    operators.add_typer(room.commands)
