"""Who comes to a demonstration: a listener with a journey, a stranger, and nobody."""

import time
from collections.abc import Awaitable, Callable

from parcours_dev.demo.report import Demonstration
from parcours_xl.clients.api_client import ApiClient
from parcours_xl.operations.smoke import Show, run_journey

REQUEST = {"presetKey": "panique-anxiete", "emotionState": "fear-0.8"}
JOURNEY_S_MAX = 600


async def demonstrate(
    url: str,
    anon_key: str,
    speed: float,
    show: Show,
    sign_up: Callable[[ApiClient], Awaitable[object]] = ApiClient.sign_up,
) -> Demonstration:
    """Run one journey as a newly signed-up user, and ask for its tracks as others.

    sign_up: how a visitor becomes a user there. Raises JourneyFailed, and DeploymentUnavailable
    when nobody answers.
    """
    owner, stranger, nobody = [await ApiClient.connect(url, anon_key) for _ in range(3)]
    await sign_up(owner)
    await sign_up(stranger)
    reserve_s = await _hear_reserve(owner)
    journey = await run_journey(owner, REQUEST, show, JOURNEY_S_MAX)
    segments = await owner.read_segments(journey.run_id)
    one = {"segmentId": segments[0]["id"]}
    demonstration = Demonstration(
        journey,
        speed,
        reserve_s,
        stranger=(await stranger.invoke("sign-track", one)).status,
        anonymous=(await nobody.invoke("sign-track", one)).status,
    )
    await owner.sign_out()
    await stranger.sign_out()
    await nobody.close()
    return demonstration


async def _hear_reserve(owner: ApiClient) -> float | None:
    """Seconds from the request for ready pieces to the first one's music; None without a piece."""
    asked_at = time.monotonic()
    asked = {"presetKey": REQUEST["presetKey"]}
    pieces = (await owner.invoke("parcours-xl-reserve", asked)).body.get("pieces", [])
    if not pieces:
        return None
    status, music = await owner.fetch_part(pieces[0]["url"], 0)
    return time.monotonic() - asked_at if status == 206 and music else None
