"""What a listener says about their feeling, in the three ways a client may say it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

EMOTION_CHARS_MAX = 32
INTENSITY_CHARS_MAX = 8
_INTENSITY = re.compile(r"[0-9]*\.?[0-9]+")

SHAPES = 'emotionState is a text like "fear-0.8" or an object {"emotion", "intensity"}'


@dataclass(frozen=True, slots=True)
class EmotionState:
    """One feeling and its strength; either may be unsaid.

    emotion: one word in lower case, letters and underscores. intensity: 0 (none) to 1 (utmost).
    """

    emotion: str | None = None
    intensity: float | None = None


def parse_emotion_state(value: object) -> EmotionState:
    """Read `emotionState` as documented: "fear-0.8", "fear", {"emotion", "intensity"}, {} or none.

    ValueError for anything else; its message may be shown to the caller (runbook: Flux nominal).
    """
    if value is None:
        return EmotionState()
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, Mapping):
        return _read_object(value)
    raise ValueError(SHAPES)


def _read_text(text: str) -> EmotionState:
    if len(text) > EMOTION_CHARS_MAX + INTENSITY_CHARS_MAX + 1:
        raise ValueError(SHAPES)
    word, dash, number = text.partition("-")
    if not dash:
        return EmotionState(_read_word(word))
    if not _INTENSITY.fullmatch(number) or len(number) > INTENSITY_CHARS_MAX:
        raise ValueError('the part after "-" in emotionState is a number between 0 and 1')
    return EmotionState(_read_word(word), _read_intensity(float(number)))


def _read_object(value: Mapping[object, object]) -> EmotionState:
    if not set(value) <= {"emotion", "intensity"}:
        raise ValueError(SHAPES)
    emotion, intensity = value.get("emotion"), value.get("intensity")
    return EmotionState(
        None if emotion is None else _read_word(emotion),
        None if intensity is None else _read_intensity(intensity),
    )


def _read_word(word: object) -> str:
    if isinstance(word, str) and len(word) <= EMOTION_CHARS_MAX:
        # One spelling for an accent, so that a letter is one character.
        lower = unicodedata.normalize("NFC", word.lower())
        if all(part.isalpha() for part in lower.split("_")):
            return lower
    raise ValueError(
        f"emotion is one word of at most {EMOTION_CHARS_MAX} letters (underscores may join)"
    )


def _read_intensity(number: object) -> float:
    # bool is an int in Python; true is not an intensity. The comparison also refuses NaN.
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise ValueError("intensity is a number between 0 and 1")
    return float(number)
