"""`parcours stack`, `parcours dev` and `parcours demo`, which the `parcours` command takes in.

Each imports what it needs only when it is called.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

commands = typer.Typer(rich_markup_mode="markdown", pretty_exceptions_enable=False)

State = Annotated[Path, typer.Option("--state", metavar="FOLDER", help="Where everything is kept.")]


Port = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        metavar="PORT",
        show_default="54321, or as before",
        help="The port of Supabase's one address; 0 takes a free one.",
    ),
]


Fresh = Annotated[
    bool, typer.Option("--fresh", help="Forget users, data, files and keys of earlier starts.")
]


Migrations = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        envvar="PARCOURS_MIGRATIONS",
        show_default="supabase/migrations",
        help="The migrations to apply.",
    ),
]


Speed = Annotated[
    float,
    typer.Option(
        min=0.1,
        max=1000,
        metavar="X",
        help="How many times faster than the real Suno the simulated one answers.",
    ),
]


def _track_seconds(consequence: str) -> Any:
    return typer.Option(
        min=8,
        max=360,
        metavar="S",
        show_default="as asked, 4 to 6 minutes",
        help=f"Every simulated track exactly so long{consequence}.",
    )


TrackSeconds = Annotated[int | None, _track_seconds("; journeys are shorter in proportion")]


Signal = Annotated[
    Literal["music", "chirp", "tones"],
    typer.Option(help="What simulated tracks hold: music, or sounds to measure a player with."),
]


STATE = Path(".parcours")


SPEED = 40.0


@commands.command(epilog="Example: parcours stack --port 54400 --fresh")
def stack(
    port: Port = None,
    fresh: Fresh = False,
    state: State = STATE,
    migrations: Migrations = None,
    hs256: Annotated[
        bool, typer.Option("--hs256", help="Sign users' tokens with a secret, and show no keys.")
    ] = False,
    anonymous_users: Annotated[
        bool, typer.Option(help="Let anybody sign in anonymously, or nobody.")
    ] = True,
) -> None:
    """Run Supabase alone on this machine, without Docker, until Ctrl-C.

    A real PostgreSQL 17 and PostgREST, with small stand-ins for Auth and Storage, migrated and
    behind one address. Prints its URL and keys, and writes them to FOLDER/dev.env.
    """
    with _errors_in_one_sentence():
        from parcours_dev.development import StackOptions, run_stack

        run_stack(
            StackOptions(
                state_dir=state,
                port=port,
                fresh=fresh,
                migrations=migrations,
                has_hs256_tokens=hs256,
                has_anonymous_users=anonymous_users,
            )
        )


@commands.command(epilog="Example: parcours dev --speed 1")
def dev(
    port: Port = None,
    fresh: Fresh = False,
    state: State = STATE,
    migrations: Migrations = None,
    speed: Speed = SPEED,
    track_seconds: TrackSeconds = None,
    signal: Signal = "music",
) -> None:
    """Run everything on this machine until Ctrl-C: Supabase, the service, Suno, OpenAI (simulated).

    Prints the player's address, the URLs and keys, then what the service logs. FOLDER/dev.env holds
    the environment of the service, for running parts of it by hand.
    """
    with _errors_in_one_sentence():
        from parcours_dev.deployment import Simulation
        from parcours_dev.development import StackOptions, run_development

        wishes = StackOptions(state_dir=state, port=port, fresh=fresh, migrations=migrations)
        simulation = Simulation(speed=speed, track_seconds=track_seconds, signal=signal)
        run_development(wishes, simulation)


@commands.command(epilog="Example: parcours demo --json > journey.json")
def demo(
    speed: Speed = SPEED,
    track_seconds: Annotated[int | None, _track_seconds(", for a quicker demo")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, progress on standard error.")
    ] = False,
    stay: Annotated[
        bool,
        typer.Option(
            "--stay", envvar="DEMO_STAY", help="Then keep everything running, with the page."
        ),
    ] = False,
) -> None:
    """Live one whole journey on a Supabase of its own, then forget it all.

    Two users sign up; one has a journey composed, follows it until it is ready, and fetches every
    signed track; the other is refused. Exit status 0 when all was as it must be.
    """
    with _errors_in_one_sentence():
        from parcours_dev.demo.command import run_demonstration
        from parcours_dev.deployment import Simulation

        simulation = Simulation(speed=speed, track_seconds=track_seconds)
        if not run_demonstration(simulation, as_json=as_json, stay=stay):
            raise typer.Exit(1)


@contextmanager
def _errors_in_one_sentence() -> Iterator[None]:
    """Tell on standard error what the embedded Supabase does and what stops it."""
    from parcours_dev.errors import LocalError

    logger = logging.getLogger("parcours_dev")
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.StreamHandler())
    try:
        yield
    except LocalError as error:
        typer.echo(f"parcours: {error}", err=True)
        raise typer.Exit(1) from None
