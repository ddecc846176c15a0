"""What Suno says about a task: both callback shapes and record-info become one value.

Sources: runbook "Callbacks Suno (async)"; facts A4 (record-info), A7 (callbacks).
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import pydantic

from parcours_xl.adapters.hosts import TrackHosts, Verdict, host_of
from parcours_xl.tokens import hide_tokens

ID_CHARS_MAX = 200
STAGE_CHARS_MAX = 40
MESSAGE_CHARS_MAX = 500
MESSAGE_READ_CHARS_MAX = 2_000
"""Of a message, so much is searched for tokens: what is cut off needs no hiding."""
DURATION_S_MAX = 7200
TRACKS_MAX = 8

UNEXPLAINED = "Suno reported an error"

Source = Literal["callback", "record_info"]

# Suno will say the same again: the content, the request, the key.
_FINAL_CODES = {400, 401, 402, 404, 413, 422}
_FINAL_STATUSES = {"SENSITIVE_WORD_ERROR"}
_STAGES_OF_STATUS = {
    "FIRST_SUCCESS": "first",
    "SUCCESS": "complete",
    "CREATE_TASK_FAILED": "error",
    "GENERATE_AUDIO_FAILED": "error",
    "SENSITIVE_WORD_ERROR": "error",
}


@dataclass(frozen=True, slots=True)
class SunoTrack:
    """One of a task's two tracks, as far as it is known.

    trusted: whether the download host is taken at its word. refused_host: whose download address
    was dropped.
    """

    id: str | None = None
    stream_url: str | None = None
    download_url: str | None = None
    trusted: bool = False
    refused_host: str | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SunoError:
    """Why a task failed; again: whether another attempt could fare better."""

    code: int | None
    message: str
    again: bool


@dataclass(frozen=True, slots=True)
class SunoEvent:
    """The one value that `record_callback` takes, whoever brought it.

    stage: 'first', 'complete', 'error', 'pending' (asked, nothing new), or Suno's own word.
    """

    stage: str
    source: Source
    task_id: str | None = None
    tracks: tuple[SunoTrack, ...] = ()
    error: SunoError | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"tracks": [asdict(track) for track in self.tracks]}


class _Documented(pydantic.BaseModel):
    """The runbook's own shape."""

    stage: str = pydantic.Field(max_length=STAGE_CHARS_MAX)
    streamUrl: str | None = None  # noqa: N815
    downloadUrl: str | None = None  # noqa: N815
    duration: float | None = None
    error: Any = None


def reports_error(body: dict[str, Any]) -> bool:
    """Whether a callback, in either shape, brings a message about what went wrong."""
    if "stage" in body:
        return bool(body["stage"] == "error")
    return _is_error(_mapping(body.get("data")).get("callbackType"), _whole(body.get("code")))


def _is_error(stage: Any, code: int | None) -> bool:
    return stage == "error" or (code is not None and code != 200)


def parse_callback(body: dict[str, Any], hosts: TrackHosts) -> SunoEvent:
    """Either documented shape as one event. ValidationError when the runbook's shape is broken."""
    if "stage" in body:
        return _screen(_read_documented(_Documented.model_validate(body)), hosts)
    return _screen(_read_vendor(body), hosts)


def parse_record(task_id: str, data: dict[str, Any], hosts: TrackHosts) -> SunoEvent:
    """The `data` of a record-info answer as the event that a callback would have been."""
    status = clean_text(data.get("status"), STAGE_CHARS_MAX)
    answer = _mapping(data.get("response"))
    tracks = _read_tracks(answer.get("sunoData") or answer.get("data"))
    stage = _STAGES_OF_STATUS.get(status, "pending")
    if status == "CALLBACK_EXCEPTION":  # only their delivery failed: the music may be there
        stage = _furthest(tracks)
    error = None
    if stage == "error":
        error = SunoError(
            code=_whole(data.get("errorCode")),
            message=clean_message(data.get("errorMessage"), MESSAGE_CHARS_MAX) or status,
            again=status not in _FINAL_STATUSES,
        )
    return _screen(SunoEvent(stage, "record_info", task_id, tracks, error), hosts)


def clean_text(value: Any, characters_max: int) -> str:
    """A text that PostgreSQL can keep, cut to size; empty for anything else."""
    if not isinstance(value, str):
        return ""
    return value[:characters_max].encode(errors="replace").decode().replace("\0", "")


def clean_message(value: Any, characters_max: int) -> str:
    """The same of what went wrong: others may repeat the callback's address, token and all."""
    text = clean_text(value, MESSAGE_READ_CHARS_MAX)
    return clean_text(hide_tokens(text), characters_max)


def read_identifier(value: Any) -> str | None:
    """The name of a task or a track, where it is one."""
    return value if value and value == clean_text(value, ID_CHARS_MAX) else None


def _read_documented(body: _Documented) -> SunoEvent:
    track = SunoTrack(
        stream_url=body.streamUrl or None,
        download_url=body.downloadUrl or None,
        duration_seconds=_duration(body.duration),
    )
    error = None
    if body.stage == "error":
        message = clean_message(body.error, MESSAGE_CHARS_MAX) or UNEXPLAINED
        error = SunoError(code=None, message=message, again=True)
    stage = clean_text(body.stage, STAGE_CHARS_MAX)
    return SunoEvent(stage, "callback", tracks=(track,), error=error)


def _read_vendor(body: dict[str, Any]) -> SunoEvent:
    data = _mapping(body.get("data"))
    code = _whole(body.get("code"))
    stage = clean_text(data.get("callbackType"), STAGE_CHARS_MAX)
    error = None
    if _is_error(stage, code):
        stage = "error"
        said = (
            clean_message(text, MESSAGE_CHARS_MAX) for text in (body.get("msg"), data.get("error"))
        )
        message = next(filter(None, said), UNEXPLAINED)
        error = SunoError(code, message, again=code not in _FINAL_CODES)
    return SunoEvent(
        stage,
        "callback",
        task_id=read_identifier(data.get("task_id") or data.get("taskId")),
        tracks=_read_tracks(data.get("data")),
        error=error,
    )


def _read_tracks(items: Any) -> tuple[SunoTrack, ...]:
    if not isinstance(items, list):
        return ()
    return tuple(_read_track(item) for item in items[:TRACKS_MAX] if isinstance(item, dict))


def _read_track(item: dict[str, Any]) -> SunoTrack:
    return SunoTrack(
        id=read_identifier(item.get("id")),
        stream_url=_address(item.get("stream_audio_url") or item.get("streamAudioUrl")),
        download_url=_address(item.get("audio_url") or item.get("audioUrl")),
        duration_seconds=_duration(item.get("duration")),
    )


def _screen(event: SunoEvent, hosts: TrackHosts) -> SunoEvent:
    return replace(event, tracks=tuple(_screen_track(track, hosts) for track in event.tracks))


def _screen_track(track: SunoTrack, hosts: TrackHosts) -> SunoTrack:
    """A refused address goes no further than this line."""
    if track.stream_url and not hosts.allows_preview(track.stream_url):
        track = replace(track, stream_url=None)
    if not track.download_url:
        return track
    verdict = hosts.judge(track.download_url)
    if verdict is Verdict.REFUSED:
        return replace(track, download_url=None, refused_host=host_of(track.download_url))
    return replace(track, trusted=verdict is Verdict.TRUSTED)


def _furthest(tracks: tuple[SunoTrack, ...]) -> str:
    if any(track.download_url for track in tracks):
        return "complete"
    return "first" if any(track.stream_url for track in tracks) else "pending"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _address(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _duration(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= DURATION_S_MAX else None
