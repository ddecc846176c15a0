"""What the words of a music prompt ask for: tempo, meter, mode, mood and instruments."""

import re
from dataclasses import dataclass
from random import Random

# Steps in semitones above the tonic, one row a mode.
MODES: dict[str, tuple[int, ...]] = {
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
}

# Roots of four chords each, as degrees of the mode counted from 0.
PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "ionian": ((0, 4, 5, 3), (0, 3, 0, 4), (0, 5, 3, 4)),
    "dorian": ((0, 3, 0, 6), (0, 6, 3, 0), (0, 2, 3, 6)),
    "phrygian": ((0, 1, 0, 6), (0, 5, 1, 0)),
    "lydian": ((0, 1, 0, 4), (0, 1, 5, 4), (0, 2, 1, 0)),
    "mixolydian": ((0, 6, 3, 0), (0, 3, 6, 0)),
    "aeolian": ((0, 5, 2, 6), (0, 3, 5, 6), (0, 5, 3, 0)),
}

# All patterns match from the beginning of a word: "flute" is no lute, "slightly" not light.
MODE_WORDS = {
    r"dorian|dorien": "dorian",
    r"aeolian|[ée]olien|minor|mineur": "aeolian",
    r"lydian|lydien": "lydian",
    r"mixolydian|mixolydien": "mixolydian",
    r"phrygian|phrygien": "phrygian",
    r"ionian|ionien|major|majeur": "ionian",
    r"blues": "dorian",
}

INSTRUMENT_WORDS = {
    r"handpan|hang drum|tongue drum": "handpan",
    r"rhodes|electric piano|wurlitzer": "rhodes",
    r"piano": "piano",
    r"harp": "harp",
    r"kalimba|mbira": "kalimba",
    r"guitar|guitare|lute|koto": "guitar",
    r"bell|chime|clochette|celesta|glockenspiel|vibraphone|arps?\b|arpeggi": "bells",
    r"flute|flûte|whistle": "flute",
}

PERCUSSION_WORDS = {
    r"shaker|maraca|percussion|groove|afro": "shaker",
    r"toms?\b|frame drum|hand drum": "tom",
    r"clap": "clap",
}

# Word stems -> how they move (busyness, brightness), each kept between 0 and 1.
MOOD_WORDS = {
    r"calm|gentle|soft|quiet|breath|rest\b|sleep|slow|still|soothing|doux": (-0.12, -0.03),
    r"sparse|minimal|spacious|airy|weightless|drone": (-0.2, 0.0),
    r"bright|light|lumin|hope|joy|gratitude|warm smile|open|uplift": (0.05, 0.2),
    r"dark|deep|grief|sad|melanchol|low-pass|muffled|felt": (-0.05, -0.18),
    r"energ|movement|driv|groov|motivat|rhythmic|flow|lively|élan": (0.25, 0.1),
}

NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
SINGABLE_TONICS = (2, 4, 5, 7, 9, 0)
BPM_MIN, BPM_MAX = 40, 160
BPM_DEFAULT = 66


@dataclass(frozen=True)
class Score:
    """Everything the composer needs to know; equal scores give equal music."""

    seconds: float
    seed: str
    bpm_start: int
    bpm_end: int
    mode: str
    tonic: int
    """Pitch class of the key note, 0 is C."""
    beats: int
    """Beats in a bar; tempo counts these, also in 6/8 (dotted quarters)."""
    subdivisions: int
    """Equal parts of a beat: 2, or 3 in compound meters."""
    voices: tuple[str, str]
    """Who keeps the pulse, who sings."""
    percussion: tuple[str, ...]
    busyness: float
    brightness: float

    def bpm_at(self, second: float) -> float:
        """The tempo glides from start to end, as in "88 to 72 BPM"."""
        share = min(1.0, max(0.0, second / self.seconds))
        return self.bpm_start + (self.bpm_end - self.bpm_start) * share

    def pitch(self, degree: int, octave: int) -> int:
        """MIDI number of a degree of the mode, from 0, past 6 in the octaves above.

        The key note lies within half an octave of the octave's C, so that all keys sit alike.
        """
        tonic = self.tonic if self.tonic <= 6 else self.tonic - 12
        return 12 * (octave + 1 + degree // 7) + tonic + MODES[self.mode][degree % 7]


def read_score(words: str, seconds: float, seed: str) -> Score:
    """Read a style text, English or French; what it leaves open is drawn from the seed."""
    text = re.sub(r"\b(?:no|without|sans)\b[^,.;]*", " ", words.lower())
    chance = Random(f"{seed}/{text}")  # noqa: S311 - music, not secrets
    bpm_start, bpm_end = _read_tempo(text)
    beats, subdivisions = _read_meter(text)
    busyness, brightness = _read_mood(text)
    return Score(
        seconds=seconds,
        seed=seed,
        bpm_start=bpm_start,
        bpm_end=bpm_end,
        mode=next(iter(_found(MODE_WORDS, text)), "dorian"),
        tonic=_read_tonic(words, chance),
        beats=beats,
        subdivisions=subdivisions,
        voices=_choose_voices(_found(INSTRUMENT_WORDS, text)),
        percussion=_found(PERCUSSION_WORDS, text),
        busyness=busyness,
        brightness=brightness,
    )


def _found(vocabulary: dict[str, str], text: str) -> tuple[str, ...]:
    """The meanings whose words occur, in the order in which the text names them."""
    places = {
        meaning: match.start()
        for pattern, meaning in vocabulary.items()
        if (match := re.search(rf"\b(?:{pattern})", text))
    }
    return tuple(sorted(places, key=places.__getitem__))


def _choose_voices(named: tuple[str, ...]) -> tuple[str, str]:
    """Who keeps the pulse and who sings: a flute only ever sings."""
    struck = [voice for voice in named if voice != "flute"]
    usual = [voice for voice in ("handpan", "piano") if voice not in struck]
    pulse, song = (*struck, *usual)[:2]
    return pulse, "flute" if "flute" in named else song


def _read_tempo(text: str) -> tuple[int, int]:
    match = re.search(r"(\d{2,3})(?:\s*(?:-|–|→|to|à)\s*(\d{2,3}))?\s*bpm", text)
    if match is None:
        match = re.search(r"bpm\s*+:?\s*+(\d{2,3})(?:\s*(?:-|–|→|to|à)\s*(\d{2,3}))?", text)
    if match is None:
        return BPM_DEFAULT, BPM_DEFAULT
    start = int(match[1])
    end = int(match[2] or start)
    return (min(BPM_MAX, max(BPM_MIN, start)), min(BPM_MAX, max(BPM_MIN, end)))


def _read_meter(text: str) -> tuple[int, int]:
    match = re.search(r"\b(12/8|6/8|9/8|3/4|4/4|2/4)\b", text)
    return {"12/8": (4, 3), "9/8": (3, 3), "6/8": (2, 3), "3/4": (3, 2), "2/4": (2, 2)}.get(
        match[1] if match else "", (4, 2)
    )


def _read_mood(text: str) -> tuple[float, float]:
    busyness, brightness = 0.5, 0.5
    for pattern, (busier, brighter) in MOOD_WORDS.items():
        if re.search(rf"\b(?:{pattern})", text):
            busyness += busier
            brightness += brighter
    return min(1.0, max(0.0, busyness)), min(1.0, max(0.0, brightness))


def _read_tonic(words: str, chance: Random) -> int:
    modes = "|".join(MODE_WORDS)
    match = re.search(rf"\b([A-G])(#|♯|b|♭)?\s+(?i:{modes})", words)
    if match is None:
        return chance.choice(SINGABLE_TONICS)
    shift = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(match[2] or "", 0)
    return (NOTES[match[1].lower()] + shift) % 12
