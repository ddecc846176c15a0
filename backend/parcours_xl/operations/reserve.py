"""The reserve in the operator's hands: filled, shown, and a piece of it deleted.

See docs/runbook.md#the-reserve.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
import structlog

from parcours_xl.clients.operations_queries import Gauges
from parcours_xl.clients.reserve import PresetStock, Reserve, ReserveState
from parcours_xl.domain.preset import Preset
from parcours_xl.domain.presets import all_presets, find_preset
from parcours_xl.services.reserve import Limits, ReserveService
from parcours_xl.settings import SUNO_CREDITS_A_SEGMENT, Settings

TRACKS_A_TASK = 2
LOOK_EVERY_S = 5.0
ENDS = {"refused", "credits", "full"}
"""After these waiting helps nothing: Suno refuses, or what is left of the day's credits is for
listeners."""

OnProgress = Callable[[int, int], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class FillPlan:
    """What a fill buys at most. missing: pieces that each preset lacks; credits: their cost."""

    presets: tuple[Preset, ...]
    per_preset: int
    missing: dict[str, int]

    @property
    def tasks(self) -> int:
        return sum(-(-missing // TRACKS_A_TASK) for missing in self.missing.values())

    @property
    def credits(self) -> int:
        return self.tasks * SUNO_CREDITS_A_SEGMENT


@dataclass(frozen=True)
class Filled:
    """How a fill ended. done: how much of each; why: what keeps the rest from being bought."""

    done: Counter[str]
    missing: dict[str, int]
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"done": dict(self.done), "missing": self.missing, "why": self.why}


def read_limits(settings: Settings, per_preset: int | None = None) -> Limits:
    """The settings, with another number of pieces where the operator names one."""
    return Limits(
        settings.reserve_per_preset if per_preset is None else per_preset,
        settings.reserve_days,
        settings.reserve_quota_share,
    )


async def plan_fill(reserve: Reserve, per_preset: int, key: str | None = None) -> FillPlan:
    """What each preset lacks. Raises UnknownPreset for a key that names none."""
    presets = (find_preset(key),) if key else all_presets()
    state = await reserve.read()
    return FillPlan(tuple(presets), per_preset, _missing(state, presets, per_preset))


async def fill(
    service: ReserveService, reserve: Reserve, plan: FillPlan, limits: Limits, progress: OnProgress
) -> Filled:
    """Have Suno compose what is missing, and store it; until all is there or nothing more may be.

    progress: is told how many pieces of all are ready. Raises SupabaseUnavailable.
    """
    done: Counter[str] = Counter()
    wanted = plan.per_preset * len(plan.presets)
    while True:
        done += await service.go_on()
        state = await reserve.read()
        missing = _missing(state, plan.presets, plan.per_preset)
        progress(wanted - sum(missing.values()), wanted)
        if not missing:
            return Filled(done, missing)
        begun, why = await _begin_some(service, plan.presets, limits)
        done["submitted"] += begun
        under_way = any(
            stock.composing or any(piece.status == "storing" for piece in stock.pieces)
            for stock in (await reserve.read()).presets
        )
        if not begun and not under_way and why in ENDS:
            return Filled(done, missing, why)
        await anyio.sleep(LOOK_EVERY_S)


def has_credits_to_spare(gauges: Gauges, settings: Settings) -> bool:
    """Whether a task for the reserve leaves CREDITS_MIN at Suno; no while that is not known.

    The credits of the day are judged by the claim.
    """
    left = gauges.credits
    return left is not None and left - SUNO_CREDITS_A_SEGMENT >= settings.credits_min


async def go_on_filling(service: ReserveService, settings: Settings, gauges: Gauges) -> None:
    """One round of the worker that keeps the reserve filled: goes on, and begins one task at most.

    Begins none while RESERVE_PER_PRESET is 0, or without credits to spare.
    """
    done = await service.go_on()
    if any(done.values()):
        log.info("reserve.went_on", **done)
    if settings.reserve_per_preset and has_credits_to_spare(gauges, settings):
        limits = read_limits(settings)
        for preset in all_presets():
            outcome, _ = await service.begin(preset, limits)
            if outcome != "full":
                break


async def _begin_some(
    service: ReserveService, presets: Sequence[Preset], limits: Limits
) -> tuple[int, str]:
    """Begin tasks until none may be begun now; how many, and why no more."""
    begun, why = 0, "full"
    for preset in presets:
        outcome, claim = await service.begin(preset, limits)
        while outcome == "submitted":
            begun += 1
            outcome, claim = await service.begin(preset, limits)
        if outcome != "full":
            why = (claim and claim.reason) or outcome
            break
    return begun, why


def _missing(state: ReserveState, presets: Sequence[Preset], per_preset: int) -> dict[str, int]:
    lacks = {preset.key: per_preset - state.of(preset.key).ready for preset in presets}
    return {key: number for key, number in lacks.items() if number > 0}


async def read_stock(reserve: Reserve) -> tuple[ReserveState, list[PresetStock]]:
    """The reserve, and what it holds of each preset, those without a piece among them."""
    state = await reserve.read()
    return state, [state.of(preset.key) for preset in all_presets()]


async def drop_piece(service: ReserveService, piece_id: UUID) -> None:
    """Delete one piece, and its file. Raises PermanentError (404) for an unknown one."""
    await service.drop(piece_id)
