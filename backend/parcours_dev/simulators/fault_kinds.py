"""Every fault that can be asked of the simulated Suno and OpenAI.

What `match` can name, by the moment at which a fault strikes; "*" takes any value:
call: call, segment, task (OpenAI: call, model) · record: segment, task · callback: callback,
segment, task · message: message (callback or record-info), callback, segment, task · download:
media (file or stream), track, segment, task · completion: model.
"""

from parcours_dev.simulators.faults import Kind, Option

SUBMIT, RECORD_INFO, CREDIT = "submit", "record-info", "credit"
"""Suno's calls, as faults match them: {"call": "submit"}; "*" is all of them."""

_ON_SUBMIT = {"call": SUBMIT}
_ON_COMPLETION = {"call": "completion"}


def _answers(code: int, does: str) -> Kind:
    """Answer with this body code, or with an HTTP status instead when `status` is given.

    both: the status and the code; message: other words than the usual ones.
    """
    options: dict[str, Option] = {"code": code, "status": 0, "both": False, "message": ""}
    return Kind("call", does, options, _ON_SUBMIT)


SUNO_FAULTS: dict[str, Kind] = {
    "busy": _answers(430, "Your call frequency is too high. Please try again later."),
    "rate_limited": _answers(405, "Request rate limit exceeded."),
    "maintenance": _answers(455, "The system is under maintenance."),
    "server_error": _answers(500, "Server exception, please try again later."),
    "refused": _answers(400, "Invalid parameters."),
    "too_long": _answers(413, "The theme or prompt is too long."),
    "bad_key": _answers(401, "You do not have access permissions."),
    "no_credits": _answers(429, "Your credits are insufficient."),
    "created": Kind("call", "does the work, answers with this status", {"status": 201}, _ON_SUBMIT),
    "not_json": Kind("call", "an HTML page with this HTTP status", {"status": 502}, _ON_SUBMIT),
    "no_answer": Kind(
        "call",
        'accepts the call ("after") or not ("before"), then hangs and drops the connection',
        {"when": "after", "delay_s": 0.0},
        _ON_SUBMIT,
    ),
    "slow_answer": Kind("call", "does the work, answers later", {"delay_s": 5.0}, _ON_SUBMIT),
    "record_status": Kind(
        "record",
        "record-info names this status, whatever is true; code 0 is null, tracks false none",
        {"status": "PENDING", "message": "", "code": 500, "tracks": True},
    ),
    "record_snake_case": Kind("record", "record-info writes response.data in snake_case"),
    "empty_urls": Kind("message", "audio URLs are null, stream URLs empty"),
    "url_host": Kind("message", "audio URLs name this host:port", {"host": "elsewhere.invalid"}),
    "lost_callback": Kind("callback", "is never sent", match={"callback": "complete"}),
    "doubled_callback": Kind(
        "callback", "is sent this many times at once", {"copies": 2}, {"callback": "complete"}
    ),
    "late_callback": Kind("callback", "is sent later", {"delay_s": 10.0}, {"callback": "complete"}),
    "reordered_callbacks": Kind(
        "callback", "first is sent after complete", match={"callback": "first"}
    ),
    "error_callback": Kind(
        "callback",
        "the task fails; data is null within (inner), wholly (outer), or holds an error text",
        {"code": 500, "message": "Music generation failed.", "shape": "inner"},
        {"callback": "first"},
    ),
    "slow_download": Kind(
        "download", "waits, then trickles", {"delay_s": 0.0, "bytes_a_second": 20_000}
    ),
    "truncated": Kind(
        "download",
        "only this share of the bytes; announce false also lies in Content-Length's favour",
        {"share": 0.5, "announce": True},
    ),
    "missing": Kind("download", "is gone", {"status": 404}),
    "html": Kind("download", "a web page with status 200", {"content_type": "text/html"}),
    "silent": Kind("download", "a valid MP3 of digital silence", {"seconds": 30.0}),
    "silent_tail": Kind("download", "sound, then silence", {"sound_s": 210.0, "seconds": 300.0}),
    "junk": Kind("download", "these bytes (hex), then random ones", {"hex": "494433", "noise": 0}),
    "oversized": Kind(
        "download",
        "more than the bucket takes; announce false leaves Content-Length out",
        {"bytes": 52_428_801, "announce": True},
    ),
    "redirect": Kind(
        "download",
        'to the same file ("good"), to "loopback", in circles ("loop"), or to any url',
        {"to": "good", "url": "", "status": 302},
    ),
    "no_cors": Kind("download", "without CORS headers"),
}

OPENAI_FAULTS: dict[str, Kind] = {
    "refusal": Kind("completion", "the model declines", {"message": "I can't help with that."}),
    "cut_off": Kind("completion", "finish_reason length, half of the JSON", {"share": 0.5}),
    "content_filter": Kind("completion", "finish_reason content_filter"),
    "invalid_json": Kind("completion", "text which is no JSON"),
    "violated_schema": Kind("completion", "JSON which breaks its schema"),
    "slow": Kind("call", "answers later", {"delay_s": 20.0}, _ON_COMPLETION),
    "busy": Kind(
        "call", "429", {"retry_after_s": 0, "code": "rate_limit_exceeded"}, _ON_COMPLETION
    ),
    "server_error": Kind("call", "500 or another 5xx", {"status": 500}, _ON_COMPLETION),
    "refused": Kind(
        "call",
        "a refusal with this status, code, parameter and message",
        {"status": 400, "code": "", "parameter": "", "message": "Invalid request."},
        _ON_COMPLETION,
    ),
    "model_withdrawn": Kind("call", "404 model_not_found; match names the model"),
    "bad_key": Kind("call", "401 invalid_api_key", match=_ON_COMPLETION),
    "no_answer": Kind("call", "hangs, then drops the connection", {"delay_s": 0.0}, _ON_COMPLETION),
}
