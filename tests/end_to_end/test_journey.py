"""A whole journey, as the two official clients live it."""

import asyncio
import json
from pathlib import Path

from parcours_dev.demo.scenario import demonstrate
from tests.end_to_end.deployment import Deployment, running_workers
from tests.js.modules import run_node

SCRIPT = Path(__file__).parent.parent / "js" / "journey.js"
SCRIPT_S_MAX = 90


def test_supabase_py_completes_a_journey_from_sign_up_to_signed_tracks(
    deployment: Deployment,
) -> None:
    seen: list[list[str]] = []

    def note(segments: list[dict[str, object]]) -> None:
        seen.append([str(segment["status"]) for segment in segments])

    with running_workers(deployment):
        shown = asyncio.run(
            demonstrate(deployment.project.url, deployment.project.anon_key, speed=1, show=note)
        )
    assert shown.faults == []
    journey = shown.journey
    assert journey.first_preview_s is not None
    assert 3 <= len(journey.tracks) <= 4
    order = ["queued", "generating", "first", "complete"]
    for place in range(len(journey.tracks)):
        ranks = [order.index(statuses[place]) for statuses in seen]
        assert ranks == sorted(ranks), "a listener never sees a step back"
    under_way = [sum(s in ("generating", "first") for s in statuses) for statuses in seen]
    assert max(under_way) <= 1, "segments are composed one after the other"


def test_supabase_js_completes_a_journey_from_sign_up_to_signed_tracks(
    deployment: Deployment,
) -> None:
    with running_workers(deployment):
        done = run_node(
            SCRIPT,
            {
                "SUPABASE_URL": deployment.project.url,
                "SUPABASE_ANON_KEY": deployment.project.anon_key,
            },
            timeout_s=SCRIPT_S_MAX,
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["create"]["segmentsCount"] == len(told["segments"])
    assert told["runner"]["ok"] is True
    assert told["run"]["status"] == "ready"
    assert set(told["run"]) >= {"id", "user_id", "preset_key", "brief", "suds_start", "metadata"}
    assert {s["status"] for s in told["segments"]} == {"complete"}
    assert all(track["status"] == 206 for track in told["tracks"])
    assert all(track["type"] == "audio/mpeg" for track in told["tracks"])
    assert told["suds"] == {"suds_start": 8}
    assert told["refusedUpdate"] is not None, "an owner writes nothing but the SUDS"
    assert told["stranger"] == {"status": 403, "rows": 0}
    assert told["anonymous"] == {"status": 401}
