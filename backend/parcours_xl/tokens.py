"""Tokens, keys and signatures in texts that others wrote."""

import re

HIDDEN = "[hidden]"

# What opens something, whoever wrote it into a message: tokens of addresses, JWTs, vendors' keys.
_TOKENS = re.compile(
    r"(?P<name>[?&](?:token|apikey|api_key|key|signature|access_token)=)[^&\s\"'\\<>]+"
    r"|(?P<scheme>\bBearer\s+)[\w.~+/=-]{8,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*"
    r"|\bsb_secret_[\w-]+|\bsk-[\w-]{8,}",
    re.IGNORECASE,
)


def hide_tokens(text: str) -> str:
    """The text, with nothing left in it that opens anything."""
    return _TOKENS.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    return (found["name"] or found["scheme"] or "") + HIDDEN
