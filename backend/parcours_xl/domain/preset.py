"""One preset: a feeling, the music that leads out of it, and the words around it.

The figures and their source: docs/specification.md#presets. Texts and prompts are our own.
"""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from parcours_xl.domain.bilingual import Bilingual, Line
from parcours_xl.domain.cautions import CARER_FIRST, NOT_AT_THE_WHEEL
from parcours_xl.domain.durations import (
    JOURNEY_S_MAX,
    JOURNEY_S_MIN,
    SEGMENT_S_MAX,
    SEGMENT_S_MIN,
    SEGMENTS_MAX,
    SEGMENTS_MIN,
)
from parcours_xl.domain.groups import Group
from parcours_xl.domain.wording import asks_for_voice, find_forbidden

KEY_PATTERN = r"^[0-9]{2}-[a-z]+(-[a-z]+)*$"
FEELING_CHARS_MAX = 40
TITLE_CHARS_MAX = 60
CARD_CHARS_MAX = 320
TEXT_CHARS_MIN, TEXT_CHARS_MAX = 150, 900
SENTENCES_MIN, SENTENCES_MAX = 3, 6
PROMPT_CHARS_MIN, PROMPT_CHARS_MAX = 300, 700
BPM_MIN, BPM_MAX = 50, 120

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_BPM = re.compile(r"\b(\d{2,3})(?:\s*(?:to|-|–)\s*(\d{2,3}))?\s*bpm\b", re.IGNORECASE)


def _shown(words: Bilingual) -> Bilingual:
    """Words for the listener: gentle in both languages."""
    for text in (words.fr, words.en):
        if broken := find_forbidden(text):
            raise ValueError(f"{broken}: {text!r}")
    return words


def _at_most(characters: int) -> AfterValidator:
    def check(words: Bilingual) -> Bilingual:
        if longest := next((t for t in (words.fr, words.en) if len(t) > characters), None):
            raise ValueError(f"over {characters} characters: {longest!r}")
        return words

    return AfterValidator(check)


Shown = Annotated[Bilingual, AfterValidator(_shown)]
Title = Annotated[Shown, _at_most(TITLE_CHARS_MAX)]
Feeling = Annotated[Shown, _at_most(FEELING_CHARS_MAX)]
CardText = Annotated[Shown, _at_most(CARD_CHARS_MAX)]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Minutes(_Fact):
    """How long the journey lasts, in minutes, as announced on the card."""

    min: int = Field(ge=JOURNEY_S_MIN // 60, le=JOURNEY_S_MAX // 60)
    max: int = Field(ge=JOURNEY_S_MIN // 60, le=JOURNEY_S_MAX // 60)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError("min is over max")
        return self


class Music(_Fact):
    """The musical facts; tempo, modes and meters in the order in which the journey meets them."""

    bpm_start: int = Field(ge=BPM_MIN, le=BPM_MAX)
    bpm_end: int = Field(ge=BPM_MIN, le=BPM_MAX)
    modes: tuple[Line, ...] = Field(min_length=1, max_length=2)
    meters: tuple[Line, ...] = Field(min_length=1, max_length=2)
    instruments: tuple[Line, ...] = Field(min_length=1, max_length=5)
    style: Line

    @property
    def bpm_range(self) -> tuple[int, int]:
        """The slowest and the fastest tempo."""
        return min(self.bpm_start, self.bpm_end), max(self.bpm_start, self.bpm_end)

    @staticmethod
    def tempos_in(prompt: str) -> list[int]:
        """The tempos that a prompt names, in BPM: "64 BPM" names one, "88 to 72 BPM" two."""
        return [int(bpm) for pair in _BPM.findall(prompt) for bpm in pair if bpm]


class Technique(_Fact):
    """What the listener's attention is offered for a stretch of the journey: a name, no more."""

    start_s: int = Field(ge=0)
    end_s: int = Field(le=JOURNEY_S_MAX)
    name: Title


class CuratedSegment(_Fact):
    """One piece of the preset's own journey: a neutral title, a prompt for Suno, seconds."""

    title: Title
    prompt: Line = Field(min_length=PROMPT_CHARS_MIN, max_length=PROMPT_CHARS_MAX)
    seconds: int = Field(ge=SEGMENT_S_MIN, le=SEGMENT_S_MAX)


class CuratedBrief(_Fact):
    """The preset's own brief, used whenever no written one can be had."""

    title: Title
    text: Shown

    @model_validator(mode="after")
    def _short(self) -> Self:
        for text in (self.text.fr, self.text.en):
            if not TEXT_CHARS_MIN <= len(text) <= TEXT_CHARS_MAX:
                raise ValueError(f"{len(text)} characters: {text!r}")
            if not SENTENCES_MIN <= len(sentences(text)) <= SENTENCES_MAX:
                raise ValueError(f"{SENTENCES_MIN} to {SENTENCES_MAX} sentences: {text!r}")
        return self


class Preset(_Fact):
    """One of the twenty journeys a listener can choose."""

    key: str = Field(pattern=KEY_PATTERN)
    group: Group
    emotion: str = Field(pattern=r"^[a-z]+$", description="the word used in emotionState")
    title: Title
    from_feeling: Feeling
    to_feeling: Feeling
    minutes: Minutes
    music: Music
    techniques: tuple[Technique, ...] = Field(min_length=5, max_length=6)
    cautions: tuple[Bilingual, ...] = Field(default=(), max_length=2)
    card: CardText
    brief: CuratedBrief
    segments: tuple[CuratedSegment, ...] = Field(min_length=SEGMENTS_MIN, max_length=SEGMENTS_MAX)

    @property
    def slug(self) -> str:
        """The key without its number, as existing clients also write it."""
        return self.key[3:]

    @property
    def contraindications(self) -> tuple[Bilingual, ...]:
        """All that a listener should know first: this preset's own notes, then the common ones."""
        return (*self.cautions, CARER_FIRST, NOT_AT_THE_WHEEL)

    @model_validator(mode="after")
    def _lasts_as_announced(self) -> Self:
        seconds = sum(segment.seconds for segment in self.segments)
        if not self.minutes.min * 60 <= seconds <= self.minutes.max * 60:
            raise ValueError(f"{seconds} s are not {self.minutes.min}-{self.minutes.max} min")
        return self

    @model_validator(mode="after")
    def _techniques_follow_each_other(self) -> Self:
        starts = [technique.start_s for technique in self.techniques]
        ends = [technique.end_s for technique in self.techniques]
        if starts != [0, *ends[:-1]] or any(s >= e for s, e in zip(starts, ends, strict=True)):
            raise ValueError("each technique starts where the one before it ends")
        if ends[-1] > self.minutes.max * 60:
            raise ValueError("techniques last longer than the journey")
        return self

    @model_validator(mode="after")
    def _prompts_follow_the_facts(self) -> Self:
        for segment in self.segments:
            if error := self._trouble_in(segment.prompt):
                raise ValueError(f"{error}: {segment.prompt!r}")
        return self

    def _trouble_in(self, prompt: str) -> str | None:
        slowest, fastest = self.music.bpm_range
        tempos = self.music.tempos_in(prompt)
        if not tempos or not all(slowest <= bpm <= fastest for bpm in tempos):
            return f"names no tempo of {slowest}-{fastest} BPM"
        if not any(mode in prompt.lower() for mode in self.music.modes):
            return "names none of the modes"
        if "instrumental" not in prompt.lower() or "no vocals" not in prompt:
            return "does not say: instrumental, no vocals"
        return "asks for a voice" if asks_for_voice(prompt) else None


def sentences(text: str) -> list[str]:
    """The sentences of a plain text."""
    return _SENTENCE_END.split(text)
