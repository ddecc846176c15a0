"""A submission must pass Suno's old rules and its new ones."""

from typing import Any

import pytest

from parcours_dev.simulators.submissions import asked_seconds, find_refusal

GOOD: dict[str, Any] = {
    "customMode": True,
    "instrumental": True,
    "model": "V5_5",
    "style": "handpan",
    "title": "La rive",
    "negativeTags": "vocals",
    "duration": 300,
    "callBackUrl": "https://example.org/callback?segment=1&token=2",
}


def _refusal_code(**changes: Any) -> int | None:
    changed = {name: value for name, value in (GOOD | changes).items() if value is not None}
    refusal = find_refusal(changed)
    return refusal[0] if refusal else None


def test_the_payload_valid_under_both_rules_is_accepted() -> None:
    assert find_refusal(GOOD) is None
    assert _refusal_code(model="V4_5", duration=None) is None
    assert _refusal_code(model="V6", styleWeight=0.7, weirdnessConstraint=0) is None


@pytest.mark.parametrize("name", ["customMode", "instrumental", "model", "callBackUrl"])
def test_the_four_required_fields_are_required(name: str) -> None:
    assert _refusal_code(**{name: None}) == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"customMode": "yes"},
        {"model": "V3_5"},
        {"callBackUrl": "not a url"},
        {"callBackUrl": "ftp://example.org"},
        {"style": None},
        {"title": ""},
        {"style": 5},
        {"instrumental": False},
        {"audioWeight": 0.5},
        {"styleWeight": 1.5},
        {"weirdnessConstraint": "much"},
        {"variety": 9},
        {"vocalGender": "x"},
        {"duration": 5},
        {"duration": 361},
        {"duration": True},
        {"model": "V4_5"},
    ],
)
def test_wrong_parameters_are_refused(wrong: dict[str, Any]) -> None:
    assert _refusal_code(**wrong) == 400


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"style": "x" * 1000}, None),
        ({"style": "x" * 1001}, 413),
        ({"model": "V4", "duration": None, "style": "x" * 200}, None),
        ({"model": "V4", "duration": None, "style": "x" * 201}, 413),
        ({"title": "x" * 80}, None),
        ({"title": "x" * 81}, 413),
        ({"negativeTags": "x" * 1001}, 413),
        ({"prompt": "x" * 5001}, 413),
    ],
)
def test_too_long_texts_are_refused_with_a_code_of_their_own(
    fields: dict[str, Any], code: int | None
) -> None:
    assert _refusal_code(**fields) == code


def test_outside_custom_mode_the_two_rules_leave_nothing_valid() -> None:
    assert _refusal_code(customMode=False) == 400
    bare = {"customMode": False, "instrumental": True, "model": "V5", "prompt": "calm"}
    assert find_refusal(bare | {"callBackUrl": GOOD["callBackUrl"]}) is not None


def test_without_a_duration_the_model_decides() -> None:
    assert asked_seconds(GOOD) == 300
    assert asked_seconds({"model": "V5"}) == 300
    assert asked_seconds({"model": "V4"}) == 230
    assert asked_seconds({"model": "V6"}) == 20
