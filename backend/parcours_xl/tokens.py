"""Tokens, keys and signatures in texts that others wrote."""

import re
from collections.abc import Iterable

HIDDEN = "[hidden]"
SECRET_CHARS_MIN = 8
"""Shorter secrets are not looked for: their text is part of too many words."""

# What opens something, whoever wrote it into a message: tokens of addresses, JWTs, vendors' keys.
# Linear: no alternative fails after it has read more than a few characters, and none gives back
# what it has read (++). So the first part of a JWT is enough to hide it: looking for the dot behind
# it would read the rest of the text again for each `-eyJ`.
_TOKENS = re.compile(
    r"(?P<name>[?&](?:token|apikey|api_key|key|signature|access_token)=)[^&\s\"'\\<>]++"
    r"|(?P<scheme>\bBearer\s{1,8}+)[\w.~+/=-]{8,}+"
    r"|\b(?-i:eyJ)[\w-]{8,}+(?:\.[\w-]*+){0,2}+"
    r"|\bsb_secret_[\w-]++|\bsk-[\w-]{8,}+",
    re.IGNORECASE,
)


def hide_tokens(text: str) -> str:
    """Return the text, with nothing left in it that opens anything. Takes linear time."""
    return _TOKENS.sub(_hide, text)


class Secrets:
    """The secrets of this deployment, to be kept out of texts."""

    def __init__(self, secrets: Iterable[str]):
        known = sorted({text for text in secrets if len(text) >= SECRET_CHARS_MIN}, key=len)
        self._known = re.compile("|".join(map(re.escape, reversed(known)))) if known else None
        self._chars_max = len(known[-1]) if known else 0

    def hide(self, text: str) -> str:
        """Return the text without any of them."""
        return self._known.sub(HIDDEN, text) if self._known else text

    def cut(self, text: str, chars_max: int) -> str:
        """Return at most so many characters, and no half of a secret: it would not be found."""
        if len(text) <= chars_max:
            return text
        if self._known:
            around = max(0, chars_max - self._chars_max), chars_max + self._chars_max
            for found in self._known.finditer(text, *around):
                if found.start() < chars_max < found.end():
                    return text[: found.start()]
        return text[:chars_max]


def _hide(found: re.Match[str]) -> str:
    return (found["name"] or found["scheme"] or "") + HIDDEN
