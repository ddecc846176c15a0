"""The bed: what a listener hears while music is being composed. `python -m … bed FILE START_FILE`.

Soft chords that come and go over 72 s and meet their own beginning. No beat, no melody, nothing
that begins: it only keeps a person company. The start file is a short loop of the first chord,
which sounds on a slow line while the long one is still on its way. Rendered when the page is built.
"""

import sys
from pathlib import Path

import numpy as np

from parcours_dev.simulators.instruments import RATE, Samples, paint_pad
from parcours_dev.simulators.mp3 import encode

LOOP_S = 72
START_LOOP_S = 6
"""Of the start file: at 400 kbit/s it arrives in little more than a second."""
START_BYTES_MAX = 60_000
LEAD_S, TAIL_S = 0.5, 0.7
"""The file begins before the loop's beginning and ends after its end, with the loop's own music:
whatever silence an encoder or decoder adds, LOOP_S seconds from any place in the middle repeat
without a seam. The player takes the file's whole seconds less one, from LEAD_S on."""

CHORDS = ((38, 45, 50, 52, 57), (43, 50, 55, 57, 62), (41, 48, 53, 55, 60), (45, 52, 57, 59, 62))
"""Fifths and seconds around D, which ask for no resolution; MIDI numbers."""
OVERLAP_S = 13
CUTOFF_HZ = 620.0
LEVEL = 0.0669
"""Of full scale, root mean square: -22 LUFS, 4 LU below the music (web/engine/settings.ts)."""
KBITS_A_SECOND = 64
SEED = 6

assert int(LOOP_S) == LOOP_S, "the player knows the loop by its whole seconds"
assert int(START_LOOP_S) == START_LOOP_S, "and the short one"
assert LOOP_S / len(CHORDS) > OVERLAP_S, "never more than two chords at once"


def compose_bed() -> Samples:
    """The loop, LOOP_S seconds: its last sample leads into its first."""
    chance = np.random.default_rng(SEED)
    length = LOOP_S * RATE
    bed = np.zeros((2, length), dtype=np.float32)
    for place, chord in enumerate(CHORDS):
        pad = paint_pad(chord, CUTOFF_HZ, LEVEL, length, chance)
        bed += pad * np.roll(_presence(length), place * length // len(CHORDS))
    # The player crosses from the short loop to the beginning of this one: the same chord, alone.
    return np.roll(bed, -OVERLAP_S * RATE, axis=1)


def compose_start() -> Samples:
    """The short loop, START_LOOP_S seconds of the first chord."""
    chance = np.random.default_rng(SEED)
    return paint_pad(CHORDS[0], CUTOFF_HZ, LEVEL, START_LOOP_S * RATE, chance)


def write_bed(file: Path) -> None:
    """The loop as an MP3, with its lead and tail."""
    _write(compose_bed(), file)


def write_start(file: Path) -> None:
    """The short loop, in the same way."""
    _write(compose_start(), file)


def _write(loop: Samples, file: Path) -> None:
    lead, tail = int(LEAD_S * RATE), int(TAIL_S * RATE)
    around = np.concatenate([loop[:, -lead:], loop, loop[:, :tail]], axis=1)
    file.write_bytes(b"".join(encode(iter([around]), KBITS_A_SECOND)))


def _presence(length: int) -> Samples:
    """How much of a chord is heard, around the loop: equal power where two of them meet."""
    share, overlap = length // len(CHORDS), OVERLAP_S * RATE
    rise = np.sin(np.linspace(0, np.pi / 2, overlap, dtype=np.float32))
    presence = np.zeros(length, dtype=np.float32)
    presence[:overlap] = rise
    presence[overlap:share] = 1
    presence[share : share + overlap] = rise[::-1]
    return presence


if __name__ == "__main__":
    write_bed(Path(sys.argv[1]))
    write_start(Path(sys.argv[2]))
