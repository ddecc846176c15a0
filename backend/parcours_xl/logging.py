"""Structured logs: events with facts, never sentences; JSON where machines read them."""

import logging
from collections.abc import Iterable
from typing import Literal

import structlog

from parcours_xl.tokens import Secrets, hide_tokens

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
