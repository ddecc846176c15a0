"""How much credit is left at Suno, for everybody to see."""

from contextlib import suppress

from parcours_xl.clients.database import Database, SunoQuotaFull
from parcours_xl.clients.operations_queries import OperationsQueries
from parcours_xl.clients.suno import Suno, SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from parcours_xl.settings import UNKNOWN, Settings


async def read_credits(database: Database, queries: OperationsQueries, suno: Suno) -> float:
    """Ask Suno, and keep the answer.

    Raises SunoRefused, SunoUnavailable, SunoOutcomeUnknown or SunoQuotaFull.
    """
    slot = await database.reserve_suno_request()
    try:
        credits_left = await suno.credit()
    finally:
        await database.answer_suno_request(slot)
    await queries.record_credits(credits_left)
    return credits_left


async def refresh_credits(
    database: Database, queries: OperationsQueries, suno: Suno, settings: Settings
) -> None:
    """Read them now if this machine has Suno's key; otherwise what a worker read last stays.

    So it does while Suno does not say, or the quota is full. Raises SupabaseUnavailable.
    """
    if settings.suno_api_key.get_secret_value() == UNKNOWN:
        return
    with suppress(SunoRefused, SunoUnavailable, SunoOutcomeUnknown, SunoQuotaFull):
        await read_credits(database, queries, suno)
