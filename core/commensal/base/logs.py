"""The format of logs, and the fields that every line has.

One line is one event, in JSON unless a terminal reads it. Lines written during a request have its id, its route and its
person; lines written by plugins have the plugin. No input can begin a line of its own, and secrets are hidden.
Tracebacks have no values of variables, because these are personal data.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from structlog.typing import ExcInfo, Processor

from .errors import SettingsError, StoreError, Unavailable
from .ids import Secret

Event = MutableMapping[str, Any]
_ESCAPES = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}
_ESCAPES |= {number: f"\\u{number:04x}" for number in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_ESCAPES |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_HANDLER = "commensal"

_request: ContextVar[LoggedRequest | None] = ContextVar("request", default=None)
# The plugin whose code runs, and what of it: see `plugin_context`, which sets it.
running_plugin: ContextVar[tuple[str, str]] = ContextVar("plugin", default=("", ""))


class LoggedRequest:
    """The fields of all lines of one request. `route` is called for each line, because it is not known at first.
    `caller` is the network that the request came from, which no line has."""

    def __init__(self, request_id: str, route: Callable[[], str], caller: str = "") -> None:
        self._fields, self._route, self.caller = {"request_id": request_id}, route, caller

    def note(self, fields: Mapping[str, str | None]) -> None:
        self._fields |= {name: value for name, value in fields.items() if value}

    def fields(self) -> dict[str, str]:
        return {**self._fields, "route": self._route()}


@contextmanager
def log_as_request(request: LoggedRequest) -> Iterator[None]:
    """Adds the request's fields to all lines of the block, in this thread and in copies of its context."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def add_log_fields(**fields: str | None) -> None:
    """Adds fields to all further lines of the present request. Ids only: no names, no addresses, no secrets."""
    request = _request.get()
    if request is not None:
        request.note(fields)


def request_id() -> str:
    """The id of the present request; "" if there is none."""
    request = _request.get()
    return request.fields()["request_id"] if request is not None else ""


def current_caller() -> str:
    """The network that the present request came from; "" if there is no request, as in a job or a command."""
    request = _request.get()
    return request.caller if request is not None else ""


class plugin_context:
    """Marks the block as code of a plugin, and its log lines too: ``with plugin_context("pickup", "jobs"): …``

    `what` is the hook, page, endpoint or job in which it runs; "" for code without a time limit, as at a start.
    """

    __slots__ = ("_plugin", "_token")

    def __init__(self, plugin: str, what: str = "") -> None:
        self._plugin = plugin, what

    def __enter__(self) -> None:
        self._token = running_plugin.set(self._plugin)

    def __exit__(self, *_: object) -> None:
        running_plugin.reset(self._token)


def current_plugin() -> tuple[str, str]:
    """The plugin whose code runs in this thread, and its hook, page, endpoint or job; ("", "") for the core's code."""
    return running_plugin.get()


def configure_logs(file: TextIO | None = None, *, level: str = "info", format: str = "auto") -> None:
    """Sends logs to `file` (None: stdout), and those of libraries too if they are at least warnings.

    `format` is "json", "text" for people, or "auto": text if `file` is a terminal.
    """
    text = format == "text" or (format == "auto" and (file is None or file.isatty()))
    lowest_level = logging.getLevelNamesMapping()[level.upper()]
    shared_processors: list[Processor] = [
        _add_context,
        _shorten_told,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    rendering = _text(file) if text else _json()
    structlog.configure(
        processors=[*shared_processors, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(lowest_level),
        logger_factory=structlog.PrintLoggerFactory(file),
    )
    _configure_libraries(file, shared_processors, rendering, max(lowest_level, logging.WARNING))


def _configure_libraries(
    file: TextIO | None, shared_processors: list[Processor], rendering: list[Processor], lowest_level: int
) -> None:
    """Formats the logs of the standard library, which uvicorn and others use."""
    handler = logging.StreamHandler(file)
    handler.set_name(_HANDLER)
    handler.setLevel(lowest_level)
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared_processors, processors=processors)
    )
    root = logging.getLogger()
    for existing in [existing for existing in root.handlers if existing.get_name() == _HANDLER]:
        root.removeHandler(existing)
    root.addHandler(handler)


def _add_context(_: object, __: str, event: Event) -> Event:
    request, (plugin, _what) = _request.get(), running_plugin.get()
    fields = request.fields() if request is not None else {}
    if plugin:
        fields["plugin"] = plugin
    return {**fields, **event}


_TOLD = (Unavailable, SettingsError, StoreError)


def _shorten_told(_: object, __: str, event: Event) -> Event:
    """Replaces the traceback of `_TOLD`, and of what `Unavailable` has caused, by its text: it tells operators all, and
    every request and job fails alike, wherever it is in the code."""
    exc_info = event.get("exc_info")
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if not isinstance(error, _TOLD) and not isinstance(getattr(error, "__cause__", None), Unavailable):
        return event
    return {**{name: value for name, value in event.items() if name != "exc_info"}, "why": str(error)}


def _hide_secrets(_: object, __: str, event: Event) -> Event:
    return {name: _hide(value) for name, value in event.items()}


def _hide(value: object) -> object:
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _hide(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hide(item) for item in value]
    return value


def _json() -> list[Processor]:
    """JSON escapes all characters that could begin a line."""
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]


def _text(file: TextIO | None) -> list[Processor]:
    colours = file is not None and file.isatty()
    return [_escape, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=_indent_traceback)]


def _escape(_: object, __: str, event: Event) -> Event:
    """Escapes characters that move the cursor or begin a line. Values of other types are shown by `repr`."""
    return {name: value.translate(_ESCAPES) if isinstance(value, str) else value for name, value in event.items()}


def _indent_traceback(file: TextIO, error: ExcInfo) -> None:
    """Writes a traceback with indented lines, so that no line can be taken for an event."""
    for line in structlog.processors.format_exc_info(None, "", {"exc_info": error})["exception"].split("\n"):
        file.write(f"\n    {line.translate(_ESCAPES)}")
