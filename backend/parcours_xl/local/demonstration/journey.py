"""One whole journey: create, run, follow, sign, fetch; and the doors that must stay closed."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from tinytag import TinyTag

from parcours_xl.local.demonstration.listener import Answer, Listener
from parcours_xl.local.demonstration.report import JourneyReport, TrackReport, seconds_between
from parcours_xl.local.errors import LocalError

LOOK_S = 0.5
JOURNEY_S_MAX = 600

Segments = list[dict[str, Any]]


class JourneyFailed(LocalError):
    """The journey did not come to its end. The message says where it stopped."""


async def live_journey(
    url: str,
    anon_key: str,
    speed: float,
    show: Callable[[Segments], None],
    arrive: Callable[[str, str], Awaitable[Listener]] = Listener.arrive,
) -> JourneyReport:
    """Live one journey as a newly signed-up user. Raises JourneyFailed.

    arrive: makes a visitor, who signs up as the project lets people sign up.
    """
    owner, stranger, nobody = [await arrive(url, anon_key) for _ in range(3)]
    await owner.sign_up()
    await stranger.sign_up()
    created = _expect(
        200,
        await owner.invoke(
            "parcours-xl-create", {"presetKey": "panique-anxiete", "emotionState": "fear-0.8"}
        ),
    )
    run_id = created["runId"]
    # supabase-py does not say 202 from 200; the body says that the run is in hand.
    _expect(200, await owner.invoke("parcours-xl-runner", {"runId": run_id}))
    run, segments = await _follow(owner, run_id, show)
    tracks = [await _fetch(owner, run["created_at"], segment) for segment in segments]
    one = {"segmentId": segments[0]["id"]}
    report = JourneyReport(
        run_id=run_id,
        title=created["title"],
        brief=created["brief"],
        status=run["status"],
        speed=speed,
        first_preview_s=_earliest([track.preview_after_s for track in tracks]),
        first_complete_s=_earliest([track.complete_after_s for track in tracks]),
        ready_s=seconds_between(run["created_at"], run["updated_at"]) or 0.0,
        stranger=(await stranger.invoke("sign-track", one)).status,
        anonymous=(await nobody.invoke("sign-track", one)).status,
        tracks=tracks,
    )
    await owner.leave()
    await stranger.leave()
    return report


async def _follow(
    owner: Listener, run_id: str, show: Callable[[Segments], None]
) -> tuple[dict[str, Any], Segments]:
    try:
        async with asyncio.timeout(JOURNEY_S_MAX):
            while True:
                run, segments = await owner.read_run(run_id), await owner.read_segments(run_id)
                show(segments)
                if run["status"] == "ready":
                    return run, segments
                if run["status"] == "failed":
                    raise JourneyFailed(f"the run failed: {_reasons(segments)}")
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise JourneyFailed(f"the run was not ready within {JOURNEY_S_MAX} s") from None


async def _fetch(owner: Listener, created_at: str, segment: dict[str, Any]) -> TrackReport:
    """Sign one track and fetch it: whole, then its second half."""
    url = _expect(200, await owner.invoke("sign-track", {"segmentId": segment["id"]}))["url"]
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        whole = await http.get(url)
        half = len(whole.content) // 2
        part = await http.get(url, headers={"Range": f"bytes={half}-"})
    if whole.status_code != 200 or part.content != whole.content[half:]:
        raise JourneyFailed(f"track {segment['segment_index']} could not be fetched")
    facts = segment["metadata"]
    return TrackReport(
        index=segment["segment_index"],
        title=facts["title"],
        status=segment["status"],
        planned_s=facts["planned_seconds"],
        preview_after_s=seconds_between(created_at, facts.get("first_received_at")),
        complete_after_s=seconds_between(created_at, facts.get("complete_received_at")),
        path=segment["storage_path"],
        url=url.partition("?")[0],
        bytes=len(whole.content),
        seconds=await asyncio.to_thread(_measure, whole.content),
        range_status=part.status_code,
    )


def _measure(track: bytes) -> float:
    """How long the music lasts, in seconds, by its own frames."""
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(track)
        file.flush()
        return TinyTag.get(file.name).duration or 0.0


def _expect(status: int, answer: Answer) -> dict[str, Any]:
    if answer.status != status:
        raise JourneyFailed(f"the service answered {answer.status}: {answer.body.get('error')}")
    return answer.body


def _earliest(moments: list[float | None]) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _reasons(segments: Segments) -> str:
    failures = (segment["metadata"].get("failure", {}).get("reason") for segment in segments)
    return ", ".join(sorted({reason for reason in failures if reason})) or "no reason given"
