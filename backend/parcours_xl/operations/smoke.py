"""The smoke test of a deployment: one real journey (docs/specification.md#smoke-test).

A client of the public API creates a run, starts it, follows it, signs its tracks and fetches them.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from parcours_xl.clients.api_client import ApiClient, DeploymentUnavailable, FunctionResponse
from parcours_xl.clients.audio import Audio, NotPlayable
from parcours_xl.clients.users import Users
from parcours_xl.errors import PermanentError
from parcours_xl.settings import Settings, Targets


@dataclass(frozen=True)
class TrackReport:
    """One segment's track, as its owner fetched it. Times in seconds; url without its token."""

    index: int
    title: str
    status: str
    planned_s: int
    preview_after_s: float | None
    complete_after_s: float | None
    path: str | None
    url: str
    bytes: int
    seconds: float
    range_status: int

    @property
    def is_whole(self) -> bool:
        return self.status == "complete" and self.bytes > 0 and self.range_status == 206


@dataclass(frozen=True)
class JourneyReport:
    """A journey from the tap to the last signed track. Times in seconds.

    All from the moment at which create was asked: the listener waits for the brief as well.
    """

    run_id: str
    title: str | None
    brief: str | None
    status: str
    ready_s: float
    tracks: list[TrackReport] = field(default_factory=list)

    @property
    def first_preview_s(self) -> float | None:
        return _earliest([track.preview_after_s for track in self.tracks])

    @property
    def first_complete_s(self) -> float | None:
        return _earliest([track.complete_after_s for track in self.tracks])

    @property
    def planned_s(self) -> int:
        return sum(track.planned_s for track in self.tracks)

    @property
    def expectations(self) -> dict[str, bool]:
        """What must be so of every journey, and whether it is."""
        return {
            "the run is ready": self.status == "ready",
            "every track was fetched whole, and in part (206)": bool(self.tracks)
            and all(track.is_whole for track in self.tracks),
        }

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "first_preview_s": self.first_preview_s,
            "first_complete_s": self.first_complete_s,
            "planned_s": self.planned_s,
        }


def seconds_between(start: str, end: str | None) -> float | None:
    """Seconds from one timestamp of the database to another; None when there is no end."""
    if end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _asked_at(run: dict[str, Any]) -> str:
    """When create was asked for the run."""
    waited = timedelta(seconds=float(run["metadata"].get("waited_s", 0)))
    return (datetime.fromisoformat(run["created_at"]) - waited).isoformat()


def _earliest(moments: list[float | None]) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)


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
        asked_at = _asked_at(run)
        tracks = [await _fetch(client, asked_at, segment) for segment in segments]
    except JourneyFailed as failed:
        failed.run_id = run_id
        raise
    return JourneyReport(
        run_id=run_id,
        title=created.get("title"),
        brief=created.get("brief"),
        status=run["status"],
        ready_s=seconds_between(asked_at, run["updated_at"]) or 0.0,
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


async def _fetch(client: ApiClient, asked_at: str, segment: dict[str, Any]) -> TrackReport:
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
        preview_after_s=seconds_between(asked_at, facts.get("first_received_at")),
        complete_after_s=seconds_between(asked_at, facts.get("complete_received_at")),
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

    @property
    def verdict(self) -> Literal["pass", "slow", "fail"]:
        """slow: it passed, and a target was missed."""
        if self.failures:
            return "fail"
        return "slow" if self.slow else "pass"

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "passed": self.passed,
            "run_id": self.run_id,
            "failures": self.failures,
            "slow": self.slow,
            "journey": self.journey.as_json() if self.journey else None,
        }


async def try_deployment(
    users: Users,
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
    async with _signed_in(users, settings, visitor) as signed_in:
        try:
            asked = {"presetKey": preset_key}
            journey = await run_journey(signed_in.client, asked, show, seconds_max)
        except JourneyFailed as failed:
            signed_in.keep = True
            return Verdict(failed.run_id, None, [failed.message], [])
        failures = [f"not so: {what}" for what, so in journey.expectations.items() if not so]
        signed_in.keep = bool(failures)
        return Verdict(journey.run_id, journey, failures, find_slow(journey, settings))


@dataclass
class _SignedIn:
    client: ApiClient
    keep: bool = False


@asynccontextmanager
async def _signed_in(
    users: Users, settings: Settings, visitor: Visitor
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
            made, email, password = await users.create_account()
            await client.sign_in(email, password)
        signed_in = _SignedIn(client)
        yield signed_in
        if made is not None and not signed_in.keep:
            await users.delete_account(made)
    finally:
        await client.close()


def find_slow(journey: JourneyReport, targets: Targets) -> list[str]:
    """The targets that a journey has missed, in words."""
    measured = {
        "first preview": (journey.first_preview_s, targets.ttfp_target_s),
        "first complete track": (journey.first_complete_s, targets.ttfc_target_s),
        "run ready": (journey.ready_s, targets.ready_target_s),
    }
    return [
        f"no {name}, target {target:.0f} s"
        if seconds is None
        else f"{name} after {seconds:.0f} s, target {target:.0f} s"
        for name, (seconds, target) in measured.items()
        if seconds is None or seconds > target
    ]
