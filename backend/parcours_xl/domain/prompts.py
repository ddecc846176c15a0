"""What the language model and Suno are asked for.

Sources: docs/vendors.md#suno-generate, docs/specification.md#prompts.
"""

import re
from dataclasses import dataclass

from parcours_xl.domain.durations import (
    BOUNDS,
    SEGMENTS_MAX,
    SEGMENTS_MIN,
    Bounds,
    reachable_totals,
)
from parcours_xl.domain.emotion import EmotionState
from parcours_xl.domain.groups import Group
from parcours_xl.domain.preset import Music, Preset

STYLE_CHARS_MAX, STYLE_CHARS_MAX_V4 = 1000, 200
NEGATIVE_TAGS_CHARS_MAX = 1000
CLEANED_CHARS_MAX = 4000
"""More of a prompt is never sent."""
NEGATIVE_TAGS = (
    "vocals, singing, voice, lyrics, spoken word, rap, whispering, screaming, crying, heavy"
    " breathing, heartbeat, alarm, siren, telephone, gunshot, thunder, sudden loud hits, jump"
    " scare, riser and drop, harsh distortion, noise, aggressive drums, metal, dubstep, horror"
)
STRONG, MODERATE = 0.7, 0.35  # of an intensity between 0 and 1

assert len(NEGATIVE_TAGS) <= NEGATIVE_TAGS_CHARS_MAX, "Suno takes the negative tags whole"
assert 0 < MODERATE < STRONG < 1, "an intensity is mild, moderate or strong"

_WORD = r"[A-ZÀ-Ý][\w'’-]{0,30}"
_NAME = rf"{_WORD}(?: (?:(?:de|la|le|van|von|der|of|the|and|&) ){{0,2}}{_WORD}){{0,4}}"
_FULL_NAME = rf"{_WORD}(?: {_WORD}){{1,3}}"
# Instruments, modes, keys and chords are written with a capital, and are nobody's name.
_NO_NAME = (
    r"(?!(?:Rhodes|Wurlitzer|Fender|Hammond|Mellotron|Moog|Juno|Leslie|Dorian|Ionian|Lydian"
    r"|Aeolian|Mixolydian|Phrygian|Locrian|BPM|Ambient|Piano|Strings|Major|Minor"
    r"|[A-G][b#♯♭]?(?:m|maj|min|sus|dim|aug|add)?\d{0,2})(?!\w))"
)
_ARTISTS = (
    "Einaudi|Hans Zimmer|Zimmer|Brian Eno|Eno|Erik Satie|Satie|Debussy|Chopin|Max Richter"
    "|Nils Frahm|[OÓ]lafur Arnalds|Arnalds|Yann Tiersen|Tiersen|Yiruma|Enya|Vangelis|Arvo P[aä]rt"
    "|Philip Glass|Sakamoto|Sigur R[oó]s|Hisaishi|Bach|Mozart|Beethoven|Radiohead|Coldplay"
    "|Pink Floyd|Beatles|Moby|J[oó]hann J[oó]hannsson|Steve Reich|Keith Jarrett|Taylor Swift"
)
_STYLE_OF = (
    r"(?:in|after|dans|à) (?:the|a|le|la) (?:style|manner|vein|spirit|manière) (?:of|de|d['’]|à)"
    r"|inspired by|influenced by|reminiscent of|covers? of|remix of|à la manière de"
    r"|inspirée? (?:de|par)"
)
_NAMED_BY = (
    r"by|from|like|feat\.?|featuring|as in|similar to|sounds like|sounding like|à la|par|comme"
)
_NAMING = tuple(
    re.compile(pattern)
    for pattern in (
        r"\[[^\]]{0,200}\]",  # [Verse], [Chorus]: marks of a sung text
        r"(?i:\blyrics?\s{0,3}:)[^.;]{0,300}[.;]?",
        r"[\"“«„][^\"”»“]{0,200}[\"”»]",  # a title, or words to be sung
        rf"(?i:\b(?:{_STYLE_OF}) ?[^,.;:()]{{1,80}})",
        rf"\b(?i:{_NAMED_BY}) {_NO_NAME}{_NAME}",
        rf"(?i:\b(?:{_ARTISTS})\b(?:['’]s)?(?:[- ](?:like|esque|style|inspired|ish)\b)?)",
        rf"\b{_FULL_NAME}-(?i:like|esque|style|inspired)\b",
    )
)
_MARKS = (".", ";", ":", "-")

_RULES = f"""\
You plan a musical well-being journey for one person who is alone with headphones and may be in \
distress. You write its brief: a title, a short text, and {SEGMENTS_MIN} or {SEGMENTS_MAX} \
segments of instrumental music that lead, one into the next, from one feeling to another.

Title, text and segment titles are in French, addressed with "vous", warm, plain and \
gender-neutral. The text is also written in English, with the same meaning, as a native speaker \
would say it and not word for word. It has 3 to 6 short sentences: it acknowledges the feeling, \
offers the room as an anchor (what can be seen, heard, felt underfoot), says what the music will \
do, and that the music can be stopped at any time. A sentence that speaks of stopping names the \
music: nobody in despair may read it as being about life. Titles are a few neutral words and never \
name a feeling or a condition: they appear on lock screens.

Segment prompts are in English, 300 to 700 characters each, for a music generator: instruments, \
tempo in BPM, mode, meter, dynamics, texture, and how the piece evolves from its first minute to \
its last. Always instrumental, no vocals of any kind: no singing, speech, whisper or lyrics, not \
even as an image. Never startling: no sudden loud sounds, alarms, heartbeats or gasps.

Never write, in any language: an instruction to hold, block or count the breath; exposure to what \
is feared, or imagining or reliving it; hypnosis, trance, countdowns or suggestions of sleep; \
acupressure, tapping or pressing points of the body; a medical claim, diagnosis, promise or cure; \
advice on medicines; telephone numbers, links or markup. The music accompanies, nothing more."""


@dataclass(frozen=True, slots=True)
class FirstPiece:
    """The first segment, when it is composed before the brief is written. seconds: its length."""

    title: str
    prompt: str
    seconds: int


def brief_messages(
    preset: Preset,
    emotion: EmotionState,
    bounds: Bounds = BOUNDS,
    first: FirstPiece | None = None,
) -> list[dict[str, str]]:
    """The conversation that asks for a `WrittenBrief`: the rules, then this listener's journey."""
    return [
        {"role": "system", "content": _RULES},
        {"role": "user", "content": _journey(preset, emotion, bounds, first)},
    ]


def suno_style(preset: Preset, plan_prompt: str, limit: int = STYLE_CHARS_MAX) -> str:
    """The style text for Suno, within `limit` characters (1000, or 200 for V4).

    Opens with what every piece must keep (instrumental, tempo, mode, meter, instruments); the
    segment's own prompt follows as far as there is room, cut between words.
    """
    music = preset.music
    facts = (
        "instrumental",
        _tempo(music, plan_prompt),
        _choice(music.modes, plan_prompt),
        _choice(music.meters, plan_prompt),
        *music.instruments,
    )
    return cut_words(f"{', '.join(facts)}. {plan_prompt}", limit)


def prompts_for(prompt: str, preset: Preset | None, segment_index: int) -> tuple[str, ...]:
    """What may be sent for a segment, one after the other as Suno refuses the words before it.

    The segment's own prompt, the preset's curated one for that place, and the bare musical facts.
    """
    if preset is None:
        return (clean_prompt(prompt),)
    curated = preset.segments[min(segment_index, len(preset.segments) - 1)].prompt
    ladder = (prompt, suno_style(preset, curated), suno_style(preset, ""))
    return tuple(dict.fromkeys(map(clean_prompt, ladder)))


def clean_prompt(text: str) -> str:
    """A prompt without names of artists, bands or songs, and without words to be sung.

    Suno refuses the first and would sing the second. Every pattern is bounded: linear in the text.
    """
    text = text[:CLEANED_CHARS_MAX]
    for pattern in _NAMING:
        text = pattern.sub(" ", text)
    parts = (" ".join(part.split()).replace(" .", ".") for part in text.split(","))
    return ", ".join(part for part in parts if part and part not in _MARKS).strip(" ,;:")


def _journey(
    preset: Preset, emotion: EmotionState, bounds: Bounds, first: FirstPiece | None
) -> str:
    music, minutes = preset.music, preset.minutes
    shortest, longest = reachable_totals(SEGMENTS_MAX, minutes.min * 60, minutes.max * 60, bounds)
    # Three pieces of six minutes fill 18 minutes and no more.
    first_s_max = first.seconds if first else bounds.segment_s_max
    three_suffice = shortest <= first_s_max + (SEGMENTS_MIN - 1) * bounds.segment_s_max
    segments = f"{SEGMENTS_MIN} or {SEGMENTS_MAX}" if three_suffice else f"exactly {SEGMENTS_MAX}"
    return "\n".join(
        (
            f"Journey: {preset.title.en} ({preset.title.fr})",
            f"From: {preset.from_feeling.en}. To: {preset.to_feeling.en}.",
            f"Segments: {segments}, each {bounds.segment_s_min} to {bounds.segment_s_max} seconds,"
            f" together {shortest} to {longest} seconds.",
            f"Tempo: {_whole_tempo(music)}. Mode: {' to '.join(music.modes)}."
            f" Meter: {' to '.join(music.meters)}.",
            f"Instruments: {', '.join(music.instruments)}. Style: {music.style}.",
            f"Attention moves through: {'; '.join(t.name.en for t in preset.techniques)}.",
            _continuation(preset, emotion, first) if first else _opening(preset, emotion),
        )
    )


def _continuation(preset: Preset, emotion: EmotionState, first: FirstPiece) -> str:
    """What goes on from a first segment that no longer changes."""
    word, strength = emotion.emotion or preset.emotion, emotion.intensity
    felt = f'"{word}"' if strength is None else f'"{word}", strength {strength:.2f} of 1'
    way = "leads up" if preset.group is Group.SPRING else "leads down"
    return (
        f"The listener brings: {felt}. The first segment is being composed already. Give it as the"
        f" first of your segments, unchanged, and let the others continue from where it ends; the"
        f" journey {way}, step by step, to {preset.to_feeling.en}."
        f' Its title: "{first.title}". Its length: {first.seconds} seconds.'
        f" Its prompt: {first.prompt}"
    )


def _opening(preset: Preset, emotion: EmotionState) -> str:
    """How the first segment meets the listener: the stronger the feeling, the nearer it starts."""
    word, strength = emotion.emotion or preset.emotion, emotion.intensity
    way = "leads up" if preset.group is Group.SPRING else "leads down"
    if strength is None:
        return (
            f'The listener brings: "{word}". The first segment meets it with tact, then the'
            f" journey {way}, step by step, to {preset.to_feeling.en}."
        )
    if strength >= STRONG:
        start = (
            "The first segment starts where the listener is: it carries the full energy of the"
            " feeling in density, register and harmony, over a firm and reliable ground, never"
            " louder and never faster than the tempo above; it changes slowly"
        )
    elif strength >= MODERATE:
        start = (
            "The first segment recognises the feeling in its colour and movement, and begins to"
            " ease within its first two minutes"
        )
    else:
        start = "The first segment only hints at the feeling and soon opens"
    return (
        f'The listener brings: "{word}", strength {strength:.2f} of 1. {start}; then the journey'
        f" {way}, step by step, to {preset.to_feeling.en}."
    )


def _tempo(music: Music, prompt: str) -> str:
    slowest, fastest = music.bpm_range
    named = [bpm for bpm in music.tempos_in(prompt) if slowest <= bpm <= fastest]
    return f"{named[0]} BPM" if named else _whole_tempo(music)


def _whole_tempo(music: Music) -> str:
    if music.bpm_start == music.bpm_end:
        return f"{music.bpm_start} BPM"
    return f"{music.bpm_start} to {music.bpm_end} BPM"


def _choice(of_journey: tuple[str, ...], prompt: str) -> str:
    """The one of the journey's modes or meters that a prompt names, else all in their order."""
    named = [name for name in of_journey if name in prompt.lower()]
    return named[0] if len(named) == 1 else " to ".join(of_journey)


def cut_words(text: str, limit: int) -> str:
    """The text within so many characters, cut between words."""
    if len(text) <= limit:
        return text
    whole_words, space, _ = text[: limit + 1].rpartition(" ")
    return (whole_words if space else text[:limit]).rstrip(" ,;:.-")
