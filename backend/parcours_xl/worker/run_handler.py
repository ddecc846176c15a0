"""What to do for a run in hand: the step that next_steps named."""

import structlog

from parcours_xl.clients.clients import Clients
from parcours_xl.clients.database import AttemptsUsedUp, Database
from parcours_xl.clients.database_results import Step
from parcours_xl.clients.suno import SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from parcours_xl.errors import PermanentError
from parcours_xl.services.generation import CreditsSpent, ask_about_segment, submit_segment
from parcours_xl.settings import Settings

log = structlog.get_logger(__name__)


class RunHandler:
    """Carries steps out. Each is judged again, by the SQL function that it calls."""

    def __init__(self, clients: Clients, settings: Settings):
        self._clients = clients
        self._settings = settings

    @property
    def _database(self) -> Database:
        return self._clients.database

    async def take(self, quantity: int, lease_s: int) -> list[Step]:
        return await self._database.next_steps(quantity, lease_s)

    async def do(self, step: Step) -> str:
        """Carry one step out. What it changes sets the run's next deadline by itself."""
        match step.action:
            case "submit":
                return await self._submit(step)
            case "ask":
                return await self._ask(step)
            case "retry":
                return await self._retry(step)
            case "give_up":
                return await self._give_up(step)
            case _:
                released = await self._database.release_run(step.run_id)
                return "settled" if released else "resumed"

    async def _submit(self, step: Step) -> str:
        # While the quota is full the step is handed back: whose turn is next is for next_steps to
        # say, and a run that came later may be it.
        try:
            claim = await submit_segment(
                self._database,
                self._clients.suno,
                self._settings.callback_base,
                segment_id=step.segment_id,
            )
        except (SunoRefused, SunoUnavailable, SunoOutcomeUnknown) as error:
            log.warning("segment.not_submitted", reason=error.message)
            return "refused"
        except AttemptsUsedUp:
            return await self._give_up_exhausted(step)
        except CreditsSpent:
            return "waits"
        return "skipped" if claim.outcome == "skipped" else "submitted"

    async def _give_up_exhausted(self, step: Step) -> str:
        assert step.segment_id and step.callback_token, "a submission names its attempt"
        return await self._database.fail_segment(
            step.segment_id, step.callback_token, "attempts_used_up"
        )

    async def _ask(self, step: Step) -> str:
        assert step.segment_id and step.callback_token and step.task_id, "a question names a task"
        try:
            changed = await ask_about_segment(
                self._database,
                self._clients.suno,
                step.segment_id,
                step.callback_token,
                step.task_id,
            )
        except PermanentError:
            return "late"
        return "learned" if changed else "asked"

    async def _retry(self, step: Step) -> str:
        assert step.segment_id and step.callback_token, "a retry names its attempt"
        return await self._database.retry_segment(step.segment_id, step.callback_token)

    async def _give_up(self, step: Step) -> str:
        assert step.segment_id and step.callback_token, "giving up names its attempt"
        return await self._database.fail_segment(step.segment_id, step.callback_token, "timeout")
