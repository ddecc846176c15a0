"""How much memory the service takes while it stores many large tracks at once."""

import time
from typing import Any

from benchmarks.dataset import Dataset
from benchmarks.deployment import Deployment, peak_bytes

TRACKS, TRACK_BYTES = 16, 40_000_000
STORED_S_MAX = 240
LOOK_S = 0.2

# As a callback leaves it: delivered, and a job to store it.
DELIVER = """
select public.record_callback(segment.id, segment.callback_token, jsonb_build_object(
         'stage', 'complete', 'source', 'callback', 'task_id', segment.suno_task_id,
         'tracks', jsonb_build_array(
           jsonb_build_object('download_url', %s::text, 'trusted', true))))
  from public.parcours_segments as segment where segment.id = any(%s)
"""


def measure_memory(
    deployment: Deployment, dataset: Dataset, tracks: int = TRACKS, track_bytes: int = TRACK_BYTES
) -> dict[str, Any]:
    """The peak of the service's process, before and after. AssertionError when one is not stored.

    The service must take so many transfers at once (TRANSFERS_MAX).
    """
    before = peak_bytes(deployment.service_pid)
    started_at = time.monotonic()
    segments = [attempt.segment_id for attempt in dataset.attempts(tracks)]
    url = f"http://127.0.0.1:{deployment.tracks_port}/{track_bytes}.wav"
    deployment.query(DELIVER, url, segments)
    while _stored(deployment, segments) < tracks:
        assert time.monotonic() < started_at + STORED_S_MAX, "every track is stored in time"
        time.sleep(LOOK_S)
    return {
        "tracks": tracks,
        "track_mb": track_bytes / 1e6,
        "seconds": round(time.monotonic() - started_at, 1),
        "idle_mb": round(before / 1e6, 1),
        "peak_mb": round(peak_bytes(deployment.service_pid) / 1e6, 1),
    }


def _stored(deployment: Deployment, segments: list[Any]) -> int:
    [row] = deployment.query(
        "select count(storage_path) as stored from public.parcours_segments"
        " where status = 'complete' and id = any(%s)",
        segments,
    )
    return int(row["stored"])
