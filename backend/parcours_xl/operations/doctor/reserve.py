"""The check of the reserve: is it as full as it should be, and is every file there?"""

from parcours_xl.clients.reserve import PresetStock
from parcours_xl.domain.presets import all_presets
from parcours_xl.operations.doctor.findings import (
    EXAMPLES_MAX,
    Check,
    Context,
    Finding,
    Kind,
    Result,
)
from parcours_xl.operations.repairs import Repaired


class ReservePieces(Check):
    """The reserve (docs/specification.md#reserve)."""

    part = "reserve"
    lost = Kind(
        "reserve_lost",
        "action",
        "none while other pieces of the preset are ready",
        "--fix takes them out; parcours reserve fill composes others",
        "the-reserve",
    )
    low = Kind(
        "reserve_low",
        "note",
        "who waits for their own music hears the bed only",
        "nothing while a worker fills it; else parcours reserve fill",
        "the-reserve",
    )
    kinds = (lost, low)

    async def find(self, context: Context) -> Result:
        state = await context.reserve.read()
        per_preset = context.settings.reserve_per_preset
        stocks = [state.of(preset.key) for preset in all_presets()]
        ready = sum(stock.ready for stock in stocks)
        message = f"{ready} pieces are ready" if ready or per_preset else "it is not used"
        return self.result(*self._lost(stocks), *self._low(stocks, per_preset), message=message)

    def _lost(self, stocks: list[PresetStock]) -> list[Finding]:
        lost = [piece.id for stock in stocks for piece in stock.pieces if piece.missing]
        if not lost:
            return []

        async def drop(context: Context) -> Repaired:
            for piece_id in lost:
                await context.reserve.drop_piece(piece_id)
            return Repaired(f"taken out: {len(lost)}")

        return [
            Finding(
                self.lost,
                f"pieces of the reserve without a file in Storage: {len(lost)}",
                len(lost),
                examples=tuple(map(str, lost[:EXAMPLES_MAX])),
                repair=drop,
            )
        ]

    def _low(self, stocks: list[PresetStock], per_preset: int) -> list[Finding]:
        low = [stock for stock in stocks if stock.ready < per_preset]
        if not low:
            return []
        names = ", ".join(f"{stock.preset_key} {stock.ready}" for stock in low[:EXAMPLES_MAX])
        message = f"{len(low)} presets have fewer than {per_preset} ready pieces: {names}"
        return [Finding(self.low, message, len(low))]
