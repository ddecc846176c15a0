"""`python -m parcours_dev.simulators`: a Suno and an OpenAI to develop and measure against."""

import asyncio
import json
from typing import Annotated, Any

import typer

from parcours_dev.simulators.openai import create_openai
from parcours_dev.simulators.servers import address_of, listen, serve
from parcours_dev.simulators.settings import OpenAISettings, SunoSettings
from parcours_dev.simulators.signals import Signal
from parcours_dev.simulators.suno import create_suno

Port = Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")]


def run(
    suno_port: Port,
    openai_port: Port,
    host: str = "127.0.0.1",
    plain_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Serve streams here instead, without CORS."),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.01, help="Waiting is so many times shorter; music never.")
    ] = 1.0,
    track_seconds: Annotated[
        float | None, typer.Option(min=1, max=600, help="Every track exactly so long.")
    ] = None,
    signal: Annotated[Signal, typer.Option(help="What the tracks hold.")] = "music",
    credits: Annotated[int, typer.Option(min=0)] = SunoSettings.credits,
    seed: Annotated[str | None, typer.Option(help="Same seed, same tasks, same music.")] = None,
    suno_fault: Annotated[
        list[str] | None, typer.Option(metavar="JSON", help="As POST /_control/faults takes it.")
    ] = None,
    openai_fault: Annotated[list[str] | None, typer.Option(metavar="JSON")] = None,
) -> None:
    """Simulate Suno and OpenAI over HTTP until stopped; one line each when they answer."""
    try:
        listeners = [listen(host, port) for port in (suno_port, openai_port)]
        plain = None if plain_port is None else listen(host, plain_port)
        suno_faults, openai_faults = _read_faults(suno_fault), _read_faults(openai_fault)
        suno = create_suno(
            SunoSettings(
                speed=speed,
                track_seconds=track_seconds,
                signal=signal,
                credits=credits,
                seed=seed,
                plain_url=None if plain is None else address_of(plain),
                faults=suno_faults,
            )
        )
        openai = create_openai(OpenAISettings(speed=speed, faults=openai_faults))
    except (OSError, ValueError) as error:
        typer.echo(f"The simulators cannot start: {error}", err=True)
        raise typer.Exit(1) from None
    apps = {"Suno": (suno, listeners[0]), "OpenAI": (openai, listeners[1])}
    if plain is not None:
        apps["Streams without CORS"] = (suno.state.plain, plain)
    asyncio.run(serve(apps))


def _read_faults(texts: list[str] | None) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(text) for text in texts or ())


if __name__ == "__main__":
    typer.run(run)
