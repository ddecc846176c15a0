"""The brief of a run: the words its listener reads, and what each segment should sound like."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from parcours_xl.domain.bilingual import Bilingual, one_line
from parcours_xl.domain.durations import (
    BOUNDS,
    SEGMENTS_MAX,
    SEGMENTS_MIN,
    Bounds,
    fit_durations,
)
from parcours_xl.domain.preset import Preset
from parcours_xl.domain.wording import asks_for_voice, find_forbidden

TITLE_CHARS_MAX = 80
TEXT_CHARS_MAX = 1200
PROMPT_CHARS_MIN, PROMPT_CHARS_MAX = 40, 2000
BLANKS_SHARE_MAX = 2
"""A text may be so many times longer than its limit before its blanks are made single ones."""


class _Written(BaseModel):
    # Strict structured outputs know no defaults and refuse string lengths: those are checked here.
    model_config = ConfigDict(extra="forbid")


class WrittenSegment(_Written):
    """One piece of the journey, as the language model writes it."""

    title: str = Field(description="French, a few words, neutral: never names a condition")
    prompt: str = Field(description="English prompt for an instrumental piece, for Suno")
    seconds: float = Field(description="240 to 360")


class WrittenText(_Written):
    """What the listener reads, in the two languages of the page."""

    fr: str = Field(description="French, 3 to 6 warm and plain sentences to the listener")
    en: str = Field(description="The same in natural English, 3 to 6 sentences")


class WrittenBrief(_Written):
    """A brief as the language model writes it; nothing in it is trusted before `fit_brief`."""

    title: str = Field(description="French, a few words, neutral: never names a condition")
    text: WrittenText
    segments: list[WrittenSegment] = Field(min_length=SEGMENTS_MIN, max_length=SEGMENTS_MAX)


class UnfitBrief(ValueError):
    """The written brief may not be used: a text is missing or too long, or says what it must not.

    The message names the part and the rule, never the text.
    """


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """One segment to be composed. planned_seconds: how long it plays in the journey, 240-360."""

    title: str
    prompt: str
    planned_seconds: int


@dataclass(frozen=True, slots=True)
class Brief:
    """The brief of a run, ready to be stored and shown. Titles are French."""

    title: str
    text: Bilingual
    segments: tuple[SegmentPlan, ...]


def fit_brief(
    written: WrittenBrief,
    preset: Preset,
    bounds: Bounds = BOUNDS,
    first: SegmentPlan | None = None,
) -> Brief:
    """A written brief made fit: texts checked, durations fitted to the preset's minutes.

    first: the segment that is being composed already; it stands in place of the written first one.
    UnfitBrief when a text cannot be shown to a listener, a prompt cannot go to Suno, or too few
    segments follow the first.
    """
    try:
        seconds = _fit_seconds(
            [segment.seconds for segment in written.segments],
            preset,
            bounds,
            None if first is None else first.planned_seconds,
        )
    except ValueError as error:
        raise UnfitBrief(f"segments: {error}") from None
    given = () if first is None else (first,)
    return Brief(
        title=_fit_shown("title", written.title, TITLE_CHARS_MAX),
        text=Bilingual(
            fr=_fit_shown("text.fr", written.text.fr, TEXT_CHARS_MAX),
            en=_fit_shown("text.en", written.text.en, TEXT_CHARS_MAX),
        ),
        segments=given
        + tuple(
            SegmentPlan(
                title=_fit_shown("segment title", segment.title, TITLE_CHARS_MAX),
                prompt=_fit_prompt(segment.prompt),
                planned_seconds=planned,
            )
            for segment, planned in list(zip(written.segments, seconds, strict=True))[len(given) :]
        ),
    )


def curated_brief(preset: Preset, bounds: Bounds = BOUNDS) -> Brief:
    """The preset's own brief: used when none could be written, and always fit."""
    seconds = _fit_seconds([segment.seconds for segment in preset.segments], preset, bounds)
    return Brief(
        title=preset.brief.title.fr,
        text=preset.brief.text,
        segments=tuple(
            SegmentPlan(segment.title.fr, segment.prompt, planned)
            for segment, planned in zip(preset.segments, seconds, strict=True)
        ),
    )


def _fit_seconds(
    asked: list[float], preset: Preset, bounds: Bounds, first_s: int | None = None
) -> tuple[int, ...]:
    minutes = preset.minutes
    return fit_durations(asked, minutes.min * 60, minutes.max * 60, bounds, first_s)


def _fit_shown(part: str, text: str, characters_max: int) -> str:
    line = _one_line(text, characters_max)
    if not line:
        raise UnfitBrief(f"{part}: empty")
    if len(line) > characters_max:
        raise UnfitBrief(f"{part}: over {characters_max} characters")
    if broken := find_forbidden(line):
        raise UnfitBrief(f"{part}: {broken}")
    return line


def _fit_prompt(prompt: str) -> str:
    line = _one_line(prompt, PROMPT_CHARS_MAX)
    if not PROMPT_CHARS_MIN <= len(line) <= PROMPT_CHARS_MAX:
        raise UnfitBrief(f"prompt: not {PROMPT_CHARS_MIN} to {PROMPT_CHARS_MAX} characters")
    if asks_for_voice(line):
        raise UnfitBrief("prompt: asks for a voice")
    return line


def _one_line(text: str, characters_max: int) -> str:
    """One line of it; as it is when it is too long anyway: then no expression reads it."""
    return text if len(text) > characters_max * BLANKS_SHARE_MAX else one_line(text)
