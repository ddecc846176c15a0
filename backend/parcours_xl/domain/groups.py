"""The four families of feeling under which a listener finds a preset."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from parcours_xl.domain.bilingual import Bilingual


class Group(StrEnum):
    """A family of feeling, in the order in which the families are offered."""

    OVERFLOW = "overflow"
    WEIGHT = "weight"
    LOOP = "loop"
    SPRING = "spring"


GROUP_NAMES: Mapping[Group, Bilingual] = MappingProxyType(
    {
        Group.OVERFLOW: Bilingual(fr="Quand tout déborde", en="When it is all too much"),
        Group.WEIGHT: Bilingual(fr="Quand c'est lourd à porter", en="When it is heavy to carry"),
        Group.LOOP: Bilingual(
            fr="Quand ça tourne dans la tête", en="When it keeps going round in your head"
        ),
        Group.SPRING: Bilingual(
            fr="Quand vous cherchez de l'élan", en="When you are looking for momentum"
        ),
    }
)

assert set(GROUP_NAMES) == set(Group), "every group has its name"
