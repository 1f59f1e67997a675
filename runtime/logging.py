"""Log lines: structlog for ours and the libraries', JSON or console, with request and store ids from the context."""

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

from runtime.settings import Settings

SECRET_WORDS = ("password", "secret", "token", "cookie", "authorization", "sealed")


def _mask(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """A last net: a field with a telling name never shows its value."""
    for key in line:
        if any(word in key.lower() for word in SECRET_WORDS):
            line[key] = "***"
    return line


def configure(settings: Settings) -> None:
    """Once a process, before anything logs. Lines go to stdout."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mask,
    ]
    renderer: list[structlog.typing.Processor] = (
        [
            # without locals: they may hold secrets
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
        if settings.log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in ("uvicorn.access", "arq.worker"):  # a line a request or a nudge says nothing that ours don't
        logging.getLogger(noisy).setLevel(logging.WARNING)
