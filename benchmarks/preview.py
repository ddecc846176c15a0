"""From the tap to the first preview, at the vendors' documented timings.

What the page does is done here without its sound: create, the runner, and reading until the first
segment has its preview, with the page's pauses (web/supabase/feed.ts).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.deployment import Deployment, running_deployment
from parcours_dev.simulators.settings import SunoSettings

SUNO_S = SunoSettings.first_s
"""Suno's own time: from its acceptance to its first preview."""
AIM_S = 0.7
"""How much longer a listener may wait than Suno takes."""
WAIT_S_MAX = 90
BEFORE_SOUND_S, FIRST_DUE_S, FIRST_DUE_FROM_S = 0.75, 0.15, 20
"""The page's pauses between two readings, and when the shorter one begins."""


@dataclass(frozen=True)
class Effort:
    """How many taps, so many seconds after one another; speed: how much shorter waiting is."""

    taps: int = 8
    apart_s: float = 5
    speed: float = 1


@dataclass(frozen=True)
class Tap:
    """What one tap came to: moments in seconds since it.

    submitted: Suno has taken the first segment. arrived: the preview is in the database. read_slow,
    read: the page has read it, with the usual pause and with the one while it is due.
    """

    created: float
    submitted: float
    arrived: float
    read_slow: float
    read: float


def measure_preview(effort: Effort, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row with FIRST_SEGMENT_EARLY off, one with it on. Seconds, medians of all taps."""
    rows = []
    for early in (False, True):
        tell(f"FIRST_SEGMENT_EARLY={'true' if early else 'false'}: {effort.taps} taps")
        with running_deployment(effort.speed, FIRST_SEGMENT_EARLY=str(early)) as deployment:
            # The first request of a process pays for its connections: a listener does not.
            asyncio.run(_tap(deployment, effort.speed, 0))
            rows.append(_row(early, asyncio.run(_tap_all(deployment, effort)), effort.speed))
    return rows


def _row(early: bool, taps: list[Tap], speed: float) -> dict[str, Any]:
    suno_s = SUNO_S / speed
    over = sorted(tap.read - suno_s for tap in taps)
    return {
        "early": early,
        "taps": len(taps),
        "suno_s": suno_s,
        "create_s": median(tap.created for tap in taps),
        "submitted_s": median(tap.submitted for tap in taps),
        "arrived_s": median(tap.arrived for tap in taps),
        "read_s": median(tap.read for tap in taps),
        "reading_slow_ms": median(tap.read_slow - tap.arrived for tap in taps) * 1000,
        "reading_ms": median(tap.read - tap.arrived for tap in taps) * 1000,
        "over_s": median(over),
        "over_s_max": over[-1],
        "aim_s": AIM_S,
    }


async def _tap_all(deployment: Deployment, effort: Effort) -> list[Tap]:
    taps = (
        _tap(deployment, effort.speed, number * effort.apart_s) for number in range(effort.taps)
    )
    return list(await asyncio.gather(*taps))


async def _tap(deployment: Deployment, speed: float, after_s: float) -> Tap:
    """One listener. AssertionError when something is not answered as it should be."""
    await asyncio.sleep(after_s)
    project = deployment.project
    async with httpx.AsyncClient(
        base_url=project.url, headers={"apikey": project.anon_key}, trust_env=False, timeout=60
    ) as client:
        person = {"email": f"{uuid4().hex}@example.org", "password": "a calm evening"}
        signed_up = await client.post("/auth/v1/signup", json=person)
        client.headers["Authorization"] = f"Bearer {signed_up.json()['access_token']}"
        tapped_at = time.time()
        wanted = {"presetKey": "panique-anxiete", "emotionState": "fear-0.8"}
        answer = await client.post("/functions/v1/parcours-xl-create", json=wanted)
        assert answer.status_code == 200, answer.text
        created_at, run_id = time.time(), answer.json()["runId"]
        started = client.post("/functions/v1/parcours-xl-runner", json={"runId": run_id})
        _, slow_at, read_at = await asyncio.gather(
            started,
            _read(client, run_id, lambda _: BEFORE_SOUND_S / speed),
            _read(client, run_id, lambda elapsed: _pause(elapsed * speed) / speed),
        )
    [moments] = deployment.query(
        "select extract(epoch from min(happened_at) filter (where what = 'segment.submitted'))"
        "         ::float as submitted_at,"
        "       extract(epoch from min(happened_at) filter (where what = 'segment.first'))"
        "         ::float as arrived_at"
        "  from public.parcours_events where run_id = %s",
        run_id,
    )
    since = (created_at, moments["submitted_at"], moments["arrived_at"], slow_at, read_at)
    return Tap(*(moment - tapped_at for moment in since))


def _pause(elapsed_s: float) -> float:
    return FIRST_DUE_S if elapsed_s >= FIRST_DUE_FROM_S else BEFORE_SOUND_S


async def _read(client: httpx.AsyncClient, run_id: str, pause: Callable[[float], float]) -> float:
    """When the first segment's preview was read, as the page reads it."""
    begun = time.time()
    query = {"run_id": f"eq.{run_id}", "segment_index": "eq.0", "select": "preview_url"}
    async with asyncio.timeout(WAIT_S_MAX):
        while True:
            answer = await client.get("/rest/v1/parcours_segments", params=query)
            if answer.json()[0]["preview_url"]:
                return time.time()
            await asyncio.sleep(pause(time.time() - begun))
