"""What a listener should know before starting, whichever preset they choose."""

from collections.abc import Sequence

from parcours_xl.journeys.bilingual import Bilingual

CARER_FIRST = Bilingual(
    fr="Épilepsie, psychose, dissociation : parlez-en d'abord à un soignant.",
    en="Epilepsy, psychosis, dissociation: talk to a health professional first.",
)
NOT_AT_THE_WHEEL = Bilingual(fr="Pas au volant.", en="Not while driving.")


def pregnancy_caution(points: Sequence[str]) -> Bilingual:
    """The pregnancy note for points of the body that some people associate with this feeling.

    The music itself needs no caution; the note protects a listener who knows the points and would
    press them unasked.
    """
    assert points, "no note without a point"
    several = len(points) > 1
    french = "les points " + " et ".join(points) if several else f"le point {points[0]}"
    english = "points " + " and ".join(points) if several else f"point {points[0]}"
    return Bilingual(
        fr=f"Enceinte : n'appuyez pas sur {french} ; la musique seule convient.",
        en=f"Pregnant: do not press {english}; the music alone is fine.",
    )
