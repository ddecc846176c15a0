"""`make bench-starvation`: what 25 users who forge callbacks cost the one beside them."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.deployment import Deployment, running_deployment

SPEED = 10.0
"""Suno's preview comes after 3.5 s and its track after 15 s."""
RATIO_MAX = 1.5
READY_S_MAX = 600.0
POLL_S, PAUSE_S = 0.25, 0.2
JOURNEY = {"presetKey": "universel-reset"}

ASKED_UNSUBMITTED = """
select coalesce(sum((metadata->>'questions')::integer), 0)::integer as count
  from public.parcours_segments as segment
 where not exists (select from public.parcours_events
                    where segment_id = segment.id and what = 'segment.submitted')
"""
QUESTIONS = """
select coalesce(sum((metadata->>'questions')::integer), 0)::integer as count
  from public.parcours_segments
"""
CLAIMS = "select count(*)::integer from public.parcours_events where what = 'segment.claimed'"
DEPTH = "select count(*)::integer from pgmq.q_parcours_tracks"


@dataclass(frozen=True)
class Attack:
    """So many users, each with so many runs.

    warming_s: how long before the neighbour comes. speed: how many times quicker Suno is.
    """

    users: int = 25
    runs: int = 10
    warming_s: float = 20.0
    speed: float = SPEED


class User:
    """An anonymous account, and what anybody can do with one."""

    def __init__(self, deployment: Deployment, http: httpx.AsyncClient):
        self._url = deployment.project.url
        self._functions = f"{deployment.project.functions_url}/functions/v1"
        self._key = deployment.project.anon_key
        self._http = http
        self._token = ""
        self.run_ids: list[str] = []

    async def sign_up(self) -> None:
        answer = await self._http.post(
            f"{self._url}/auth/v1/signup", json={"data": {}}, headers={"apikey": self._key}
        )
        answer.raise_for_status()
        self._token = answer.json()["access_token"]

    async def create(self) -> str:
        answer = await self._call("parcours-xl-create", JOURNEY)
        answer.raise_for_status()
        self.run_ids.append(answer.json()["runId"])
        return self.run_ids[-1]

    async def start(self, run_id: str) -> None:
        await self._call("parcours-xl-runner", {"runId": run_id})

    async def read(self, table: str, **filters: str) -> list[dict[str, Any]]:
        answer = await self._http.get(
            f"{self._url}/rest/v1/{table}",
            params={"select": "*"} | filters,
            headers={"apikey": self._key, "Authorization": f"Bearer {self._token}"},
        )
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows

    async def forge(self, segment: dict[str, Any]) -> int:
        """A `complete` as the vendor writes it, with a task and an address that do not exist."""
        task_id = segment["suno_task_id"] or f"invented-{uuid4()}"
        track = {"id": str(uuid4()), "audio_url": f"https://{uuid4()}.example/x.mp3"}
        data = {"callbackType": "complete", "task_id": task_id, "data": [track]}
        answer = await self._http.post(
            f"{self._functions}/parcours-xl-callback",
            params={"segment": segment["id"], "token": segment["callback_token"]},
            json={"code": 200, "msg": "ok", "data": data},
        )
        return answer.status_code

    async def _call(self, function: str, body: dict[str, str]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self._http.post(f"{self._functions}/{function}", json=body, headers=headers)


def measure_starvation(attack: Attack, tell: Callable[[str], None]) -> dict[str, Any]:
    """The neighbour's run alone, and beside the attack, in one deployment."""
    quota = str(max(10, attack.runs))
    with running_deployment(speed=attack.speed, DAILY_RUN_QUOTA=quota) as deployment:
        return asyncio.run(_measure(deployment, attack, tell))


async def _measure(
    deployment: Deployment, attack: Attack, tell: Callable[[str], None]
) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        tell("one run alone")
        alone_s = await _live(deployment, http)
        tell(f"{attack.users} users forge callbacks for {attack.runs} runs each")
        answers: dict[int, int] = {}
        attackers = [
            asyncio.create_task(_attack(deployment, http, attack.runs, answers))
            for _ in range(attack.users)
        ]
        await asyncio.sleep(attack.warming_s)
        tell("one run beside them")
        try:
            beside_s = await _live(deployment, http)
        finally:
            for attacker in attackers:
                attacker.cancel()
            await asyncio.gather(*attackers, return_exceptions=True)
    return {
        "users": attack.users,
        "runs": attack.runs * attack.users,
        "alone_s": round(alone_s, 1),
        "beside_s": round(beside_s, 1),
        "ratio": round(beside_s / alone_s, 2),
        "ratio_max": RATIO_MAX,
        "forged": answers,
        "claims": _count(deployment, CLAIMS),
        "questions": _count(deployment, QUESTIONS),
        "questions_about_the_unsubmitted": _count(deployment, ASKED_UNSUBMITTED),
        "tracks_queue": _count(deployment, DEPTH),
    }


async def _live(deployment: Deployment, http: httpx.AsyncClient) -> float:
    """A listener's run from create to ready, in seconds."""
    listener = User(deployment, http)
    await listener.sign_up()
    began = time.monotonic()
    run_id = await listener.create()
    await listener.start(run_id)
    while time.monotonic() - began < READY_S_MAX:
        [run] = await listener.read("parcours_runs", id=f"eq.{run_id}")
        if run["status"] == "ready":
            return time.monotonic() - began
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"the run is {run['status']} after {READY_S_MAX:.0f} s")


async def _attack(
    deployment: Deployment, http: httpx.AsyncClient, runs: int, answers: dict[int, int]
) -> None:
    attacker = User(deployment, http)
    await attacker.sign_up()
    for _ in range(runs):
        await attacker.start(await attacker.create())
    while True:
        with suppress(httpx.HTTPError):
            for segment in await attacker.read("parcours_segments"):
                if segment["callback_token"]:
                    status = await attacker.forge(segment)
                    answers[status] = answers.get(status, 0) + 1
                    await asyncio.sleep(PAUSE_S)
            for run_id in attacker.run_ids:
                await attacker.start(run_id)


def _count(deployment: Deployment, query: str) -> int:
    [row] = deployment.query(query)
    return int(row["count"])
