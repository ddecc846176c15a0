"""Which notes sound in which bar: chords, a steady pulse and a song above it."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from parcours_dev.simulators.score import PROGRESSIONS, Score

CHORD_SECONDS = 7.5
CHORD_BOTTOM, BASS_BOTTOM = 44, 33
PHRASE_BARS = 4
# Which motif each of the four bars of a phrase takes; None rests. Rotated from phrase to phrase.
PHRASES = (
    ("a", "b", "a", None),
    ("a", None, "b", None),
    ("a", "b", "c", "b"),
    (None, "c", None, "a"),
)
# Degrees that agree with every chord of their mode well enough to wander on.
SINGABLE_DEGREES = (0, 1, 2, 4, 5, 7, 8, 9, 11)


@dataclass(frozen=True)
class Note:
    """One note: where in the bar (in beats), who plays, MIDI pitch, loudness 0 to 1."""

    beat: float
    voice: str
    pitch: int
    loudness: float


@dataclass(frozen=True)
class Bar:
    """One bar of music, placed in time."""

    start_s: float
    seconds: float
    beats: int
    chord: tuple[int, ...]
    starts_chord: bool
    notes: tuple[Note, ...]


def write_bars(score: Score) -> Iterator[Bar]:
    """All bars of a score, one after the other, until its time is filled."""
    chance = Random(f"{score.seed}/notes")  # noqa: S311 - music, not secrets
    progressions = PROGRESSIONS[score.mode]
    verse, bridge = chance.sample(range(len(progressions)), 2)
    bars_a_chord = max(1, round(CHORD_SECONDS * score.bpm_start / 60 / score.beats))
    bars_a_section = bars_a_chord * 4
    motifs = {name: _invent_motif(score, chance) for name in "abc"}
    start_s, index = 0.0, 0
    while start_s < score.seconds:
        section, place = divmod(index, bars_a_section)
        roots = progressions[bridge if section % 3 == 2 else verse]
        root = roots[place // bars_a_chord]
        energy = _energy(start_s / score.seconds)
        motif = PHRASES[section % len(PHRASES)][index % PHRASE_BARS]
        notes = [
            *_bass(score, root, starts=place % bars_a_chord == 0),
            *_pulse(score, root, energy, chance),
            *(_song(score, motifs[motif], root, energy, chance) if motif else ()),
            *_percussion(score, energy, chance),
        ]
        seconds = score.beats * 60 / score.bpm_at(start_s)
        yield Bar(
            start_s=start_s,
            seconds=seconds,
            beats=score.beats,
            chord=voice_chord(score, root),
            starts_chord=place % bars_a_chord == 0,
            notes=tuple(notes),
        )
        start_s += seconds
        index += 1


def voice_chord(score: Score, root: int) -> tuple[int, ...]:
    """Root, fifth, seventh and, an octave up, the third: open, so that no semitones rub."""
    bottom = raise_to(CHORD_BOTTOM, score.pitch(root, 2))
    above = [score.pitch(root + degree, 2) - score.pitch(root, 2) for degree in (4, 6, 9)]
    return (bottom, *(bottom + interval for interval in above))


def raise_to(bottom: int, pitch: int) -> int:
    """The same note in the octave that begins at bottom."""
    return bottom + (pitch - bottom) % 12


def _energy(share: float) -> float:
    """Grows from the opening, holds back in the middle, settles towards the end."""
    opening = min(1.0, share / 0.18)
    closing = min(1.0, (1 - share) / 0.2)
    middle = 0.75 if 0.45 < share < 0.58 else 1.0
    return max(0.15, opening * closing * middle)


def _invent_motif(score: Score, chance: Random) -> tuple[tuple[float, int, float], ...]:
    """A bar of song: (beat, steps along the singable degrees, loudness)."""
    step, motif = chance.choice((2, 3, 4)), []
    for slot in range(score.beats * score.subdivisions):
        beat = slot / score.subdivisions
        weight = 0.85 if slot == 0 else 0.45 if slot % score.subdivisions == 0 else 0.22
        if chance.random() < weight * (0.55 + 0.6 * score.busyness):
            motif.append((beat, step, 0.75 if slot == 0 else 0.55))
            step = min(8, max(0, step + chance.choice((-2, -1, -1, 0, 1, 1, 2))))
    return tuple(motif)


def _bass(score: Score, root: int, *, starts: bool) -> Iterator[Note]:
    if starts:
        yield Note(0, "bass", raise_to(BASS_BOTTOM, score.pitch(root, 1)), 0.8)


def _pulse(score: Score, root: int, energy: float, chance: Random) -> Iterator[Note]:
    """Chord tones on the beats, and between them as the music fills: the tempo can be felt."""
    tones = sorted(score.pitch(root + degree, 3) for degree in (0, 2, 4, 7, 9))
    for slot in range(score.beats * score.subdivisions):
        beat, between = divmod(slot, score.subdivisions)
        if between and chance.random() > 0.55 * energy * (0.4 + score.busyness):
            continue
        tone = tones[(slot * 2 + beat) % len(tones)]
        loudness = (0.34 if between else 0.72 if beat else 0.85) * (0.55 + 0.45 * energy)
        yield Note(
            slot / score.subdivisions, score.voices[0], tone, loudness * chance.uniform(0.88, 1.0)
        )


def _song(
    score: Score,
    motif: tuple[tuple[float, int, float], ...],
    root: int,
    energy: float,
    chance: Random,
) -> Iterator[Note]:
    for beat, step, loudness in motif:
        degree = SINGABLE_DEGREES[step]
        if beat == 0:
            degree = _rest_on_chord(degree, root)
        pitch = score.pitch(degree, 4)
        yield Note(beat, score.voices[1], pitch, loudness * energy * chance.uniform(0.85, 1.0))


def _rest_on_chord(degree: int, root: int) -> int:
    """The nearest tone of the chord: the first note of a bar agrees with it."""
    tones = (root + third + octave for octave in (-7, 0, 7) for third in (0, 2, 4))
    return min(tones, key=lambda tone: abs(tone - degree))


def _percussion(score: Score, energy: float, chance: Random) -> Iterator[Note]:
    if energy < 0.5:
        return
    for slot in range(score.beats * score.subdivisions):
        beat, between = divmod(slot, score.subdivisions)
        if "shaker" in score.percussion:
            loudness = 0.35 if between else 0.55
            yield Note(slot / score.subdivisions, "shaker", 60, loudness * chance.uniform(0.7, 1.0))
        if "tom" in score.percussion and not between and beat % 2 == 0:
            yield Note(beat, "tom", 40, 0.6 * energy)
        if "clap" in score.percussion and not between and beat % 2 == 1:
            yield Note(beat, "clap", 60, 0.45 * energy)
