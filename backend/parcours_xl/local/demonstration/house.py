"""The demonstration's own embedded Supabase, service and vendors: started, used, forgotten."""

import asyncio
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from parcours_xl.local.demonstration.journey import live_journey
from parcours_xl.local.demonstration.report import JourneyReport
from parcours_xl.local.demonstration.screen import following, show_report
from parcours_xl.local.development import (
    running_service,
    running_simulators,
    supabase_environment,
    vendor_environment,
)
from parcours_xl.local.foreground import stopped_by_signals
from parcours_xl.local.stack import running_stack


def run_demonstration(speed: float, *, as_json: bool) -> bool:
    """Show one whole journey; whether all was as it must be. Raises LocalError."""
    console = Console(stderr=as_json, highlight=False)
    report = _live(speed, console)
    if as_json:
        json.dump(report.as_json(), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        show_report(console, report)
    return not report.faults


def _live(speed: float, console: Console) -> JourneyReport:
    with ExitStack() as started:
        started.enter_context(stopped_by_signals())
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="parcours-demo-")))
        folder.chmod(0o711)  # PostgreSQL may run as somebody else
        console.print("Starting the embedded Supabase, the service, Suno and OpenAI (simulated).")
        project = started.enter_context(running_stack(folder))
        started.enter_context(running_simulators(project, speed))
        environment = supabase_environment(project) | vendor_environment(project)
        started.enter_context(running_service(project, environment))
        console.print(f"Ready at {project.url}. A new user asks for calm: fear, 0.8.\n")
        with following(console) as show:
            return asyncio.run(live_journey(project.url, project.anon_key, speed, show))
