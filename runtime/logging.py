"""Configures structlog for our own log lines and those of libraries: JSON or console, with ids from the context."""

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

from runtime.settings import Settings

MAX_TEXT = 2000
SENSITIVE_KEYS = ("password", "secret", "token", "cookie", "authorization", "sealed")


def _redact(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Masks the value of every field whose name suggests a secret."""
    for key in line:
        if any(word in key.lower() for word in SENSITIVE_KEYS):
            line[key] = "***"
    return line


def _shorten(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Cuts long texts: what a request contains must not fill the log."""
    for key, value in line.items():
        if isinstance(value, str) and len(value) > MAX_TEXT:
            line[key] = f"{value[:MAX_TEXT]}… ({len(value)} characters)"
    return line


def _shorten_exceptions(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """The same for the messages of exceptions; the frames stay."""
    for exception in line.get("exception", ()):
        exception["exc_value"] = exception["exc_value"][:MAX_TEXT]
    return line


def configure_logging(settings: Settings) -> None:
    """Call it once per process, before anything logs. Log lines go to stdout."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
        _shorten,
    ]
    renderer: list[structlog.typing.Processor] = (
        [
            # without local variables: they may contain secrets
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            _shorten_exceptions,
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
    for noisy in ("uvicorn.access", "arq.worker"):  # one line per request or job repeats what our own lines say
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # at the level debug it shows the headers of WebSockets, with tokens
    logging.getLogger("uvicorn.error").setLevel(max(logging.INFO, root.level))
