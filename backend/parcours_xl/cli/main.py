"""The `parcours` command. Each subcommand imports what it needs only when it is called."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer

from parcours_xl.cli.context import EnvironmentFile
from parcours_xl.cli.operators import operators

app = typer.Typer(
    name="parcours",
    epilog="Example: parcours doctor --fix",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

app.add_typer(operators)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"parcours {version('parcours-xl')}")
        raise typer.Exit


@app.callback()
def parcours(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Well-being music journeys of 18 to 24 minutes, composed on demand, on Supabase."""


@app.command(epilog="Example: parcours serve --host 0.0.0.0 --port 8000 --workers 2")
def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="PORT")] = 8000,
    uds: Annotated[
        str | None, typer.Option(metavar="PATH", help="Listen on this Unix socket instead.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="So many processes.")
    ] = 1,
    proxy_headers: Annotated[
        bool, typer.Option(help="Believe X-Forwarded-* of the proxies named below.")
    ] = True,
    forwarded_allow_ips: Annotated[
        str | None,
        typer.Option(metavar="ADDRESSES", help="Proxies to believe.", show_default="127.0.0.1"),
    ] = None,
    limit_concurrency: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Answer 503 beyond so many requests at once."),
    ] = None,
    backlog: Annotated[int, typer.Option(min=1, metavar="N")] = 2048,
    timeout_keep_alive: Annotated[int, typer.Option(min=1, metavar="SECONDS")] = 5,
    environment: EnvironmentFile = None,
) -> None:
    """Run the service: its functions and, unless WORKER_IN_PROCESS=false, a worker.

    Settings come from the environment or a file: SUPABASE_URL, SUPABASE_ANON_KEY,
    SUPABASE_SERVICE_ROLE_KEY, OPENAI_API_KEY, SUNO_API_KEY, CALLBACK_BASE (docs/settings.md).
    SIGTERM: what was begun is answered for up to DRAIN_S (20 s), the rest gets 503; then it is gone
    within 10 s.
    """
    with _errors_in_one_sentence():
        from parcours_xl.serving import Listening, serve

        serve(
            environment=environment,
            listening=Listening(
                host=host,
                port=port,
                uds=uds,
                workers=workers,
                proxy_headers=proxy_headers,
                forwarded_allow_ips=forwarded_allow_ips,
                limit_concurrency=limit_concurrency,
                backlog=backlog,
                timeout_keep_alive=timeout_keep_alive,
            ),
        )


@app.command(epilog="Example: parcours worker --metrics-port 9100")
def worker(
    environment: EnvironmentFile = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, metavar="PORT", help="Answer /metrics, /healthz and /readyz here."
        ),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address of that port.")
    ] = "127.0.0.1",
) -> None:
    """Run one more worker. Any number of them, on any machines, share the work.

    Settings are the service's (docs/settings.md), from the environment or a file.
    SIGTERM finishes or hands back what is under way.
    """
    with _errors_in_one_sentence():
        from parcours_xl.serving import work

        work(environment, None if metrics_port is None else (metrics_host, metrics_port))


@contextmanager
def _errors_in_one_sentence() -> Iterator[None]:
    from parcours_xl.cli.context import USAGE_ERROR, end
    from parcours_xl.serving import CannotListen
    from parcours_xl.settings import SettingsError

    try:
        yield
    except (SettingsError, CannotListen) as error:
        raise end(USAGE_ERROR, str(error)) from None


DEVELOPMENT_COMMANDS = ("demo", "dev", "stack")
NOT_INSTALLED = (
    "parcours: this command belongs to the development kit, which is not installed. "
    "In a clone of the repository: make .venv/ready, then .venv/bin/parcours"
)


def add_development_commands(to: typer.Typer, found: Iterable[EntryPoint]) -> None:
    """Take in the commands of the development kit; where it is missing they say what to install."""
    for entry_point in found:
        to.add_typer(entry_point.load())
        return
    for name in DEVELOPMENT_COMMANDS:
        to.command(
            name,
            help="Not installed: part of the development kit.",
            context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        )(_say_what_to_install)


def _say_what_to_install() -> None:
    typer.echo(NOT_INSTALLED, err=True)
    raise typer.Exit(2)


add_development_commands(app, entry_points(group="parcours.commands"))


def main() -> None:
    """The entry point `parcours`."""
    app()


if __name__ == "__main__":
    main()
