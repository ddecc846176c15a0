"""The words of a simulated brief: French and English for the listener, English for Suno.

They follow the journey that the request describes (tempo, mode, meter, instruments, length).
"""

import re
from dataclasses import dataclass
from random import Random
from typing import TypeVar

TITLES = (
    "Le long du rivage",
    "Vers une lumière plus douce",
    "La clairière",
    "Au fil de l'eau",
    "Une fenêtre ouverte",
)
SEGMENT_TITLES = (
    ("Là où vous êtes", "Premiers pas", "Au seuil"),
    ("Le pas se pose", "Un appui", "Le sol sous les pas"),
    ("L'horizon s'ouvre", "Plus d'espace", "Le jour se lève"),
    ("La rive", "Le repos des choses", "Rester un moment"),
)
# Each sentence in French and in English.
WELCOMES = (
    ("Ce que vous ressentez a sa place ici.", "Whatever you feel is welcome here."),
    (
        "Vous pouvez arriver comme vous êtes, il n'y a rien à réussir.",
        "You can come as you are, there is nothing to get right.",
    ),
    ("Ce moment est le vôtre, rien ne presse.", "This moment is yours, nothing is urgent."),
)
ANCHORS = (
    (
        "Regardez un objet proche et laissez vos épaules descendre un peu.",
        "Look at something nearby and let your shoulders drop a little.",
    ),
    (
        "Sentez le sol sous vos pieds et ce qui vous soutient.",
        "Feel the floor under your feet and whatever is holding you up.",
    ),
    (
        "Écoutez un son de la pièce, puis un autre, plus loin.",
        "Listen to one sound in the room, then to another, further away.",
    ),
)
OPENING = (
    "La musique commence près de vous, portée par {instruments}.",
    "The music begins close to you, carried by {instruments}.",
)
UNFOLDING = (
    "Puis elle s'ouvre peu à peu, sans rien demander.",
    "Then it opens little by little, and asks nothing of you.",
)
PARTINGS = (
    (
        "Vous pouvez arrêter la musique quand vous voulez.",
        "You can stop the music whenever you like.",
    ),
    ("Restez aussi longtemps que cela vous convient.", "Stay for as long as it suits you."),
)
INSTRUMENTS = {
    r"handpan": ("un handpan", "a handpan"),
    r"rhodes": ("un piano électrique", "an electric piano"),
    r"piano": ("un piano feutré", "a felt piano"),
    r"harp": ("une harpe", "a harp"),
    r"kalimba": ("une kalimba", "a kalimba"),
    r"guitar": ("une guitare", "a guitar"),
    r"flute": ("une flûte", "a flute"),
    r"string": ("des cordes", "strings"),
    r"choir": ("un chœur lointain", "a distant choir"),
    r"bell|chime": ("des clochettes", "small bells"),
    r"pad|drone|texture": ("des nappes chaudes", "warm pads"),
}
FRENCH, ENGLISH = 0, 1
ARC = (
    "Opens close and present, meeting the listener where they are: {lead} states a short figure"
    " that returns without surprise, {rest} underneath. A few suspended ninths keep a gentle"
    " tension that softens over the last two minutes.",
    "Settles into a dependable cycle: {lead} marks the beat lightly, {rest} widening around it."
    " Phrases lengthen, rests appear between them, and the harmony loosens step by step from its"
    " minor colours towards open fifths.",
    "Opens out: {lead} carries a slow singing line in long arches, {rest} lifting it without ever"
    " pushing. One broad, gradual rise near the middle, then an easing that takes the whole rest"
    " of the piece.",
    "Comes to rest: {lead} repeats a few bright notes with much space, {rest} holding one open"
    " chord. Motion thins minute by minute until only the tail of the reverb remains, ending on"
    " the key note with a slow natural fade.",
)
SECONDS_MIN, SECONDS_MAX = 240, 360
Option = TypeVar("Option")
DEFAULT_TOTAL_S, DEFAULT_BPM = 1200, 66


@dataclass(frozen=True)
class Journey:
    """What the request says about the journey."""

    segments: int
    seconds: int
    bpm_start: int
    bpm_end: int
    modes: tuple[str, ...]
    meters: tuple[str, ...]
    instruments: tuple[str, ...]


def read_journey(words: str, seed: str) -> Journey:
    """Find the journey's facts in a request; what it does not say gets a calm default."""
    total = re.search(r"(\d{3,4})\s*(?:to|-|–|à)\s*(\d{3,4})\s*s", words)
    seconds = (int(total[1]) + int(total[2])) // 2 if total else DEFAULT_TOTAL_S
    exactly = re.search(r"exactly\s+(\d)", words)
    three_suffice = total is not None and int(total[1]) <= 3 * SECONDS_MAX
    free_choice = (3, 4) if three_suffice else (4,)
    tempo = re.search(r"(\d{2,3})(?:\s*(?:to|-|–|→|à)\s*(\d{2,3}))?\s*bpm", words, re.IGNORECASE)
    start = int(tempo[1]) if tempo else DEFAULT_BPM
    return Journey(
        segments=int(exactly[1]) if exactly else Random(seed).choice(free_choice),  # noqa: S311
        seconds=seconds,
        bpm_start=start,
        bpm_end=int(tempo[2] or start) if tempo else start,
        modes=_read_list("mode", " to ", words) or ("dorian",),
        meters=_read_list("meter", " to ", words) or ("4/4",),
        instruments=_read_list("instrument", ",", words) or ("felt piano", "warm pads"),
    )


def _read_list(name: str, separator: str, words: str) -> tuple[str, ...]:
    """What a line such as "Instruments: harp, kalimba." lists."""
    line = re.search(rf"{name}s?\s*:\s*([^.\n]+)", words, re.IGNORECASE)
    return tuple(part.strip() for part in line[1].split(separator)) if line else ()


class BriefWords:
    """One brief's words and numbers; equal requests get equal briefs."""

    def __init__(self, journey: Journey, seed: str) -> None:
        self.journey = journey
        self._seed = seed

    def title(self) -> str:
        return self._choose("title", TITLES)

    def text(self) -> str:
        """Five sentences to the listener, in French."""
        return self._say(FRENCH, " et ")

    def english_text(self) -> str:
        """The same five sentences in English."""
        return self._say(ENGLISH, " and ")

    def segment_title(self, place: int) -> str:
        return self._choose(f"segment {place}", SEGMENT_TITLES[self._scene(place)])

    def prompt(self, place: int) -> str:
        """English, for Suno: 300 to 700 characters."""
        journey = self.journey
        lead, *others = journey.instruments
        share = min(1.0, place / max(1, journey.segments - 1))
        bpm = round(journey.bpm_start + (journey.bpm_end - journey.bpm_start) * share)
        scene = ARC[self._scene(place)].format(lead=lead, rest=" and ".join(others) or "warm pads")
        return (
            f"Instrumental, no vocals, {bpm} BPM, {_at(journey.modes, share)},"
            f" {_at(journey.meters, share)}."
            f" {scene} Soft dynamics throughout, warm low mids, rounded highs, generous reverb,"
            " nothing sudden."
        )

    def seconds(self, place: int) -> float:
        """An even share of the journey, a little longer towards the end."""
        share = self.journey.seconds / self.journey.segments
        middle = (self.journey.segments - 1) / 2
        return float(min(SECONDS_MAX, max(SECONDS_MIN, round(share + 6 * (place - middle)))))

    def _scene(self, place: int) -> int:
        """Which of the four scenes a segment plays: with three, the third is left out."""
        last = place >= self.journey.segments - 1
        return len(ARC) - 1 if last else min(place, len(ARC) - 2)

    def _say(self, language: int, conjunction: str) -> str:
        sentences = (
            self._choose("welcome", WELCOMES),
            self._choose("anchor", ANCHORS),
            OPENING,
            UNFOLDING,
            self._choose("parting", PARTINGS),
        )
        instruments = conjunction.join(name[language] for name in self._instruments())
        return " ".join(
            sentence[language].format(instruments=instruments) for sentence in sentences
        )

    def _instruments(self) -> list[tuple[str, str]]:
        names = [
            name
            for pattern, name in INSTRUMENTS.items()
            if any(re.search(pattern, played.lower()) for played in self.journey.instruments)
        ]
        return names[:2] or [INSTRUMENTS[r"piano"]]

    def _choose(self, what: str, options: tuple[Option, ...]) -> Option:
        return Random(f"{self._seed}/{what}").choice(options)  # noqa: S311 - words, not secrets


def _at(changes: tuple[str, ...], share: float) -> str:
    """Where a journey that moves from one to the next has come to."""
    return changes[round(share * (len(changes) - 1))]
