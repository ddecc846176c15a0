"""Structured logs: events with facts, never sentences; JSON where machines read them."""

import logging
import re
from collections.abc import Iterable
from typing import Literal

import structlog

from parcours_xl.tokens import HIDDEN, hide_tokens

SECRET_CHARS_MIN = 8


def set_up_logs(style: Literal["console", "json"], level: str, secrets: Iterable[str] = ()) -> None:
    """Send every log line, ours and the libraries', to one place in one form.

    secrets: what no line may ever hold; a message of somebody else's may repeat them.
    """
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
            secrets,
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
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


class _Discreet(structlog.stdlib.ProcessorFormatter):
    """The last look at every line, tracebacks included."""

    def __init__(self, secrets: Iterable[str], *arguments: object, **options: object):
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        known = sorted({text for text in secrets if len(text) >= SECRET_CHARS_MIN}, key=len)
        self._known = re.compile("|".join(map(re.escape, reversed(known)))) if known else None

    def format(self, record: logging.LogRecord) -> str:
        line = hide_tokens(super().format(record))
        return self._known.sub(HIDDEN, line) if self._known else line
