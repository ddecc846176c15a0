"""What Suno says about a task: both callback shapes and record-info become one value.

Sources: docs/specification.md#callback-shapes,
docs/vendors.md#suno-record-info, docs/vendors.md#suno-callbacks.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import pydantic

from parcours_xl.clients.hosts import TrackHosts, Verdict, host_of
from parcours_xl.clients.suno_codes import RefusalKind, Vendor, judge, report_unknown
from parcours_xl.logging import hide_tokens

ID_CHARS_MAX = 200
STAGE_CHARS_MAX = 40
MESSAGE_CHARS_MAX = 500
MESSAGE_READ_CHARS_MAX = 2_000
"""Of a message, so much is searched for tokens: what is cut off needs no hiding."""
DURATION_S_MAX = 7200
TRACKS_MAX = 8

UNEXPLAINED = "Suno reported an error"

Source = Literal["callback", "record_info"]

_CONTENT_STATUSES = {"SENSITIVE_WORD_ERROR"}
_FAILED = ("FAILED", "ERROR")
"""Every status of a failed task ends so: CREATE_TASK_FAILED, GENERATE_AUDIO_FAILED, …"""
_STAGES_OF_STATUS = {
    "": "pending",
    "PENDING": "pending",
    "TEXT_SUCCESS": "pending",
    "FIRST_SUCCESS": "first",
    "SUCCESS": "complete",
}
# Twins of one field, the one that the present documentation names first; `source_` is deprecated.
_TASK_ID = ("task_id", "taskId")
_STAGE = ("callbackType", "callback_type")
_TRACKS = ("sunoData", "data", "suno_data")
_STREAM = ("stream_audio_url", "streamAudioUrl", "source_stream_audio_url", "sourceStreamAudioUrl")
_FILE = ("audio_url", "audioUrl", "source_audio_url", "sourceAudioUrl")
_ERROR_CODE = ("errorCode", "error_code")
_ERROR_MESSAGE = ("errorMessage", "error_message")


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
    """Why a task failed; again: whether another attempt could fare better.

    kind 'content': only with other words.
    """

    code: int | None
    message: str
    again: bool
    kind: RefusalKind = "later"


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
    """The documented shape."""

    stage: str = pydantic.Field(max_length=STAGE_CHARS_MAX)
    streamUrl: str | None = None  # noqa: N815
    downloadUrl: str | None = None  # noqa: N815
    duration: float | None = None
    error: Any = None


def reports_error(body: dict[str, Any]) -> bool:
    """Whether a callback, in either shape, brings a message about what went wrong."""
    if "stage" in body:
        return bool(body["stage"] == "error")
    data = _mapping(body.get("data"))
    return _is_error(_first_of(data, _STAGE), read_whole(body.get("code")))


def _is_error(stage: Any, code: int | None) -> bool:
    return stage == "error" or (code is not None and code != 200)


def parse_callback(
    body: dict[str, Any], hosts: TrackHosts, vendor: Vendor = "sunoapi"
) -> SunoEvent:
    """Either shape as one event. ValidationError when the documented one is broken."""
    if "stage" in body:
        return _screen(_read_documented(_Documented.model_validate(body)), hosts)
    return _screen(_read_vendor(body, vendor), hosts)


def parse_record(
    task_id: str, data: dict[str, Any], hosts: TrackHosts, vendor: Vendor = "sunoapi"
) -> SunoEvent:
    """The `data` of a record-info answer as the event that a callback would have been."""
    status = clean_text(data.get("status"), STAGE_CHARS_MAX).upper()
    tracks = _read_tracks(_first_of(_mapping(data.get("response")), _TRACKS))
    error = None
    if status.endswith(_FAILED):
        stage = "error"
        code = read_whole(_first_of(data, _ERROR_CODE))
        message = clean_message(_first_of(data, _ERROR_MESSAGE), MESSAGE_CHARS_MAX) or status
        kind = "content" if status in _CONTENT_STATUSES else judge(code, message, vendor)
        error = _error(code, message, kind)
    elif status == "CALLBACK_EXCEPTION":  # only their delivery failed: the music may be there
        stage = _furthest(tracks)
    else:
        if status not in _STAGES_OF_STATUS:
            report_unknown("status", status, vendor)
        stage = _STAGES_OF_STATUS.get(status, "pending")
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


def _read_vendor(body: dict[str, Any], vendor: Vendor) -> SunoEvent:
    data = _mapping(body.get("data"))
    code = read_whole(body.get("code"))
    stage = clean_text(_first_of(data, _STAGE), STAGE_CHARS_MAX)
    error = None
    if _is_error(stage, code):
        stage = "error"
        said = (
            clean_message(text, MESSAGE_CHARS_MAX) for text in (body.get("msg"), data.get("error"))
        )
        message = next(filter(None, said), UNEXPLAINED)
        error = _error(code, message, judge(None if code == 200 else code, message, vendor))
    return SunoEvent(
        stage,
        "callback",
        task_id=read_identifier(_first_of(data, _TASK_ID)),
        tracks=_read_tracks(_first_of(data, _TRACKS)),
        error=error,
    )


def _error(code: int | None, message: str, kind: RefusalKind) -> SunoError:
    return SunoError(code, message, again=kind in ("later", "content"), kind=kind)


def _read_tracks(items: Any) -> tuple[SunoTrack, ...]:
    if not isinstance(items, list):
        return ()
    return tuple(_read_track(item) for item in items[:TRACKS_MAX] if isinstance(item, dict))


def _read_track(item: dict[str, Any]) -> SunoTrack:
    return SunoTrack(
        id=read_identifier(item.get("id")),
        stream_url=_address(_first_of(item, _STREAM)),
        download_url=_address(_first_of(item, _FILE)),
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


def _first_of(mapping: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of a field's twins that says anything."""
    return next((mapping[name] for name in names if mapping.get(name)), None)


def read_whole(value: Any) -> int | None:
    """A whole number, also where it is written as a text."""
    if isinstance(value, bool):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _duration(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= DURATION_S_MAX else None
