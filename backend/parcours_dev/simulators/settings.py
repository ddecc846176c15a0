"""How the simulated vendors behave; defaults are those of the real ones.

See docs/vendors.md#suno-generate and docs/vendors.md#suno-callbacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from parcours_dev.simulators.signals import Signal

RawFault = Mapping[str, Any]


TURNABLE = ("speed", "signal", "track_seconds", "first_s", "complete_s", "uneven_db")
"""What can be changed while the simulated Suno runs; the tasks that follow keep to it."""


@dataclass
class SunoSettings:
    """Times are Suno's own, in seconds; waiting is divided by speed, the music never."""

    api_key: str | None = None
    """The only key that opens; None lets any bearer in."""
    speed: float = 1.0
    track_seconds: float | None = None
    """Every track exactly this long, whatever is asked."""
    signal: Signal = "music"
    uneven_db: float = 0.0
    """Of every four tasks each is softer than the one before by this; real ones differ as much."""
    credits: int = 100_000
    text_s: float = 10.0
    first_s: float = 35.0
    complete_s: float = 150.0
    rate_limit: int = 20
    rate_window_s: float = 10.0
    rate_code: int = 405
    """Body code over the limit: 405 as documented, or 430 as also seen."""
    callback_timeout_s: float = 15.0
    callback_retries: int = 3
    callback_retry_s: float = 10.0
    public_url: str | None = None
    """Origin of the audio URLs; None takes the one the submission was sent to."""
    plain_url: str | None = None
    """Origin of a second server for streams, without CORS headers."""
    cache_bytes_max: int = 400_000_000
    seed: str | None = None
    """Makes task ids, and so the music, the same from run to run; None draws them."""
    faults: tuple[RawFault, ...] = ()

    @property
    def stages_s(self) -> tuple[float, float, float]:
        """After an acceptance, when text, first and complete are due, in seconds of the clock."""
        text, first, complete = self.text_s, self.first_s, self.complete_s
        return text / self.speed, first / self.speed, complete / self.speed

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Change some of TURNABLE. ValueError says which wish cannot be met; then none is."""
        checked = {name: _check(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def turned(self) -> dict[str, Any]:
        """What can be turned, as it stands."""
        return {name: getattr(self, name) for name in TURNABLE}


def _check(name: str, value: object) -> object:
    if name not in TURNABLE:
        raise ValueError(f"only {', '.join(TURNABLE)} can be turned")
    if name == "signal":
        if value not in get_args(Signal):
            raise ValueError(f"signal is one of {', '.join(get_args(Signal))}")
    elif (name, value) not in (("track_seconds", None), ("uneven_db", 0)) and not _is_positive(
        value
    ):
        raise ValueError(f"{name} must be a number over 0")
    return value


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


@dataclass(frozen=True)
class OpenAISettings:
    """The waiting for an answer is divided by speed."""

    api_key: str | None = None
    speed: float = 1.0
    answer_s: float = 4.0
    withdrawn_models: tuple[str, ...] = ()
    faults: tuple[RawFault, ...] = ()
