"""A run on its way, moved by the functions themselves."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from parcours_xl.clients.suno_events import SunoError, SunoEvent, SunoTrack
from tests.sql.callers import OWNER, Row
from tests.sql.world import LIMITS, QUOTAS, World

STREAM = "https://audiostream.api.box/stream/{}.mp3"
DOWNLOAD = "https://tempfile.aiquickdraw.com/r/{}.mp3"


@dataclass(frozen=True)
class Attempt:
    """One attempt of one segment, as whoever submitted it knows it."""

    segment_id: UUID
    token: UUID
    task_id: str
    slot: int

    @property
    def names(self) -> dict[str, Any]:
        """The arguments with which functions are told which attempt is meant."""
        return {"segment_id": self.segment_id, "token": self.token}


class Journey:
    """A run and its segments. Segments go by their index, from 0."""

    def __init__(self, world: World, run_id: UUID, limits: dict[str, Any]) -> None:
        self.world = world
        self.id = run_id
        self.limits = limits
        self._ids: list[UUID] = [
            row["id"]
            for row in world.postgres.rows(
                "select id from public.parcours_segments where run_id = %s order by segment_index",
                run_id,
            )
        ]

    # What is known of it

    @property
    def run(self) -> Row:
        return self.world.postgres.row("select * from public.parcours_runs where id = %s", self.id)

    @property
    def status(self) -> str:
        return str(self.run["status"])

    @property
    def segments(self) -> list[Row]:
        return [self.segment(index) for index in range(len(self._ids))]

    def segment(self, index: int = 0) -> Row:
        return self.world.postgres.row(
            "select * from public.parcours_segments where id = %s", self._ids[index]
        )

    def segment_id(self, index: int = 0) -> UUID:
        return self._ids[index]

    def metadata(self, index: int = 0) -> dict[str, Any]:
        return dict(self.segment(index)["metadata"])

    def events(self, what: str = "%") -> list[Row]:
        return self.world.postgres.rows(
            "select what, segment_id, detail from public.parcours_events"
            " where run_id = %s and what like %s order by id",
            self.id,
            what,
        )

    @property
    def messages(self) -> list[Row]:
        """Its messages in the generation queue; `in_s`: seconds until each is visible."""
        return self.world.postgres.rows(
            "select msg_id, read_ct, extract(epoch from vt - clock_timestamp())::float as in_s"
            "  from pgmq.q_parcours_generation where message->>'run_id' = %s",
            str(self.id),
        )

    @property
    def jobs(self) -> list[Row]:
        """What the tracks queue holds for it."""
        return [
            row["message"]
            for row in self.world.postgres.rows(
                "select message from pgmq.q_parcours_tracks where message->>'run_id' = %s"
                " order by msg_id",
                str(self.id),
            )
        ]

    @property
    def step(self) -> Row:
        """What its next step would be; `in_s`: seconds until it is due."""
        return self.world.postgres.row(
            "select action, segment_id,"
            "       extract(epoch from due_at - clock_timestamp())::float as in_s"
            "  from parcours.next_step(%s)",
            self.id,
        )

    # What happens to it

    def start(self) -> Row:
        return dict(self.world.service.call("start_run", run_id=self.id, limits=self.limits))

    def claim(self, index: int = 0) -> Row:
        return dict(
            self.world.service.call(
                "claim_segment", limits=self.limits, segment_id=self._ids[index]
            )
        )

    def claimed(self, index: int = 0) -> Attempt:
        """An attempt whose request to Suno is under way."""
        claim = self.claim(index)
        assert claim["outcome"] == "claimed", claim
        token = UUID(claim["callback_token"])
        return Attempt(self._ids[index], token, f"task-{uuid4()}", claim["slot"])

    def submitted(self, index: int = 0) -> Attempt:
        """An attempt which Suno has taken."""
        attempt = self.claimed(index)
        self.world.service.call("answer_suno_request", slot=attempt.slot)
        assert self.record_task(attempt) == "ok"
        return attempt

    def record_task(self, attempt: Attempt) -> str:
        return str(self.world.service.call("record_task", **attempt.names, task_id=attempt.task_id))

    def tell(self, attempt: Attempt, event: SunoEvent) -> str:
        """The outcome of one callback: 'ok' or 'skipped'."""
        answer = self.world.service.call("record_callback", **attempt.names, event=event.as_json())
        return str(answer["outcome"])

    def refuse(self, attempt: Attempt, kind: str, code: int | None = None) -> str:
        return str(
            self.world.service.call(
                "record_refusal",
                **attempt.names,
                kind=kind,
                limits=self.limits,
                code=code,
                message="no" if code else None,
            )
        )

    def fail(self, attempt: Attempt, reason: str, *, again: bool = False) -> str:
        return str(
            self.world.service.call("fail_segment", **attempt.names, reason=reason, again=again)
        )

    def keep(self, attempt: Attempt) -> str:
        """The track is stored."""
        return str(
            self.world.service.call(
                "record_track", **attempt.names, storage_path=self.path(attempt.segment_id)
            )
        )

    def retry(self, index: int = 0, attempt: Attempt | None = None) -> str:
        token = {"token": attempt.token} if attempt else {}
        return str(
            self.world.service.call(
                "retry_segment", segment_id=self._ids[index], limits=self.limits, **token
            )
        )

    def release(self) -> bool:
        return bool(self.world.service.call("release_run", run_id=self.id))

    def path(self, segment_id: UUID) -> str:
        return f"runs/{self.id}/{segment_id}.mp3"

    # How it comes into a state

    def first(self, index: int = 0) -> Attempt:
        attempt = self.submitted(index)
        assert self.tell(attempt, first(attempt)) == "ok"
        return attempt

    def storing(self, index: int = 0) -> Attempt:
        attempt = self.submitted(index)
        assert self.tell(attempt, complete(attempt)) == "ok"
        return attempt

    def complete(self, index: int = 0) -> Attempt:
        attempt = self.storing(index)
        assert self.keep(attempt) == "completed"
        return attempt

    def failed(self, index: int = 0, reason: str = "suno_refused") -> Attempt:
        attempt = self.submitted(index)
        assert self.fail(attempt, reason) == "failed"
        return attempt


def create_journey(
    world: World, segments: int = 3, limits: dict[str, Any] | None = None
) -> Journey:
    """A new run of OWNER's."""
    asked = creation(segments=plans(segments), runs_daily_user=1_000_000)
    answer = world.service.call("create_run", **asked)
    return Journey(world, UUID(answer["run_id"]), LIMITS | (limits or {}))


def creation(**others: Any) -> dict[str, Any]:
    """The arguments of create_run; limits of QUOTAS go by their names."""
    quotas = QUOTAS | {name: others.pop(name) for name in QUOTAS if name in others}
    return {
        "user_id": OWNER,
        "preset_key": "00-universel-reset",
        "brief": "Un souffle, puis le calme.",
        "metadata": {
            "title": "Retour au calme",
            "brief": {"fr": "Un souffle, puis le calme.", "en": "A breath, then calm."},
            "brief_source": "curated",
        },
        "segments": plans(3),
        "quotas": quotas,
    } | others


def plans(quantity: int) -> list[dict[str, Any]]:
    """What is asked for, segment by segment; 18 minutes when there are three."""
    return [
        {"prompt": f"warm piano, {place}", "title": f"Part {place}", "planned_seconds": 360}
        for place in range(quantity)
    ]


# What Suno says


def track(name: str | None = "A", **others: Any) -> SunoTrack:
    """One of a task's two tracks, whole."""
    facts: dict[str, Any] = {
        "id": name,
        "stream_url": STREAM.format(name),
        "download_url": DOWNLOAD.format(name),
        "trusted": True,
        "duration_seconds": 198.44,
    }
    return SunoTrack(**(facts | others))


def first(attempt: Attempt, *tracks: SunoTrack, **others: Any) -> SunoEvent:
    """`first`: a stream, and a second track that is still empty."""
    heard = tracks or (track(download_url=None, trusted=False), SunoTrack(id="B"))
    return _event("first", attempt, heard, others)


def complete(attempt: Attempt, *tracks: SunoTrack, **others: Any) -> SunoEvent:
    """`complete`: both tracks, whole."""
    return _event("complete", attempt, tracks or (track("A"), track("B")), others)


def error(attempt: Attempt, *, again: bool = True, **others: Any) -> SunoEvent:
    """A task that failed, by Suno's own record of it."""
    reason = {"error": SunoError(501, "generation failed", again), "source": "record_info"}
    return _event("error", attempt, (), reason | others)


def reported_error(attempt: Attempt, **others: Any) -> SunoEvent:
    """The same in a callback, which anybody who can read the token may have written."""
    return error(attempt, source="callback", **others)


def other(stage: str, attempt: Attempt, **others: Any) -> SunoEvent:
    """Any other stage: 'text', 'pending' (asked, nothing new), or a word of Suno's own."""
    return _event(stage, attempt, (), others)


def _event(
    stage: str, attempt: Attempt, tracks: tuple[SunoTrack, ...], others: dict[str, Any]
) -> SunoEvent:
    facts = {"source": "callback", "task_id": attempt.task_id, "tracks": tracks}
    return SunoEvent(stage, **(facts | others))
