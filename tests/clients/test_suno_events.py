"""Both callback shapes and record-info become one value, whatever is null or odd in them."""

import json
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours_xl.clients.hosts import TrackHosts
from parcours_xl.clients.suno_codes import RefusalKind
from parcours_xl.clients.suno_events import (
    SunoError,
    SunoEvent,
    SunoTrack,
    parse_callback,
    parse_record,
)

HOSTS = TrackHosts(("suno.ai", "suno.com"))
STREAM = "https://audiopipe.suno.ai/?item_id=1"
FILE = "https://cdn1.suno.ai/1.mp3"
ELSEWHERE = "https://cdn.example.com/1.mp3"


def vendor(stage: object, *items: object, **data: object) -> dict[str, Any]:
    """A callback of sunoapi.org's own shape."""
    inner = {"callbackType": stage, "task_id": "task-1", "data": list(items)} | data
    return {"code": 200, "msg": "All generated successfully.", "data": inner}


# The documented shape (docs/specification.md#callback-shapes).


def test_the_runbooks_first_names_a_stream() -> None:
    body = {"stage": "first", "streamUrl": "https://suno.com/preview.mp3"}
    assert parse_callback(body, HOSTS) == SunoEvent(
        "first", "callback", tracks=(SunoTrack(stream_url="https://suno.com/preview.mp3"),)
    )


def test_the_runbooks_complete_names_a_file_and_its_duration() -> None:
    body = {"stage": "complete", "downloadUrl": "https://suno.com/final.mp3", "duration": 125}
    track = SunoTrack(download_url="https://suno.com/final.mp3", trusted=True, duration_seconds=125)
    assert parse_callback(body, HOSTS) == SunoEvent("complete", "callback", tracks=(track,))


def test_the_runbooks_error_says_why() -> None:
    event = parse_callback({"stage": "error", "error": "out of tune"}, HOSTS)
    assert event.error == SunoError(None, "out of tune", again=True)


@pytest.mark.parametrize("error", [None, {"code": 1}, 5, [], ""])
def test_an_error_without_words_is_an_error(error: object) -> None:
    event = parse_callback({"stage": "error", "error": error}, HOSTS)
    assert event.error and event.error.message == "Suno reported an error"


def test_nulls_and_unknown_fields_of_the_runbooks_shape_mean_nothing() -> None:
    body = {"stage": "first", "streamUrl": None, "downloadUrl": None, "duration": None, "x": 1}
    assert parse_callback(body, HOSTS) == SunoEvent("first", "callback", tracks=(SunoTrack(),))


@pytest.mark.parametrize(
    "body",
    [
        {"stage": None},
        {"stage": 1},
        {"stage": "x" * 41},
        {"stage": "first", "streamUrl": 1},
        {"stage": "complete", "downloadUrl": ["https://suno.com/a.mp3"]},
        {"stage": "complete", "duration": "long"},
        {"stage": "complete", "duration": {}},
    ],
)
def test_wrong_types_in_the_runbooks_shape_are_told(body: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        parse_callback(body, HOSTS)


# sunoapi.org's own shape (docs/vendors.md#suno-callbacks).


def test_the_vendors_first_holds_both_tracks_and_the_second_has_no_file_yet() -> None:
    """As recorded from the real service: createTime is a number, the second audio_url empty."""
    event = parse_callback(
        vendor(
            "first",
            {
                "id": "a",
                "audio_url": FILE,
                "stream_audio_url": STREAM,
                "duration": 198.44,
                "createTime": 1759000000000,
                "prompt": None,
            },
            {"id": "b", "audio_url": "", "stream_audio_url": f"{STREAM}2", "createTime": 1},
        ),
        HOSTS,
    )
    assert event.stage == "first" and event.task_id == "task-1" and event.error is None
    assert event.tracks == (
        SunoTrack("a", STREAM, FILE, trusted=True, duration_seconds=198.44),
        SunoTrack("b", f"{STREAM}2"),
    )


@pytest.mark.parametrize(
    "names",
    [
        ("audio_url", "stream_audio_url"),
        ("audioUrl", "streamAudioUrl"),
        ("source_audio_url", "source_stream_audio_url"),
        ("sourceAudioUrl", "sourceStreamAudioUrl"),
    ],
)
def test_every_twin_of_an_address_is_read_and_empty_ones_are_passed_over(
    names: tuple[str, str],
) -> None:
    file, stream = names
    empty = {"audio_url": "", "audioUrl": None, "stream_audio_url": "", "streamAudioUrl": None}
    item = empty | {"id": "a", file: FILE, stream: STREAM}
    track = SunoTrack("a", STREAM, FILE, trusted=True)
    assert parse_callback(vendor("complete", item), HOSTS).tracks == (track,)
    assert parse_record("t", record("SUCCESS", item), HOSTS).tracks == (track,)


@pytest.mark.parametrize("name", ["sunoData", "data", "suno_data"])
def test_every_twin_of_the_list_of_tracks_is_read(name: str) -> None:
    track = SunoTrack("a", STREAM, FILE, trusted=True, duration_seconds=10.5)
    body = {"code": 200, "data": {"callback_type": "complete", "taskId": "t", name: [SONG]}}
    event = parse_callback(body, HOSTS)
    assert (event.stage, event.task_id, event.tracks) == ("complete", "t", (track,))
    data = {"status": "SUCCESS", "response": {name: [SONG]}}
    assert parse_record("t", data, HOSTS).tracks == (track,)


@pytest.mark.parametrize("names", [("errorCode", "errorMessage"), ("error_code", "error_message")])
def test_every_twin_of_a_failure_is_read(names: tuple[str, str]) -> None:
    data = {"status": "FAILED", names[0]: 531, names[1]: "no audio"}
    assert parse_record("t", data, HOSTS).error == SunoError(531, "no audio", again=True)


def test_the_vendors_text_may_be_empty() -> None:
    event = parse_callback(vendor("text"), HOSTS)
    assert (event.stage, event.tracks) == ("text", ())


def test_camel_case_is_read_as_well() -> None:
    body = vendor(
        "complete",
        {"id": "a", "audioUrl": FILE, "streamAudioUrl": STREAM},
        task_id=None,
        taskId="t",
    )
    event = parse_callback(body, HOSTS)
    assert event.task_id == "t"
    assert event.tracks == (SunoTrack("a", STREAM, FILE, trusted=True),)


@pytest.mark.parametrize("messenger", ["callback", "record_info"])
@pytest.mark.parametrize(
    ("code", "kind", "again"),
    [
        (400, "content", True),
        (401, "account", False),
        (402, "account", False),
        (404, "for_good", False),
        (408, "later", True),
        (413, "content", True),
        (422, "for_good", False),
        (451, "later", True),
        (500, "later", True),
        (501, "later", True),
        (531, "later", True),
        (777, "later", True),
    ],
)
def test_one_rule_for_both_messengers_says_whether_another_attempt_could_fare_better(
    messenger: str, code: int, kind: RefusalKind, again: bool
) -> None:
    if messenger == "callback":
        body = {"code": code, "msg": "no", "data": {"callbackType": "error", "task_id": "t"}}
        event = parse_callback(body, HOSTS)
    else:
        data = {"status": "GENERATE_AUDIO_FAILED", "errorCode": str(code), "errorMessage": "no"}
        event = parse_record("t", data, HOSTS)
    assert event.stage == "error"
    assert event.error == SunoError(code, "no", again, kind)


@pytest.mark.parametrize(
    "body",
    [
        {"code": 501, "msg": "failed", "data": None},
        {"code": "501", "msg": "failed", "data": {"callbackType": "complete", "data": None}},
        {"code": 501, "msg": None, "data": {"callbackType": "error", "error": "failed"}},
        {"code": None, "msg": "failed", "data": {"callbackType": "error"}},
        {"code": 501, "msg": {}, "data": {"callbackType": None, "error": "failed"}},
    ],
)
def test_an_error_is_an_error_whatever_is_null_around_it(body: dict[str, Any]) -> None:
    event = parse_callback(body, HOSTS)
    assert event.stage == "error"
    assert event.error and event.error.message == "failed" and event.error.again


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": 200},
        {"code": 200, "data": None},
        {"code": 200, "data": []},
        {"code": None, "msg": None, "data": {"callbackType": None, "task_id": None, "data": None}},
        vendor(None, None, 1, "x", []),
        vendor("text", {}),
        vendor(["complete"], task_id={"a": 1}),
    ],
)
def test_nulls_at_every_level_are_no_event(body: dict[str, Any]) -> None:
    event = parse_callback(body, HOSTS)
    assert event.error is None
    assert not any(track.download_url or track.stream_url for track in event.tracks)


@pytest.mark.parametrize(
    "duration",
    [None, "198", True, -1, 0, 7201, float("nan"), float("inf"), 10**400, [], {}],
)
def test_a_duration_that_makes_no_sense_is_none(duration: object) -> None:
    (track,) = parse_callback(vendor("complete", {"duration": duration}), HOSTS).tracks
    assert track.duration_seconds is None


@pytest.mark.parametrize("track_id", [None, "", 1, "x" * 201, "a\x00b", "\ud800", []])
def test_an_id_that_cannot_be_kept_is_none(track_id: object) -> None:
    event = parse_callback(vendor("complete", {"id": track_id}, task_id=track_id), HOSTS)
    assert event.task_id is None and event.tracks[0].id is None


def test_no_more_than_a_few_tracks_are_read() -> None:
    assert len(parse_callback(vendor("complete", *[{"id": "a"}] * 1000), HOSTS).tracks) == 8


# What may be done with the addresses.


def test_a_file_elsewhere_is_kept_but_not_trusted() -> None:
    (track,) = parse_callback(vendor("complete", {"audio_url": ELSEWHERE}), HOSTS).tracks
    assert track.download_url == ELSEWHERE and not track.trusted


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8000/secret.mp3", "127.0.0.1"),
        ("https://user:pw@internal.example.com/a", "internal.example.com"),
        ("file:///etc/passwd", "?"),
        ("https://cdn1.suno.ai/" + "a" * 3000, "?"),
    ],
)
def test_a_refused_address_leaves_nothing_but_its_host(url: str, host: str) -> None:
    event = parse_callback(vendor("complete", {"audio_url": url, "stream_audio_url": url}), HOSTS)
    assert event.tracks == (SunoTrack(refused_host=host),)
    assert url not in json.dumps(event.as_json())


def test_the_runbooks_shape_is_judged_in_the_same_way() -> None:
    url = "http://127.0.0.1:8000/secret.mp3"
    event = parse_callback({"stage": "complete", "downloadUrl": url, "streamUrl": url}, HOSTS)
    assert event.tracks == (SunoTrack(refused_host="127.0.0.1"),)


# record-info (docs/vendors.md#suno-record-info).


def record(status: object, *items: object, **changes: object) -> dict[str, Any]:
    response = {"taskId": "t", "sunoData": list(items)}
    return {"taskId": "t", "status": status, "response": response} | changes


SONG = {"id": "a", "audioUrl": FILE, "streamAudioUrl": STREAM, "duration": 10.5}


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("PENDING", "pending"),
        ("TEXT_SUCCESS", "pending"),
        ("FIRST_SUCCESS", "first"),
        ("SUCCESS", "complete"),
        ("CALLBACK_EXCEPTION", "complete"),
        ("CREATE_TASK_FAILED", "error"),
        ("GENERATE_AUDIO_FAILED", "error"),
        ("SENSITIVE_WORD_ERROR", "error"),
        ("FAILED", "error"),
        ("UPLOAD_ERROR", "error"),
        ("failed", "error"),
        ("SOMETHING_NEW", "pending"),
        (None, "pending"),
        (5, "pending"),
    ],
)
def test_a_status_is_the_stage_that_a_callback_would_have_named(status: object, stage: str) -> None:
    event = parse_record("t", record(status, SONG), HOSTS)
    assert (event.stage, event.source, event.task_id) == (stage, "record_info", "t")


def test_a_record_is_read_in_both_cases_and_under_both_names() -> None:
    snake = {"id": "a", "audio_url": FILE, "stream_audio_url": STREAM, "duration": 10.5}
    event = parse_record("t", record("SUCCESS", SONG), HOSTS)
    assert event.tracks == (SunoTrack("a", STREAM, FILE, trusted=True, duration_seconds=10.5),)
    quick_start = {"status": "SUCCESS", "response": {"data": [snake]}}
    assert parse_record("t", quick_start, HOSTS) == event


@pytest.mark.parametrize(
    ("items", "stage"),
    [
        ((), "pending"),
        (({"streamAudioUrl": STREAM, "audioUrl": ""},), "first"),
        ((SONG,), "complete"),
    ],
)
def test_a_failed_delivery_of_theirs_is_as_far_as_the_music_is(
    items: tuple[object, ...], stage: str
) -> None:
    assert parse_record("t", record("CALLBACK_EXCEPTION", *items), HOSTS).stage == stage


def test_a_failure_says_why_and_forbidden_words_stay_forbidden() -> None:
    failed = record("GENERATE_AUDIO_FAILED", errorCode="531", errorMessage="no audio")
    assert parse_record("t", failed, HOSTS).error == SunoError(531, "no audio", again=True)
    forbidden = record("SENSITIVE_WORD_ERROR", errorCode=None, errorMessage=None)
    assert parse_record("t", forbidden, HOSTS).error == SunoError(
        None, "SENSITIVE_WORD_ERROR", again=True, kind="content"
    )


@pytest.mark.parametrize("response", [None, [], "x", {"sunoData": None}, {"sunoData": {}}])
def test_a_success_without_music_is_still_what_suno_says(response: object) -> None:
    event = parse_record("t", {"status": "SUCCESS", "response": response}, HOSTS)
    assert (event.stage, event.tracks) == ("complete", ())


# Whatever comes.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)
URLS = JSON | st.sampled_from([STREAM, FILE, ELSEWHERE, "http://10.0.0.1/", "https://é/", "\x00"])
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "audio_url": URLS,
        "stream_audio_url": URLS,
        "audioUrl": URLS,
        "duration": JSON,
    },
)
STAGES = JSON | st.sampled_from(["text", "first", "complete", "error"])
VENDOR = st.fixed_dictionaries(
    {},
    optional={
        "code": JSON | st.sampled_from([200, 400, "501"]),
        "msg": JSON,
        "data": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "callbackType": STAGES,
                "task_id": JSON,
                "error": JSON,
                "data": JSON | st.lists(ITEMS | JSON, max_size=3),
            },
        ),
    },
)
DOCUMENTED = st.fixed_dictionaries(
    {"stage": STAGES},
    optional={"streamUrl": URLS, "downloadUrl": URLS, "duration": JSON, "error": JSON},
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "status": JSON | st.sampled_from(["SUCCESS", "CALLBACK_EXCEPTION", "CREATE_TASK_FAILED"]),
        "errorCode": JSON,
        "errorMessage": JSON,
        "response": JSON | st.fixed_dictionaries({"sunoData": JSON | st.lists(ITEMS)}),
    },
)


@given(VENDOR | DOCUMENTED | st.dictionaries(st.text(max_size=10), JSON, max_size=3))
def test_any_callback_is_an_event_or_a_clear_no(body: dict[str, Any]) -> None:
    try:
        event = parse_callback(body, HOSTS)
    except pydantic.ValidationError:
        return
    assert_can_be_kept(event)


@given(RECORDS)
def test_any_record_is_an_event(data: dict[str, Any]) -> None:
    assert_can_be_kept(parse_record("t", data, HOSTS))


def assert_can_be_kept(event: SunoEvent) -> None:
    """PostgreSQL's jsonb takes it: UTF-8, no NUL, no number that is none."""
    kept = json.dumps(event.as_json(), ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in kept
    assert kept.encode()
    for track in event.tracks:
        assert not (track.refused_host and track.download_url)


def test_even_deeply_nested_nonsense_is_an_event() -> None:
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    body = {
        "code": deep,
        "msg": deep,
        "data": {"callbackType": deep, "task_id": deep, "data": [deep]},
    }
    assert parse_callback(body, HOSTS).stage == ""


@pytest.mark.parametrize("shape", ["documented", "vendor", "record"])
def test_a_message_that_repeats_the_callbacks_address_keeps_no_token(shape: str) -> None:
    said = "cannot reach https://example.org/callback?segment=1&token=5f0c7f0e-secret"
    if shape == "record":
        data = {"status": "CREATE_TASK_FAILED", "errorCode": 500, "errorMessage": said}
        event = parse_record("task", data, HOSTS)
    elif shape == "documented":
        event = parse_callback({"stage": "error", "error": said}, HOSTS)
    else:
        event = parse_callback({"code": 500, "msg": said, "data": {"task_id": "task"}}, HOSTS)
    assert event.error and "secret" not in event.error.message
    assert event.error.message.endswith("token=[hidden]")
