"""Every code of both vendors, and what is made of it (docs/vendors.md#suno-codes)."""

import json

import pytest

from parcours_xl.clients import suno_codes
from parcours_xl.clients.suno_codes import RefusalKind, Vendor, judge
from tests.fixtures.captured_logs import CaptureLogs

# code, what the vendor says, sunoapi's, kie's.
CODES: list[tuple[int, str, RefusalKind, RefusalKind]] = [
    (400, "Invalid parameters.", "for_good", "for_good"),
    (400, "callBackUrl must be a valid URL", "for_good", "for_good"),
    (400, "Your prompt contained an artist name", "content", "content"),
    (400, "The lyrics contain copyrighted material", "content", "content"),
    (400, "Song Description flagged for moderation", "content", "content"),
    (401, "You do not have access permissions", "account", "account"),
    (402, "Insufficient credits", "account", "account"),
    (404, "Not found", "for_good", "for_good"),
    (405, "Rate limit exceeded", "later", "later"),
    (408, "Timed out", "later", "later"),
    (409, "Conflict", "later", "later"),
    (413, "The theme or prompt is too long", "content", "content"),
    (413, "Uploaded audio matches an existing work of art", "content", "content"),
    (422, "Validation error", "for_good", "for_good"),
    (429, "The current credits are insufficient. Please top up.", "account", "account"),
    (429, "Your credits are insufficient.", "account", "account"),
    (429, "", "account", "later"),
    (429, "Rate limited", "later", "later"),
    (429, "Your call frequency is too high. Please try again later.", "later", "later"),
    (430, "Your call frequency is too high", "later", "later"),
    (433, "Request limit", "later", "later"),
    (451, "Failed to fetch the file", "later", "later"),
    (455, "Service unavailable, system maintenance", "later", "later"),
    (500, "Server error", "later", "later"),
    (500, "The prompt contains sensitive words", "content", "content"),
    (501, "Audio generation failed", "later", "later"),
    (531, "Server error, the credits have been refunded", "later", "later"),
    (555, "", "later", "later"),
    (600, "", "later", "later"),
    (0, "", "later", "later"),
]


@pytest.mark.parametrize(("code", "message", "sunoapi", "kie"), CODES)
def test_code_and_text_are_judged_together(
    code: int, message: str, sunoapi: RefusalKind, kie: RefusalKind
) -> None:
    assert judge(code, message, "sunoapi") == sunoapi
    assert judge(code, message, "kie") == kie


@pytest.mark.parametrize("vendor", ["sunoapi", "kie"])
def test_the_http_status_429_is_a_rate_limit_unless_it_says_credits(vendor: Vendor) -> None:
    assert judge(429, "", vendor, in_body=False) == "later"
    assert judge(429, "The current credits are insufficient.", vendor, in_body=False) == "account"


def test_a_failure_without_a_code_may_fare_better() -> None:
    assert judge(None, "internal") == "later"
    assert judge(None, "contains a sensitive word") == "content"


def test_an_unknown_code_is_said_once(
    capture_logs: CaptureLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suno_codes, "_reported", set())
    written = capture_logs("json", "info")
    for _ in range(3):
        assert judge(799, "new") == "later"
    judge(798, "new")

    said = map(json.loads, written.getvalue().splitlines())
    assert [line["value"] for line in said if line["event"] == "suno.unknown"] == ["799", "798"]
