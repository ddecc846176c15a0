"""`parcours alerts`: which alerts are firing."""

from importlib.resources import files
from typing import Annotated

import typer

from parcours_xl.cli.context import FAILED, AsJson, EnvironmentFile, operate, print_json

commands = typer.Typer()


@commands.command(epilog="Example: parcours alerts || echo an alert is firing")
def alerts(
    rules: Annotated[
        bool, typer.Option("--rules", help="Print the rules file for Prometheus instead.")
    ] = False,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Print the dashboard for Grafana instead.")
    ] = False,
    as_json: AsJson = False,
    environment: EnvironmentFile = None,
) -> None:
    """Judge every alert now. Exit status 1 when one is firing."""
    if rules or dashboard:
        name = "prometheus.rules.yml" if rules else "grafana.dashboard.json"
        typer.echo((files("parcours_xl.operations") / name).read_text(), nl=False)
        return
    from parcours_xl.operations.alerts import judge_now

    found = operate(
        environment,
        lambda context: judge_now(
            context.clients.database,
            context.clients.queries,
            context.clients.suno,
            context.settings,
        ),
    )
    if as_json:
        print_json([alert.as_json() for alert in found])
    else:
        for alert in sorted(found, key=lambda alert: not alert.firing):
            state = "FIRING" if alert.firing else "ok"
            typer.echo(f"{state:<6}  {alert.name:<15}  {alert.message}")
            if alert.firing:
                typer.echo(f"{'':25}-> {alert.advice}")
    if any(alert.firing for alert in found):
        raise typer.Exit(FAILED)
