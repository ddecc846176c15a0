"""The parts of a deployment, looked at one by one: settings, Supabase, Suno, OpenAI, queues."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from parcours_xl.adapters.brief_writer import BriefNotWritten, open_brief_writer
from parcours_xl.adapters.database import SunoQuotaFull
from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.sql_functions import APIError, KeyRefused, SupabaseAway
from parcours_xl.adapters.suno import SunoBusy, SunoRefused, SunoSilent
from parcours_xl.adapters.supabase_errors import NOT_ALLOWED, is_anon_key
from parcours_xl.adapters.tracks import StorageAway
from parcours_xl.operations.alerts import judge
from parcours_xl.operations.credit import read_credits
from parcours_xl.operations.findings import Checked, Finding
from parcours_xl.operations.migrations import VERSIONS
from parcours_xl.operations.watching import keep_watch
from parcours_xl.operations.wording import brief_reason, seconds
from parcours_xl.settings import UNKNOWN, Settings
from parcours_xl.trouble import Postponed

KEY_PAUSES_S = (1.0, 2.0)
QUEUE_STANDS_S = 60
LOOKS_MISSED_MAX = 3

Check = Callable[[Outside, Settings], Awaitable[Checked]]


async def check_callback(outside: Outside, settings: Settings) -> Checked:
    """Would Suno reach us, and find the right door?"""
    part, base = "CALLBACK_BASE", settings.callback_base
    if not base:
        return Checked(part, "", (Finding("settings", "CALLBACK_BASE is not known here"),))
    if warning := settings.callback_warning():
        return Checked(part, "", (Finding("callback_base", warning),))
    wrong = await outside.probes.callback(base)
    if wrong is not None:
        return Checked(part, "", (Finding("callback_base", f"{base}: {wrong}"),))
    if lost := await _find_lost_callbacks(outside, settings):
        return Checked(part, "", (lost,))
    return Checked(part, f"{base} answers as a callback would find it")


async def _find_lost_callbacks(outside: Outside, settings: Settings) -> Finding | None:
    """The door may be open here and shut for Suno: who has told of the music lately?"""
    try:
        watch = await keep_watch(outside.oversight, settings)
    except SupabaseAway:
        return None
    lost = next(alert for alert in judge(watch, settings) if alert.name == "callbacks")
    return Finding("callbacks_lost", lost.says) if lost.burning else None


async def check_supabase(outside: Outside, settings: Settings) -> Checked:
    """Database, Auth and Storage."""
    findings = []
    try:
        await _try_key(outside)
    except KeyRefused:
        says = "the service key is refused"
        findings.append(Finding("service_key", f"{says}{_whose_key(settings)}"))
    except APIError as error:
        if error.code != NOT_ALLOWED:
            raise
        says = "the service key may not do what it has to"
        findings.append(Finding("service_key", f"{says}{_whose_key(settings)}"))
    except Postponed as away:
        findings.append(Finding("supabase", away.message))
    if wrong := await outside.probes.auth():
        findings.append(Finding("supabase", wrong))
    try:
        await outside.tracks.reach()
    except StorageAway as away:
        findings.append(Finding("supabase", away.message))
    return Checked("Supabase", "the database, Auth and Storage answer", tuple(findings))


async def _try_key(outside: Outside) -> None:
    """Raise KeyRefused only when it lasts: a hosted gateway refuses good keys for a moment."""
    for pause_s in KEY_PAUSES_S:
        try:
            await outside.oversight.read_queues()
            return
        except KeyRefused:
            await asyncio.sleep(pause_s)
    await outside.oversight.read_queues()


def _whose_key(settings: Settings) -> str:
    key = settings.supabase_service_role_key.get_secret_value()
    return ": it is the anon key" if is_anon_key(key) else ""


async def check_migrations(outside: Outside, _: Settings) -> Checked:
    applied = await outside.oversight.read_migrations()
    if applied is None:
        says = "the project does not keep which migrations were applied"
        return Checked("migrations", "", (Finding("settings", says),))
    missing = [version for version in VERSIONS if version not in applied]
    if missing:
        says = f"{len(missing)} migrations are not applied"
        return Checked(
            "migrations", "", (Finding("migrations", says, len(missing), tuple(missing)),)
        )
    return Checked("migrations", f"all {len(VERSIONS)} are applied")


async def check_access(outside: Outside, _: Settings) -> Checked:
    """Bucket, policies and grants."""
    wrong = await outside.oversight.inspect_access()
    findings = tuple(Finding("access", said) for said in wrong)
    return Checked("access", "the bucket is private, policies and grants are ours", findings)


async def check_suno(outside: Outside, settings: Settings) -> Checked:
    part = "Suno"
    if settings.suno_api_key.get_secret_value() == UNKNOWN:
        return Checked(part, "", (Finding("settings", "SUNO_API_KEY is not known here"),))
    try:
        left = await read_credits(outside)
    except SunoRefused as refused:
        return Checked(part, "", (Finding("suno_key", refused.message),))
    except (SunoBusy, SunoSilent) as away:
        return Checked(part, "", (Finding("suno_away", away.message),))
    except SunoQuotaFull:
        says = "not asked: composing takes every request that it allows just now"
        return Checked(part, says, skipped=True)
    if left < settings.credits_min:
        says = f"{left:g} credits are left, fewer than {settings.credits_min}"
        return Checked(part, "", (Finding("credits", says),))
    return Checked(part, f"{left:g} credits are left")


async def check_openai(_: Outside, settings: Settings) -> Checked:
    """Does a model of OPENAI_MODELS complete a (tiny) request? A list of models would not tell."""
    part = "OpenAI"
    try:
        async with open_brief_writer(settings) as writer:
            tried = await writer.try_models()
    except BriefNotWritten as why:
        return Checked(part, "", (Finding("openai", brief_reason(why.reason)),))
    refused = {model: reason for model, reason in tried.items() if reason is not None}
    said = "; ".join(f"{model}: {brief_reason(reason)}" for model, reason in refused.items())
    if len(refused) == len(tried):
        return Checked(part, "", (Finding("openai", f"no model completes a request: {said}"),))
    able = ", ".join(model for model in tried if model not in refused)
    return Checked(part, f"{able} completed a request" + (f" ({said})" if said else ""))


async def check_queues(outside: Outside, settings: Settings) -> Checked:
    """Are jobs taken, and does somebody look after the rest?"""
    findings = [
        Finding(
            "queues",
            f"{queue.due} jobs of {queue.queue} wait, the oldest for {seconds(queue.oldest_s)}",
            queue.due,
        )
        for queue in await outside.oversight.read_queues()
        if queue.due and queue.oldest_s > min(QUEUE_STANDS_S, settings.old_job_s)
    ]
    signs = await outside.oversight.read_signs(datetime.now(UTC))
    late = timedelta(seconds=settings.caretaker_every_s * LOOKS_MISSED_MAX)
    if signs.caretaker_due_at is None:
        findings.append(Finding("no_caretaker", "no worker has ever looked after this project"))
    elif signs.caretaker_due_at + late < datetime.now(UTC):
        since = (datetime.now(UTC) - signs.caretaker_due_at).total_seconds()
        findings.append(Finding("no_caretaker", f"no worker has looked for {seconds(since)}"))
    if unreadable := signs.jobs_unreadable:
        says = f"{unreadable} messages of a queue cannot be read, and were set aside"
        findings.append(Finding("jobs_unreadable", says, unreadable))
    if count := signs.jobs_given_up - unreadable:
        findings.append(Finding("jobs_given_up", f"{count} jobs were given up", count))
    return Checked("queues", "jobs are taken, and a worker looks after the rest", tuple(findings))


CHECKS: tuple[tuple[str, Check], ...] = (
    ("CALLBACK_BASE", check_callback),
    ("Supabase", check_supabase),
    ("migrations", check_migrations),
    ("access", check_access),
    ("Suno", check_suno),
    ("OpenAI", check_openai),
    ("queues", check_queues),
)
