"""What every operator's command shares: where the deployment is, and how an end is told.

Exit status: 0 healthy or done, 1 action required or the verdict is no, 2 usage error or wrong
settings, 3 Supabase or a vendor does not answer now, 4 refused (an unknown run, a share that would
shrink), 5 repairs were queued whose result is not known yet.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from parcours_xl.clients.clients import Clients
    from parcours_xl.settings import OperatorSettings

FAILED, USAGE_ERROR, UNAVAILABLE, REFUSED, QUEUED = 1, 2, 3, 4, 5

EnvironmentFile = Annotated[
    Path | None,
    typer.Option(
        "--env",
        metavar="FILE",
        envvar="PARCOURS_ENV",
        exists=True,
        dir_okay=False,
        help="Lines of KEY=VALUE that say which deployment is meant, as .parcours/dev.env does; "
        "the environment itself comes first.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class CliContext:
    """One deployment, as commands see it. They hand the clients on to operations."""

    clients: "Clients"
    settings: "OperatorSettings"


Work = Callable[[CliContext], Awaitable[Answer]]


def operate(environment: Path | None, work: Work[Answer]) -> Answer:
    """Do an operator's work on the deployment that is meant; end the command where it fails."""
    from parcours_xl.clients.clients import open_clients
    from parcours_xl.clients.database import APIError, KeyRefused
    from parcours_xl.errors import ParcoursError, RetryableError
    from parcours_xl.logging import set_up_logs
    from parcours_xl.settings import SettingsError, read_operator_settings

    async def work_with_clients() -> Answer:
        async with open_clients(settings) as clients:
            return await work(CliContext(clients, settings))

    try:
        settings = read_operator_settings(_env_file=environment)
        set_up_logs("console", "error", settings.secrets)
        return asyncio.run(work_with_clients())
    except SettingsError as error:
        raise end(USAGE_ERROR, str(error)) from None
    except KeyRefused:
        why = "Supabase refuses this: the service key is not this project's, or is the anon key"
        raise end(REFUSED, f"{why} (parcours doctor)") from None
    except RetryableError as error:
        raise end(UNAVAILABLE, error.message) from None
    except ParcoursError as refused:
        raise end(REFUSED, refused.message) from None
    except APIError as error:
        why = f"Supabase refuses this: {error.message}. Is the service key right, and is every "
        raise end(REFUSED, f"{why}migration applied (parcours doctor)?") from None


def end(status: int, why: str) -> typer.Exit:
    """The end of a command that could not do what was asked; why goes to standard error."""
    typer.echo(f"parcours: {why}", err=True)
    return typer.Exit(status)


def print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


@contextmanager
def show_count(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is told how much of all is done."""
    with show_steps() as show:
        yield lambda done, total: show(what, done, total)


@contextmanager
def show_steps() -> Iterator[Callable[[str, int, int], None]]:
    """A function that is told what is done now, and how much of it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    silent = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=silent) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )
