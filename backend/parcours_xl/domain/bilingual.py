"""Words in the two languages of the product."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Language = Literal["fr", "en"]

_BLANKS = re.compile(r"[ \t\r\n]+")


def one_line(text: str) -> str:
    """The text with every run of blanks made one space, and none at either end."""
    return _BLANKS.sub(" ", text).strip()


Line = Annotated[str, AfterValidator(one_line), Field(min_length=1)]


class Bilingual(BaseModel):
    """One meaning in French and in English."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fr: Line
    en: Line

    def say(self, language: Language) -> str:
        """The words in that language."""
        return self.fr if language == "fr" else self.en
