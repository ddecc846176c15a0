"""Checks of a deployment's parts: settings, Supabase, migrations, access, Suno, OpenAI, queues."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

from parcours_xl.clients.brief_writer import BriefNotWritten, open_brief_writer
from parcours_xl.clients.database import APIError, KeyRefused, SunoQuotaFull, SupabaseUnavailable
from parcours_xl.clients.operations_queries import Gauges
from parcours_xl.clients.storage import StorageUnavailable
from parcours_xl.clients.suno import SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from parcours_xl.clients.supabase_errors import NOT_ALLOWED
from parcours_xl.errors import RetryableError
from parcours_xl.operations.alerts import judge, read_snapshot
from parcours_xl.operations.credit import read_credits
from parcours_xl.operations.doctor.findings import Check, Context, Finding, Kind, Result
from parcours_xl.operations.migrations import VERSIONS
from parcours_xl.operations.repairs import Repaired
from parcours_xl.operations.wording import brief_reason, seconds
from parcours_xl.settings import MAINTENANCE_MISSED_MAX, UNKNOWN, Settings, key_role

KEY_PAUSES_S = (1.0, 2.0)
QUEUE_WAITS_S = 60
ANSWER_S_MAX = 10

NOT_CONFIGURED = Kind(
    "settings",
    "note",
    "nothing: the doctor cannot check that part from here",
    "run it with the service's own environment (docs/settings.md)",
    "point-the-tools-at-a-deployment",
)
MIGRATIONS = Kind(
    "migrations",
    "action",
    "what the service calls does not exist: journeys may fail",
    "supabase db push --remote, in the linked project",
    "a-migration-is-missing",
)


class CallbackBase(Check):
    """Can Suno reach us at CALLBACK_BASE, and do its callbacks arrive?"""

    part = "CALLBACK_BASE"
    needs_supabase = False
    unreachable = Kind(
        "callback_base",
        "action",
        "Suno cannot call back: previews and tracks come minutes late, when Suno is asked",
        "set CALLBACK_BASE to the public https address of parcours-xl-callback, then restart",
        "callbacks-are-lost",
    )
    lost = Kind(
        "callbacks_lost",
        "action",
        "previews and tracks come late: only when Suno is asked for them",
        "check whether a proxy, a firewall or verify_jwt blocks Suno; then ask Suno's support",
        "callbacks-are-lost",
    )
    kinds = (unreachable, lost)

    async def find(self, context: Context) -> Result:
        base = context.settings.callback_base
        if not base:
            return self.result(Finding(NOT_CONFIGURED, "CALLBACK_BASE is not set here"))
        if warning := context.settings.callback_warning():
            return self.result(Finding(self.unreachable, warning))
        wrong = await context.probes.callback(base)
        if wrong is not None:
            return self.result(Finding(self.unreachable, f"{base}: {wrong}"))
        if lost := await self._find_lost(context):
            return self.result(lost)
        return self.result(message=f"{base} answers as a callback expects")

    async def _find_lost(self, context: Context) -> Finding | None:
        # The address may be open for us and closed for Suno: who reported the music lately?
        settings = context.settings
        try:
            snapshot = await read_snapshot(context.queries, settings)
        except (SupabaseUnavailable, APIError):
            return None  # the check of Supabase reports it
        alert = next(alert for alert in judge(snapshot, settings) if alert.name == "callbacks")
        if not alert.firing:
            return None
        asked = (
            f"Suno is asked {seconds(settings.ask_first_s)} and {seconds(settings.ask_complete_s)}"
        )
        return Finding(self.lost, f"{alert.message}; {asked} after a submission")


class Supabase(Check):
    """Do the database, Auth and Storage answer, and is the service key accepted?"""

    part = "Supabase"
    healthy = "the database, Auth and Storage answer"
    needs_supabase = False
    unavailable = Kind(
        "supabase",
        "action",
        "no journey begins, goes on or is played",
        "see status.supabase.com and the project's dashboard; after that, all goes on by itself",
        "supabase-is-unavailable",
    )
    key = Kind(
        "service_key",
        "action",
        "no journey begins, goes on or is played",
        "set SUPABASE_SERVICE_ROLE_KEY to the project's secret (or service_role) key, then restart",
        "supabase-is-unavailable",
    )
    kinds = (unavailable, key)

    async def find(self, context: Context) -> Result:
        found = await asyncio.gather(
            self._within(self._check_database(context), "its database"),
            self._within(self._check_auth(context), "Auth"),
            self._within(self._check_storage(context), "Storage"),
        )
        return self.result(*(finding for finding in found if finding is not None))

    async def _within(self, check: Awaitable[Finding | None], what: str) -> Finding | None:
        """What accepts connections and never answers is unavailable, too."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await check
        except TimeoutError:
            return Finding(self.unavailable, f"{what} gives no answer within {ANSWER_S_MAX} s")

    async def _check_database(self, context: Context) -> Finding | None:
        whose = _whose_key(context.settings)
        try:
            await _try_key(context)
        except KeyRefused:
            return Finding(self.key, f"the service key is refused{whose}")
        except APIError as error:
            if error.code != NOT_ALLOWED:
                raise
            return Finding(self.key, f"the service key has not the rights of a service key{whose}")
        except RetryableError as unavailable:
            return Finding(self.unavailable, unavailable.message)
        return None

    async def _check_auth(self, context: Context) -> Finding | None:
        wrong = await context.probes.auth()
        return Finding(self.unavailable, wrong) if wrong else None

    async def _check_storage(self, context: Context) -> Finding | None:
        try:
            await context.storage.reach()
        except StorageUnavailable as unavailable:
            return Finding(self.unavailable, unavailable.message)
        return None


async def _try_key(context: Context) -> None:
    """Raise KeyRefused only when it lasts: a hosted gateway refuses good keys for a moment."""
    for pause_s in KEY_PAUSES_S:
        try:
            await context.queries.read_queues()
            return
        except KeyRefused:
            await asyncio.sleep(pause_s)
    await context.queries.read_queues()


def _whose_key(settings: Settings) -> str:
    key = settings.supabase_service_role_key.get_secret_value()
    return ": it is the anon key" if key_role(key) == "anon" else ""


class Migrations(Check):
    part = "migrations"
    healthy = f"all {len(VERSIONS)} are applied"
    kinds = (MIGRATIONS,)

    async def find(self, context: Context) -> Result:
        applied = await context.queries.read_migrations()
        if applied is None:
            message = "the project does not record which migrations were applied"
            return self.result(Finding(NOT_CONFIGURED, message))
        missing = [version for version in VERSIONS if version not in applied]
        if not missing:
            return self.result()
        message = f"{len(missing)} migrations are not applied"
        return self.result(Finding(MIGRATIONS, message, len(missing), examples=tuple(missing)))


class Access(Check):
    """Are the bucket, the policies and the grants as the migrations made them?"""

    part = "access"
    healthy = "the bucket is private; policies and grants are as the migrations made them"
    changed = Kind(
        "access",
        "action",
        "somebody may see or do too much, or the service too little",
        "undo the change in the dashboard; the migrations say how it has to be",
        "access-has-changed",
    )
    kinds = (changed,)

    async def find(self, context: Context) -> Result:
        wrong = await context.queries.inspect_access()
        return self.result(*(Finding(self.changed, message) for message in wrong))


class Suno(Check):
    """Does Suno accept the key, and how much credit is left?"""

    part = "Suno"
    key = Kind(
        "suno_key",
        "action",
        "no music is composed",
        "correct SUNO_API_KEY, and look at the account at Suno",
        "out-of-suno-credits",
    )
    unavailable = Kind(
        "suno_unavailable",
        "action",
        "no music is composed until Suno is back; journeys under way wait or fail",
        "wait; afterwards parcours doctor --fix composes again what has failed",
        "suno-is-busy",
    )
    credits = Kind(
        "credits",
        "action",
        "journeys fail at once, or soon will",
        "buy Suno credits; then parcours doctor --fix",
        "out-of-suno-credits",
    )
    kinds = (key, unavailable, credits)

    async def find(self, context: Context) -> Result:
        settings = context.settings
        if settings.suno_api_key.get_secret_value() == UNKNOWN:
            return self.result(Finding(NOT_CONFIGURED, "SUNO_API_KEY is not set here"))
        try:
            left = await read_credits(context.database, context.queries, context.suno)
        except SunoRefused as refused:
            return self.result(Finding(self.key, refused.message))
        except (SunoUnavailable, SunoOutcomeUnknown) as unavailable:
            return self.result(Finding(self.unavailable, unavailable.message))
        except SunoQuotaFull:
            return self.skipped("composing uses every request that Suno allows at this moment")
        if left < settings.credits_min:
            message = f"{left:g} credits are left, fewer than {settings.credits_min}"
            return self.result(Finding(self.credits, message))
        return self.result(message=f"{left:g} credits are left")


class OpenAI(Check):
    """Does a model of OPENAI_MODELS complete a tiny request? A list of models would not tell."""

    part = "OpenAI"
    needs_supabase = False
    refused = Kind(
        "openai",
        "note",
        "journeys get the preset's own brief; the music is as good",
        "check OPENAI_API_KEY, its credits, and OPENAI_MODELS",
        "openai-writes-no-briefs",
    )
    kinds = (refused,)

    async def find(self, context: Context) -> Result:
        try:
            async with open_brief_writer(context.settings) as writer:
                tried = await writer.try_models()
        except BriefNotWritten as why:
            return self.result(Finding(self.refused, brief_reason(why.reason)))
        refused = {model: reason for model, reason in tried.items() if reason is not None}
        said = "; ".join(f"{model}: {brief_reason(reason)}" for model, reason in refused.items())
        if len(refused) == len(tried):
            return self.result(Finding(self.refused, f"no model completes a request: {said}"))
        able = ", ".join(model for model in tried if model not in refused)
        return self.result(message=f"{able} completed a request" + (f" ({said})" if said else ""))


class Queues(Check):
    """Do workers take jobs, and does one of them do the maintenance?"""

    part = "queues"
    healthy = "workers take jobs, and one of them does the maintenance"
    waiting = Kind(
        "queues",
        "action",
        "nothing is composed or stored: listeners wait",
        "start parcours worker, or find out why the workers do not take jobs",
        "jobs-wait",
    )
    no_maintenance = Kind(
        "no_maintenance",
        "note",
        "nothing: but faults are not repaired by themselves, and nobody is notified of alerts",
        "start parcours worker, or the service with WORKER_IN_PROCESS=true",
        "jobs-wait",
    )
    failing = Kind(
        "jobs_failing",
        "note",
        "the preview plays; the whole track comes late, or from Suno's own address",
        "read the workers' logs (job.handed_back says why): Storage, the track's host; "
        "they are tried again by themselves, then given up",
        "a-job-was-given-up",
    )
    set_aside = Kind(
        "jobs_given_up",
        "action",
        "a journey stands still, a track is not stored, or data is not erased",
        "read the workers' logs (job.failed); correct the cause, then --fix queues the jobs again",
        "a-job-was-given-up",
    )
    unreadable = Kind(
        "jobs_unreadable",
        "action",
        "nothing by itself: but somebody writes into our queues, or loses what we wrote",
        "look at them (select * from parcours.dead_letters), find who sent them; --fix drops them",
        "a-job-was-given-up",
    )
    kinds = (waiting, no_maintenance, failing, set_aside, unreadable)

    async def find(self, context: Context) -> Result:
        queries, settings = context.queries, context.settings
        depths = await queries.read_queues()
        findings = [
            Finding(
                self.waiting,
                f"{queue.due} jobs of {queue.queue} wait, the oldest for {seconds(queue.oldest_s)}",
                queue.due,
                since=datetime.now(UTC) - timedelta(seconds=queue.oldest_s),
            )
            for queue in depths
            if queue.due and queue.oldest_s > min(QUEUE_WAITS_S, settings.old_job_s)
        ]
        findings += [
            Finding(
                self.failing,
                f"{queue.failing} jobs of {queue.queue} have failed and are tried again, "
                f"the first for {seconds(queue.failing_s)}",
                queue.failing,
                since=datetime.now(UTC) - timedelta(seconds=queue.failing_s),
            )
            for queue in depths
            if queue.failing
        ]
        gauges = await queries.read_gauges(datetime.now(UTC))
        findings += [*self._maintenance(gauges, settings), *self._set_aside(gauges)]
        return self.result(*findings)

    def _maintenance(self, gauges: Gauges, settings: Settings) -> list[Finding]:
        due_at = gauges.maintenance_due_at
        if due_at is None:
            message = "no worker has ever done the maintenance of this project"
            return [Finding(self.no_maintenance, message)]
        late_s = (datetime.now(UTC) - due_at).total_seconds()
        if late_s <= settings.maintenance_every_s * MAINTENANCE_MISSED_MAX:
            return []
        message = f"no worker has done the maintenance for {seconds(late_s)}"
        return [Finding(self.no_maintenance, message, since=due_at)]

    def _set_aside(self, gauges: Gauges) -> list[Finding]:
        findings = []
        if unreadable := gauges.jobs_unreadable:
            message = f"{unreadable} messages of a queue cannot be read, and were set aside"
            findings.append(Finding(self.unreadable, message, unreadable, repair=_send_jobs))
        if count := gauges.jobs_given_up - unreadable:
            message = f"{count} jobs were given up"
            findings.append(Finding(self.set_aside, message, count, repair=_send_jobs))
        return findings


async def _send_jobs(context: Context) -> Repaired:
    return await context.repairs.send_jobs()
