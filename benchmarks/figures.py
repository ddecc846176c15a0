"""What many measurements come to."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figures:
    """One round of one call. p50_ms, p99_ms: half, and all but one in a hundred, were quicker."""

    p50_ms: float
    p99_ms: float
    per_second: float

    @classmethod
    def of(cls, took_ms: Sequence[float], seconds: float) -> "Figures":
        return cls(quantile(took_ms, 0.50), quantile(took_ms, 0.99), len(took_ms) / seconds)

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in vars(self).items()}


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def middle(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure: what else the machine did in one round does not count."""
    return Figures(
        *(
            statistics.median(getattr(each, name) for each in rounds)
            for name in ("p50_ms", "p99_ms", "per_second")
        )
    )


def compare(rounds: Sequence[Figures], others: Sequence[Figures]) -> dict[str, Any]:
    """How many times slower than the others, and which share of their throughput.

    The median of each round's own ratio: rounds are taken side by side, so that what slows the
    machine down slows both.
    """
    pairs = list(zip(rounds, others, strict=True))
    return {
        "p50_ratio": round(statistics.median(a.p50_ms / b.p50_ms for a, b in pairs), 2),
        "throughput_ratio": round(
            statistics.median(a.per_second / b.per_second for a, b in pairs), 2
        ),
    }
