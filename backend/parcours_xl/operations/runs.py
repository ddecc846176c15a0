"""What an operator does to one run or segment: cancel it, or have it composed again."""

from uuid import UUID

from parcours_xl.clients.database import Database, RunCancelled
from parcours_xl.clients.operations_queries import OperationsQueries, Retried


async def cancel_run(database: Database, run_id: UUID) -> RunCancelled:
    """Ask Suno for nothing more of a run. Raises PermanentError (404) for an unknown one."""
    return await database.cancel_run(run_id)


async def retry(queries: OperationsQueries, run_or_segment: UUID) -> Retried:
    """Compose again what failed or is stuck. Raises PermanentError (404, 409)."""
    return await queries.retry(run_or_segment)
