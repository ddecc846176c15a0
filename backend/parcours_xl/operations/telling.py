"""Whoever is on call is told once when an alert begins, and once when it ends."""

from parcours_xl.adapters.oversight import Oversight, Untold
from parcours_xl.adapters.webhook import Webhook
from parcours_xl.operations.alerts import WHAT_TO_DO, Alert
from parcours_xl.operations.wording import seconds


async def tell_changes(oversight: Oversight, webhook: Webhook | None, alerts: list[Alert]) -> int:
    """Keep what burns, and tell what has changed; how many messages. Raises NobodyListens.

    What could not be told is told the next time, in its order.
    """
    burning = [{"name": alert.name, "says": alert.says} for alert in alerts if alert.burning]
    untold = await oversight.note_alerts(burning)
    if webhook is None:
        return 0
    told = 0
    for alert in untold:
        if not alert.told_began:
            await webhook.tell(say_began(alert.name, alert.says))
            await oversight.record_told(alert.id, ended=False)
            told += 1
        if alert.ended_at is not None:
            await webhook.tell(say_ended(alert))
            await oversight.record_told(alert.id, ended=True)
            told += 1
    return told


def say_began(name: str, says: str) -> str:
    return f"🔥 Parcours XL: {name} burns: {says}. {WHAT_TO_DO.get(name, '')}".rstrip()


def say_ended(alert: Untold) -> str:
    assert alert.ended_at is not None, "it has ended"
    length = (alert.ended_at - alert.began_at).total_seconds()
    return f"✅ Parcours XL: {alert.name} has ended, after {seconds(length)}."
