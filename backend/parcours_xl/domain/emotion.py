"""What a listener says about their feeling, in the three ways a client may say it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

SPELLED_CHARS_MAX = 100
"""Of a word with its number, however its accents are spelled: 32 letters of two characters each,
a hyphen, and a number of at most 8."""

_LETTER = "A-Za-zÀ-ÖØ-öø-ÿŒœ"
_WORD = f"[{_LETTER}](?:[{_LETTER}_]{{0,30}}[{_LETTER}])?"
_NUMBER = r"(?:0|0?\.[0-9]{1,6}|1(?:\.0{1,6})?)"
WORD_PATTERN, TEXT_PATTERN = f"^{_WORD}$", f"^{_WORD}(?:-{_NUMBER})?$"
"""What is accepted, as a JSON Schema says it too."""

_AS_WORD = re.compile(_WORD)
_AS_TEXT = re.compile(f"({_WORD})(?:-({_NUMBER}))?")

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

    ValueError for anything else; its message may be shown to the caller.
    See docs/specification.md#emotion-state.
    """
    if value is None:
        return EmotionState()
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, Mapping):
        return _read_object(value)
    raise ValueError(SHAPES)


def _read_text(text: str) -> EmotionState:
    read = _AS_TEXT.fullmatch(_spell(text))
    if read is None:
        raise ValueError(f"{SHAPES}; the number is between 0 and 1")
    word, number = read.groups()
    return EmotionState(word.lower(), None if number is None else float(number))


def _read_object(value: Mapping[object, object]) -> EmotionState:
    if not set(value) <= {"emotion", "intensity"}:
        raise ValueError(SHAPES)
    emotion, intensity = value.get("emotion"), value.get("intensity")
    return EmotionState(
        None if emotion is None else _read_word(emotion),
        None if intensity is None else _read_intensity(intensity),
    )


def _read_word(word: object) -> str:
    if isinstance(word, str) and _AS_WORD.fullmatch(spelled := _spell(word)):
        return spelled.lower()
    raise ValueError("emotion is one word of at most 32 letters (underscores may join)")


def _spell(text: str) -> str:
    """One spelling for an accent, so that a letter is one character; empty when it is too long."""
    # Ordering combining marks takes quadratic time: the length is judged first.
    return unicodedata.normalize("NFC", text) if len(text) <= SPELLED_CHARS_MAX else ""


def _read_intensity(number: object) -> float:
    # bool is an int in Python; true is not an intensity. The comparison also refuses NaN.
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise ValueError("intensity is a number between 0 and 1")
    return float(number)
