"""What is measured: each call, where it goes, and its requests, ready to be sent."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from benchmarks.dataset import Attempt, Dataset

TRACK_BYTES = 3_000_000
TRACK_S = TRACK_BYTES / 16_000
STREAM = "https://cdn1.suno.ai/preview.mp3"
FIRST = {"stage": "first", "streamUrl": STREAM}

Make = Callable[[Dataset, int], list[str]]


@dataclass(frozen=True)
class Call:
    """One thing to ask for.

    port: where; make: so many requests for it; share: how much less often than a short call.
    """

    name: str
    port: Callable[[Dataset], int]
    make: Make
    share: float = 1.0


STATE_CHANGING = "state-changing UPDATE"
"""F: one UPDATE of one segment, asked straight of PostgREST. The rest is compared with it."""


def calls() -> list[Call]:
    """Everything that `make bench` measures, what the rest is compared with first."""
    return [
        Call(STATE_CHANGING, _postgrest, _update),
        Call("bare SQL function", _postgrest, _bare),
        Call("record_callback first", _postgrest, _record_first),
        Call("callback first", _service, _first),
        Call("callback first, run not active", _service, _first_of_inactive),
        Call("callback first, repeated", _service, _repeated),
        Call("sign-track", _service, _sign_track, 0.5),
        Call("create", _service, _create, 0.3),
        Call("callback complete (3 MB)", _service, _complete, 0.5),
        Call("(Storage alone: sign)", _gateway, _storage_sign),
        Call("(OpenAI alone: an answer)", _openai, _completion),
    ]


def _postgrest(dataset: Dataset) -> int:
    return dataset.deployment.project.postgrest_port


def _service(dataset: Dataset) -> int:
    return dataset.deployment.project.functions_port


def _gateway(dataset: Dataset) -> int:
    return dataset.deployment.project.port


def _openai(dataset: Dataset) -> int:
    return dataset.deployment.project.openai_port


def _bare(dataset: Dataset, count: int) -> list[str]:
    return [_post("/rpc/bench_nothing", {}, _service_role(dataset))] * count


def _update(dataset: Dataset, count: int) -> list[str]:
    body = {"status": "first", "preview_url": STREAM}
    headers = _service_role(dataset) | {"Prefer": "return=representation"}
    return [
        _request("PATCH", f"/parcours_segments?select=id&id=eq.{attempt.segment_id}", body, headers)
        for attempt in dataset.attempts(count)
    ]


def _record_first(dataset: Dataset, count: int) -> list[str]:
    """The very function behind a callback, as PostgREST is asked for it."""
    return [
        _post(
            "/rpc/record_callback",
            {
                "p_segment_id": str(attempt.segment_id),
                "p_token": str(attempt.token),
                "p_event": _first_event(attempt),
            },
            _service_role(dataset),
        )
        for attempt in dataset.attempts(count)
    ]


def _first(dataset: Dataset, count: int) -> list[str]:
    return [_callback(attempt, FIRST) for attempt in dataset.attempts(count)]


def _first_of_inactive(dataset: Dataset, count: int) -> list[str]:
    return [_callback(attempt, FIRST) for attempt in dataset.attempts(count, active=False)]


def _repeated(dataset: Dataset, count: int) -> list[str]:
    return [_callback(attempt, FIRST) for attempt in dataset.heard(count)]


def _complete(dataset: Dataset, count: int) -> list[str]:
    url = f"http://127.0.0.1:{dataset.deployment.tracks_port}/{TRACK_BYTES}.mp3"
    body = {"stage": "complete", "downloadUrl": url, "duration": TRACK_S}
    return [_callback(attempt, body) for attempt in dataset.attempts(count)]


def _sign_track(dataset: Dataset, count: int) -> list[str]:
    body = {"segmentId": str(dataset.stored)}
    return [_post("/functions/v1/sign-track", body, _bearer(dataset.users[0]))] * count


def _create(dataset: Dataset, count: int) -> list[str]:
    body = {"presetKey": "panique-anxiete", "emotionState": "fear-0.8"}
    return [
        _post("/functions/v1/parcours-xl-create", body, _bearer(token))
        for token in dataset.owners(count)
    ]


def _storage_sign(dataset: Dataset, count: int) -> list[str]:
    path = f"/storage/v1/object/sign/parcours-tracks/{dataset.stored_path}"
    return [_post(path, {"expiresIn": 3600}, _service_role(dataset))] * count


def _completion(dataset: Dataset, count: int) -> list[str]:
    messages = [
        {"role": "system", "content": "Écris un brief musical."},
        {"role": "user", "content": "Un moment calme."},
    ]
    shape = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    body = {
        "model": "gpt-4o-mini",
        "messages": messages,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "nothing", "strict": True, "schema": shape},
        },
    }
    path = f"{urlsplit(dataset.deployment.project.openai_url).path}/chat/completions"
    return [_post(path, body, _bearer("any"))] * count


def _callback(attempt: Attempt, body: dict[str, Any]) -> str:
    query = f"segment={attempt.segment_id}&token={attempt.token}"
    return _post(f"/functions/v1/parcours-xl-callback?{query}", body, {})


def _first_event(attempt: Attempt) -> dict[str, Any]:
    """What the service makes of the callback."""
    return {
        "stage": "first",
        "source": "callback",
        "task_id": attempt.task_id,
        "tracks": [{"id": None, "stream_url": STREAM}],
    }


def _service_role(dataset: Dataset) -> dict[str, str]:
    key = dataset.deployment.project.service_role_key
    return _bearer(key) | {"apikey": key}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _post(path: str, body: dict[str, Any], headers: Mapping[str, str]) -> str:
    return _request("POST", path, body, headers)


def _request(method: str, path: str, body: dict[str, Any], headers: Mapping[str, str]) -> str:
    text = json.dumps(body)
    all_headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(text)),
        **headers,
    }
    lines = [
        f"{method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in all_headers.items()),
    ]
    return "\r\n".join([*lines, "", text])
