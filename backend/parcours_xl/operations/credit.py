"""How much credit is left at Suno, for everybody to see."""

from parcours_xl.adapters.database import SUNO_QUOTA
from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.suno import SunoBusy, SunoRefused, SunoSilent
from parcours_xl.settings import UNKNOWN, Settings
from parcours_xl.trouble import Postponed

CREDITS = "suno_credits"


async def read_credits(outside: Outside) -> float:
    """Ask Suno, and keep the answer. Raises SunoRefused, SunoBusy, SunoSilent or Postponed."""
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
    try:
        await read_credits(outside)
    except (SunoRefused, SunoBusy, SunoSilent):
        return
    except Postponed as postponed:
        if postponed.cause != SUNO_QUOTA:
            raise
