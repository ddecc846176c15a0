"""One whole journey through the public API: create, run, follow, sign, fetch."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parcours_xl.clients.api_client import ApiClient, DeploymentUnavailable, FunctionResponse
from parcours_xl.clients.audio import Audio, NotPlayable
from parcours_xl.errors import PermanentError
from parcours_xl.operations.journey_report import JourneyReport, TrackReport, seconds_between

LOOK_S = 0.5

Segments = list[dict[str, Any]]
Show = Callable[[Segments], None]


class JourneyFailed(PermanentError):
    """The journey did not come to its end. The message says where it stopped.

    run_id: the run it was about, once there was one.
    """

    def __init__(self, message: str, run_id: str | None = None):
        super().__init__(message)
        self.run_id = run_id


async def run_journey(
    client: ApiClient, asked: dict[str, Any], show: Show, seconds_max: float
) -> JourneyReport:
    """Run one journey as a signed-in user.

    asked: the body of create (presetKey, emotionState). seconds_max: how long the run may take to
    be ready. Raises JourneyFailed, and DeploymentUnavailable when nobody answers.
    """
    created = _expect(200, await client.invoke("parcours-xl-create", asked))
    run_id = str(created["runId"])
    try:
        # supabase-py does not say 202 from 200; the body says that the run is in hand.
        _expect(200, await client.invoke("parcours-xl-runner", {"runId": run_id}))
        run, segments = await _follow(client, run_id, show, seconds_max)
        tracks = [await _fetch(client, run["created_at"], segment) for segment in segments]
    except JourneyFailed as failed:
        failed.run_id = run_id
        raise
    return JourneyReport(
        run_id=run_id,
        title=created.get("title"),
        brief=created.get("brief"),
        status=run["status"],
        ready_s=seconds_between(run["created_at"], run["updated_at"]) or 0.0,
        tracks=tracks,
    )


async def _follow(
    client: ApiClient, run_id: str, show: Show, seconds_max: float
) -> tuple[dict[str, Any], Segments]:
    try:
        async with asyncio.timeout(seconds_max):
            while True:
                try:
                    run = await client.read_run(run_id)
                    segments = await client.read_segments(run_id)
                except DeploymentUnavailable:
                    # The run goes on without us.
                    await asyncio.sleep(LOOK_S)
                    continue
                show(segments)
                if run["status"] == "ready":
                    return run, segments
                if run["status"] == "failed":
                    raise JourneyFailed(f"the run failed: {_reasons(segments)}")
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise JourneyFailed(f"the run was not ready within {seconds_max:.0f} s") from None


async def _fetch(client: ApiClient, created_at: str, segment: dict[str, Any]) -> TrackReport:
    """Sign one track and fetch it: whole, then its second half."""
    url = _expect(200, await client.invoke("sign-track", {"segmentId": segment["id"]}))["url"]
    with tempfile.TemporaryDirectory(prefix="parcours-") as folder:
        file = Path(folder) / "track"
        status = await client.fetch(url, file)
        size = file.stat().st_size
        range_status, part = await client.fetch_part(url, size // 2)
        if status != 200 or part != file.read_bytes()[size // 2 :]:
            raise JourneyFailed(f"track {segment['segment_index'] + 1} could not be fetched")
        seconds = await _seconds(file)
    facts = segment["metadata"]
    return TrackReport(
        index=segment["segment_index"],
        title=facts.get("title", ""),
        status=segment["status"],
        planned_s=facts["planned_seconds"],
        preview_after_s=seconds_between(created_at, facts.get("first_received_at")),
        complete_after_s=seconds_between(created_at, facts.get("complete_received_at")),
        path=segment["storage_path"],
        url=url.partition("?")[0],
        bytes=size,
        seconds=seconds,
        range_status=range_status,
    )


async def _seconds(file: Path) -> float:
    """How long a track plays; 0 where it does not."""
    try:
        return (await Audio().measure(file)).seconds
    except NotPlayable:
        return 0.0


def _expect(status: int, answer: FunctionResponse) -> dict[str, Any]:
    if answer.status != status:
        raise JourneyFailed(f"the service answered {answer.status}: {answer.body.get('error')}")
    return answer.body


def _reasons(segments: Segments) -> str:
    failures = (segment["metadata"].get("failure", {}).get("reason") for segment in segments)
    return ", ".join(sorted({reason for reason in failures if reason})) or "no reason given"
