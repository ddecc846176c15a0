"""One submission and its two tracks, and how sunoapi.org writes about them.

See docs/vendors.md#suno-record-info and docs/vendors.md#suno-callbacks.
"""

import json
import secrets
import time
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from parcours_dev.simulators.settings import SunoSettings
from parcours_dev.simulators.signals import Signal, tone_hz
from parcours_dev.simulators.submissions import asked_seconds

TASKS_KEPT, DELIVERIES_KEPT = 2_000, 200


class Stage(IntEnum):
    """How far a task has come; the names are those of the callbacks."""

    PENDING = 0
    TEXT = 1
    FIRST = 2
    COMPLETE = 3


STATUSES = {
    Stage.PENDING: "PENDING",
    Stage.TEXT: "TEXT_SUCCESS",
    Stage.FIRST: "FIRST_SUCCESS",
    Stage.COMPLETE: "SUCCESS",
}
MESSAGES = {
    Stage.TEXT: "Text generated successfully.",
    Stage.FIRST: "First track generated successfully.",
    Stage.COMPLETE: "All generated successfully.",
}
assert set(STATUSES) == set(Stage), "every stage has its status"

UNEVEN_TASKS = 4
JITTER_S = 0.6
"""A real track comes out a little shorter than asked."""


@dataclass(frozen=True)
class Track:
    """One of a task's two songs."""

    id: str
    place: int
    order: int
    """Counts all tracks since the start: neighbours get unlike measuring tones."""
    seconds: float
    level: float = 1.0
    """1 is as loud as the recording is made."""


@dataclass(frozen=True)
class Failure:
    """Why a task failed."""

    code: int
    message: str


@dataclass
class Task:
    """A submission on its way. stages_s: after its acceptance text, first and complete are due."""

    id: str
    payload: dict[str, Any]
    origin: str
    stream_origin: str
    tracks: tuple[Track, Track]
    stages_s: tuple[float, float, float]
    signal: Signal = "music"
    accepted_at: float = field(default_factory=time.monotonic)
    created_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    stage: Stage = Stage.PENDING
    failure: Failure | None = None
    callback_failed: bool = False
    requests: Counter[str] = field(default_factory=Counter)
    deliveries: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=DELIVERIES_KEPT))

    @property
    def callback_url(self) -> str:
        return str(self.payload["callBackUrl"])

    @property
    def facts(self) -> dict[str, str]:
        """What faults can match on: the task and the segment its callback URL names."""
        return {"task": self.id, "segment": name_segment(self.callback_url)}

    @property
    def status(self) -> str:
        """As record-info names it."""
        if self.failure:
            refused = self.failure.code == 400
            return "SENSITIVE_WORD_ERROR" if refused else "GENERATE_AUDIO_FAILED"
        return "CALLBACK_EXCEPTION" if self.callback_failed else STATUSES[self.stage]

    def is_ready(self, track: Track, *, file: bool) -> bool:
        """Streams run from first; files are whole at complete, the first one's already at first."""
        early = Stage.FIRST if not file or track.place == 0 else Stage.COMPLETE
        return not self.failure and self.stage >= early

    def items(self, stage: Stage) -> list[dict[str, Any]]:
        """The songs in a callback's snake_case; at first the second has no file and no length."""
        if stage < Stage.FIRST:
            return []
        return [self._item(track, stage) for track in self.tracks]

    def _item(self, track: Track, stage: Stage) -> dict[str, Any]:
        whole = stage is Stage.COMPLETE or track.place == 0
        file = f"{self.origin}/files/{track.id}.mp3" if whole else ""
        stream = f"{self.stream_origin}/streams/{track.id}"
        image = f"{self.origin}/images/{track.id}.svg"
        item = {
            "id": track.id,
            "audio_url": file,
            "source_audio_url": file,
            "stream_audio_url": stream,
            "source_stream_audio_url": stream,
            "image_url": image,
            "source_image_url": image,
            "prompt": self.payload.get("prompt") or "[Instrumental]",
            "model_name": "chirp-" + self.payload["model"].lower().replace("_", "-"),
            "title": self.payload.get("title") or "Untitled",
            "tags": self.payload.get("style") or "",
            "createTime": self.created_ms,
        }
        return item | ({"duration": track.seconds} if whole else {})

    def record(self, status: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        """The data of record-info."""
        return {
            "taskId": self.id,
            "parentMusicId": "",
            "param": json.dumps(self.payload),
            "response": {"taskId": self.id, "sunoData": items} if items else None,
            "status": status,
            "type": "GENERATE",
            "operationType": "generate",
            "errorCode": self.failure.code if self.failure else None,
            "errorMessage": self.failure.message if self.failure else None,
        }

    def describe(self) -> dict[str, Any]:
        """As the control endpoint shows it."""
        return self.facts | {
            "status": self.status,
            "payload": self.payload,
            "createTime": self.created_ms,
            "tracks": [
                {
                    "id": track.id,
                    "seconds": track.seconds,
                    "tone_hz": tone_hz(track.order),
                    "stream_tone_hz": tone_hz(track.order, "stream"),
                }
                for track in self.tracks
            ],
            "requests": dict(self.requests),
            "callbacks": list(self.deliveries),
        }


class Tasks:
    """The last submissions; older ones are forgotten as Suno forgets them after 14 days."""

    def __init__(self, settings: SunoSettings) -> None:
        self._settings = settings
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._tracks: dict[str, tuple[Task, Track]] = {}
        self._accepted = 0

    def accept(self, payload: dict[str, Any], origin: str, stream_origin: str) -> Task:
        """A new task for a valid submission; stands at PENDING."""
        settings = self._settings
        seed = f"{settings.seed}/{self._accepted}" if settings.seed else secrets.token_hex(16)
        chance = Random(seed)  # noqa: S311 - lengths and ids of music, not secrets
        longest = settings.track_seconds or asked_seconds(payload)
        quieter_db = settings.uneven_db * (self._accepted % UNEVEN_TASKS)
        first, second = (
            Track(
                id=str(UUID(int=chance.getrandbits(128), version=4)),
                place=place,
                order=2 * self._accepted + place,
                seconds=settings.track_seconds or round(longest - chance.uniform(0, JITTER_S), 2),
                level=10 ** (-quieter_db / 20),
            )
            for place in (0, 1)
        )
        task_id = sha256(f"task/{seed}".encode()).hexdigest()[:32]
        tracks, stages_s = (first, second), settings.stages_s
        task = Task(task_id, payload, origin, stream_origin, tracks, stages_s, settings.signal)
        self._accepted += 1
        self._tasks[task.id] = task
        self._tracks |= {track.id: (task, track) for track in task.tracks}
        if len(self._tasks) > TASKS_KEPT:
            _, forgotten = self._tasks.popitem(last=False)
            for track in forgotten.tracks:
                del self._tracks[track.id]
        return task

    def find(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def find_track(self, track_id: str) -> tuple[Task, Track] | None:
        return self._tracks.get(track_id)

    def describe(self) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        return [task.describe() for task in self._tasks.values()]


def name_segment(callback_url: str) -> str:
    """The segment of a callback URL, else empty (docs/specification.md#callback-token)."""
    return parse_qs(urlsplit(callback_url).query).get("segment", [""])[0]


def to_camel_case(item: dict[str, Any]) -> dict[str, Any]:
    """A song as record-info writes it: audio_url becomes audioUrl."""
    return {_camel(name): value for name, value in item.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
