"""The smoke test of a deployment: one real journey (docs/specification.md#smoke-test)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from parcours_xl.clients.api_client import ApiClient
from parcours_xl.clients.clients import Clients
from parcours_xl.operations.journey import JourneyFailed, Show, run_journey
from parcours_xl.operations.journey_report import JourneyReport
from parcours_xl.settings import Settings
from parcours_xl.targets import Targets


@dataclass(frozen=True)
class Visitor:
    """Who tries the deployment: a token, an account, or, with neither, a user made for it."""

    token: str | None = None
    email: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a smoke test says. failures: what is not as it must be. slow: targets missed.

    journey is None, and run_id may be, when it stopped on its way.
    """

    run_id: str | None
    journey: JourneyReport | None
    failures: list[str]
    slow: list[str]

    @property
    def passed(self) -> bool:
        return not self.failures

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "run_id": self.run_id,
            "failures": self.failures,
            "slow": self.slow,
            "journey": self.journey.as_json() if self.journey else None,
        }


async def try_deployment(
    clients: Clients,
    settings: Settings,
    visitor: Visitor,
    preset_key: str,
    seconds_max: float,
    show: Show,
) -> Verdict:
    """Live one journey and judge it. It costs what a journey costs.

    A user that was made for it is deleted afterwards with all that is theirs, unless it failed:
    then the run stays for whoever looks into it. Raises SignInRefused and RetryableError.
    """
    async with _signed_in(clients, settings, visitor) as signed_in:
        try:
            asked = {"presetKey": preset_key}
            journey = await run_journey(signed_in.client, asked, show, seconds_max)
        except JourneyFailed as failed:
            signed_in.keep = True
            return Verdict(failed.run_id, None, [failed.message], [])
        failures = [f"not so: {what}" for what, so in journey.expectations.items() if not so]
        signed_in.keep = bool(failures)
        return Verdict(journey.run_id, journey, failures, _find_slow(journey, settings))


@dataclass
class _SignedIn:
    client: ApiClient
    keep: bool = False


@asynccontextmanager
async def _signed_in(
    clients: Clients, settings: Settings, visitor: Visitor
) -> AsyncIterator[_SignedIn]:
    """A signed-in user; afterwards signed out, and deleted when made for the test."""
    client = await ApiClient.connect(
        settings.supabase_url,
        settings.supabase_anon_key.get_secret_value(),
        token=visitor.token,
        functions_url=settings.functions_url,
    )
    made = None
    try:
        if visitor.email and visitor.password:
            await client.sign_in(visitor.email, visitor.password)
        elif visitor.token is None:
            made, email, password = await clients.users.create_account()
            await client.sign_in(email, password)
        signed_in = _SignedIn(client)
        yield signed_in
        if made is not None and not signed_in.keep:
            await clients.users.delete_account(made)
    finally:
        await client.close()


def _find_slow(journey: JourneyReport, targets: Targets) -> list[str]:
    measured = {
        "first preview": (journey.first_preview_s, targets.ttfp_target_s),
        "first complete track": (journey.first_complete_s, targets.ttfc_target_s),
        "run ready": (journey.ready_s, targets.ready_target_s),
    }
    return [
        f"{name} after {seconds:.0f} s, target {target:.0f} s"
        for name, (seconds, target) in measured.items()
        if seconds is not None and seconds > target
    ]
