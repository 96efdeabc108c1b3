"""How logs look. Tracebacks come without the values of variables: those hold people's data, and secrets."""

from __future__ import annotations

from typing import TextIO

import structlog


def configure_logs(file: TextIO | None = None) -> None:
    """Logs go to `file`, or to stdout where there is none."""
    readable = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    first = [one for one in structlog.get_config()["processors"] if not isinstance(one, structlog.dev.ConsoleRenderer)]
    structlog.configure(processors=[*first, readable], logger_factory=structlog.PrintLoggerFactory(file))
