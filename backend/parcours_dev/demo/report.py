"""What a demonstration has shown: a journey, and that others are refused."""

from dataclasses import dataclass
from typing import Any

from rich.console import Console

from parcours_xl.operations.journey_screen import name_times, show_facts, show_journey
from parcours_xl.operations.smoke import JourneyReport


@dataclass(frozen=True)
class Demonstration:
    """stranger, anonymous: the status that sign-track gave to another user, and to nobody.

    speed: how many times less than the real one the simulated Suno waited. reserve_s: from the
    request for ready pieces to the first one's music; None when there was none.
    """

    journey: JourneyReport
    speed: float
    reserve_s: float | None
    stranger: int
    anonymous: int

    @property
    def faults(self) -> list[str]:
        """What is not as it must be; empty when all is well."""
        expected = self.journey.expectations | {
            "the journey lasts 18 to 24 minutes": 1080 <= self.journey.planned_s <= 1440,
            "another user is refused (403)": self.stranger == 403,
            "an anonymous caller is refused (401)": self.anonymous == 401,
        }
        return [what for what, so in expected.items() if not so]

    def as_json(self) -> dict[str, Any]:
        return self.journey.as_json() | {
            "speed": self.speed,
            "first_music_from_reserve_s": self.reserve_s,
            "stranger": self.stranger,
            "anonymous": self.anonymous,
            "faults": self.faults,
        }

    def show(self, console: Console) -> None:
        """The closing tables, and what is not as it must be."""
        show_journey(console, self.journey)
        reserve_s = "none" if self.reserve_s is None else f"{self.reserve_s:.2f} s"
        first = {"First music (reserve)": reserve_s}
        closed = {
            "Another user": f"refused, {self.stranger}",
            "Anonymous caller": f"refused, {self.anonymous}",
        }
        show_facts(console, first | name_times(self.journey) | closed)
        if self.speed != 1:
            console.print(f"[dim]The simulated Suno waited {self.speed:g} times less.[/]")
        for fault in self.faults:
            console.print(f"[bold red]Not so:[/] {fault}")
        if not self.faults:
            count = len(self.journey.tracks)
            console.print(f"[bold green]The run is ready: {count} tracks signed and fetched.[/]")
