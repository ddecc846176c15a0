"""Structured logs: events with facts, never sentences; JSON where machines read them."""

import logging
import re
from collections.abc import Iterable
from typing import Literal

import structlog

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


VALUE_CHARS_MAX = 2_000
"""Of one text in a log line: a path, a message of somebody else's."""
TRACEBACK_CHARS_MAX = 12_000
LINE_CHARS_MAX = 32_768
CUT = "…"

assert VALUE_CHARS_MAX < TRACEBACK_CHARS_MAX < LINE_CHARS_MAX, "a traceback fits its line"


def set_up_logs(style: Literal["console", "json"], level: str, secrets: Iterable[str] = ()) -> None:
    """Send every log line, ours and the libraries', to one place in one form.

    secrets: what no line may ever hold; a message of somebody else's may repeat them.
    """
    known = Secrets(secrets)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        _Discreet(
            known,
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _Shortened(known),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # These write whole addresses, and an address may carry a token.
    for name in ("httpx", "httpcore", "httpx2", "httpcore2", "openai", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _Shortened:
    """Cuts long texts before they are rendered: a line stays a line, and JSON stays JSON."""

    def __init__(self, secrets: Secrets):
        self._secrets = secrets

    def __call__(
        self, _: object, __: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        for name, value in event.items():
            if isinstance(value, int | float | None):
                continue
            text = value if isinstance(value, str) else repr(value)
            chars_max = TRACEBACK_CHARS_MAX if name == "exception" else VALUE_CHARS_MAX
            if len(text) > chars_max:
                event[name] = self._secrets.cut(text, chars_max) + CUT
        return event


class _Discreet(structlog.stdlib.ProcessorFormatter):
    """The last look at every line, tracebacks included."""

    def __init__(self, secrets: Secrets, *arguments: object, **options: object):
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        # Values are short by now; many of them, or many escapes, still make a long line.
        line = self._secrets.cut(super().format(record), LINE_CHARS_MAX)
        return self._secrets.hide(hide_tokens(line))
