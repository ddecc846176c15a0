"""Who comes to a demonstration: a listener with a journey, a stranger, and nobody."""

from collections.abc import Awaitable, Callable

from parcours_xl.adapters.listener import Listener
from parcours_xl.local.demonstration.report import Demonstration
from parcours_xl.operations.journey import Show, live_journey

ASKED = {"presetKey": "panique-anxiete", "emotionState": "fear-0.8"}
JOURNEY_S_MAX = 600


async def demonstrate(
    url: str,
    anon_key: str,
    speed: float,
    show: Show,
    sign_up: Callable[[Listener], Awaitable[object]] = Listener.sign_up,
) -> Demonstration:
    """Live one journey as a newly signed-up user, and try its door as others.

    sign_up: how a visitor becomes a user there. Raises JourneyFailed, and DeploymentAway when
    nobody answers.
    """
    owner, stranger, nobody = [await Listener.arrive(url, anon_key) for _ in range(3)]
    await sign_up(owner)
    await sign_up(stranger)
    journey = await live_journey(owner, ASKED, show, JOURNEY_S_MAX)
    segments = await owner.read_segments(journey.run_id)
    one = {"segmentId": segments[0]["id"]}
    demonstration = Demonstration(
        journey,
        speed,
        stranger=(await stranger.invoke("sign-track", one)).status,
        anonymous=(await nobody.invoke("sign-track", one)).status,
    )
    await owner.leave()
    await stranger.leave()
    await nobody.close()
    return demonstration
