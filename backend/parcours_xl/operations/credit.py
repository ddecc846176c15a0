"""How much credit is left at Suno, for everybody to see."""

from contextlib import suppress

from parcours_xl.adapters.database import SunoQuotaFull
from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.suno import SunoBusy, SunoRefused, SunoSilent
from parcours_xl.settings import UNKNOWN, Settings

CREDITS = "suno_credits"


async def read_credits(outside: Outside) -> float:
    """Ask Suno, and keep the answer. Raises SunoRefused, SunoBusy, SunoSilent or SunoQuotaFull."""
    slot = await outside.database.reserve_suno_request()
    try:
        credits_left = await outside.suno.credit()
    finally:
        await outside.database.answer_suno_request(slot)
    await outside.oversight.record_gauge(CREDITS, credits_left)
    return credits_left


async def refresh_credits(outside: Outside, settings: Settings) -> None:
    """Read them now if this machine has Suno's key; otherwise what a worker read last stays.

    So it does while Suno does not say, or the quota is full. Raises SupabaseAway.
    """
    if settings.suno_api_key.get_secret_value() == UNKNOWN:
        return
    with suppress(SunoRefused, SunoBusy, SunoSilent, SunoQuotaFull):
        await read_credits(outside)
