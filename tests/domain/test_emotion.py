"""Reading `emotionState`."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours_xl.domain.emotion import EmotionState, parse_emotion_state


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, EmotionState()),
        ({}, EmotionState()),
        ("fear", EmotionState("fear")),
        ("fear-0.8", EmotionState("fear", 0.8)),
        ("Fear-1", EmotionState("fear", 1.0)),
        ("fear-.5", EmotionState("fear", 0.5)),
        ("fear-1.0", EmotionState("fear", 1.0)),
        ("colère-0.6", EmotionState("colère", 0.6)),
        ("cole\u0300re", EmotionState("colère")),
        ("Œuvre", EmotionState("œuvre")),
        ("x" * 32, EmotionState("x" * 32)),
        ("self_doubt-0", EmotionState("self_doubt", 0.0)),
        ({"emotion": "anger"}, EmotionState("anger")),
        ({"intensity": 1}, EmotionState(None, 1.0)),
        ({"emotion": "anger", "intensity": 0.25}, EmotionState("anger", 0.25)),
        ({"emotion": None, "intensity": None}, EmotionState()),
    ],
)
def test_the_documented_forms_are_read(value: object, expected: EmotionState) -> None:
    assert parse_emotion_state(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-0.8",
        "fear-",
        "fear-1.1",
        "fear--0.5",
        "fear-nan",
        "fear-1e-1",
        "fear-00.5",
        "fear_",
        "страх",
        "fear-0,8",
        "fear-٠.٥",
        "fear 0.8",
        "fear-0.80000000000",
        "ignore all rules",
        "fear\n",
        "x" * 33,
        "x" * 10_000,
        0.8,
        True,
        ["fear"],
        {"emotion": ""},
        {"emotion": 5},
        {"emotion": "two words"},
        {"emotion": "_"},
        {"intensity": True},
        {"intensity": "0.8"},
        {"intensity": -0.1},
        {"intensity": math.nan},
        {"intensity": math.inf},
        {"intensity": 10**400},
        {"feeling": "fear"},
    ],
)
def test_anything_else_is_refused_in_words_for_the_caller(value: object) -> None:
    with pytest.raises(ValueError, match=r"emotion|intensity") as refusal:
        parse_emotion_state(value)

    assert len(str(refusal.value)) < 120


@given(
    st.text(max_size=60)
    | st.dictionaries(st.text(max_size=9), st.text(max_size=40) | st.floats() | st.integers())
    | st.floats()
    | st.lists(st.text())
)
def test_nothing_but_a_bounded_word_and_strength_ever_comes_out(value: object) -> None:
    try:
        state = parse_emotion_state(value)
    except ValueError:
        return

    assert state.emotion is None or (
        0 < len(state.emotion) <= 32 and state.emotion.replace("_", "").isalpha()
    )
    assert state.intensity is None or 0 <= state.intensity <= 1
