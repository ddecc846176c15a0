"""What a listener should know before starting, whichever preset they choose."""

from parcours_xl.domain.bilingual import Bilingual

CARER_FIRST = Bilingual(
    fr="Épilepsie, psychose, dissociation : parlez-en d'abord à un soignant.",
    en="Epilepsy, psychosis, dissociation: talk to a health professional first.",
)
NOT_AT_THE_WHEEL = Bilingual(fr="Pas au volant.", en="Not while driving.")
