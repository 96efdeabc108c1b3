"""How logs look, and what every line of them says.

One line is one event, in JSON where no terminal reads it. Lines that are written while a request is answered carry its
id, its route and who asks; those that a plugin's hook writes carry the plugin. Nothing that people send can begin a
line of its own, and secrets do not show. Tracebacks come without the values of variables: those hold people's data.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from structlog.typing import ExcInfo, Processor

from .errors import Unavailable
from .secret import Secret

Event = MutableMapping[str, Any]
_BREAKS = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}
_BREAKS |= {number: f"\\u{number:04x}" for number in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_BREAKS |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_HANDLER = "commensal"

_request: ContextVar[Request | None] = ContextVar("request", default=None)
_speaker: ContextVar[tuple[str, str]] = ContextVar("speaker", default=("", ""))


class Request:
    """What the lines of one request say besides. `route` is asked when a line is written: at first it is not known."""

    def __init__(self, request_id: str, route: Callable[[], str]) -> None:
        self._said, self._route = {"request_id": request_id}, route

    def note(self, said: Mapping[str, str | None]) -> None:
        self._said |= {name: value for name, value in said.items() if value}

    def fields(self) -> dict[str, str]:
        return {**self._said, "route": self._route()}


@contextmanager
def answering(request: Request) -> Iterator[None]:
    """Lines that are written until the block ends, in this thread and in those that it waits for, are the request's."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def note(**said: str | None) -> None:
    """From now on, every line of the request says this too. Ids only: no names, no addresses, no secrets."""
    request = _request.get()
    if request is not None:
        request.note(said)


def request_id() -> str:
    """Of the request that is answered; "" where none is."""
    request = _request.get()
    return request.fields()["request_id"] if request is not None else ""


class speaking:
    """What runs until the block ends is this plugin's, and so are its lines: ``with speaking("pickup", "jobs"): …``

    `what` is the hook, page, endpoint or job in which it runs; "" for what may take its time, as a start.
    """

    __slots__ = ("_speaker", "_token")

    def __init__(self, plugin: str, what: str = "") -> None:
        self._speaker = plugin, what

    def __enter__(self) -> None:
        self._token = _speaker.set(self._speaker)

    def __exit__(self, *_: object) -> None:
        _speaker.reset(self._token)


def speaker() -> tuple[str, str]:
    """The plugin whose code runs in this thread, and in what; ("", "") where it is the core's."""
    return _speaker.get()


def configure_logs(file: TextIO | None = None, *, level: str = "info", format: str = "auto") -> None:
    """Logs go to `file`, or to stdout where there is none; those of libraries too, from warnings on.

    `format` is "json", "text" for people, or "auto": text where a terminal reads.
    """
    text = format == "text" or (format == "auto" and (file is None or file.isatty()))
    least = logging.getLevelNamesMapping()[level.upper()]
    first: list[Processor] = [
        _carried,
        _without_traceback,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    last = _text(file) if text else _json()
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(file),
    )
    _configure_libraries(file, first, last, max(least, logging.WARNING))


def _configure_libraries(file: TextIO | None, first: list[Processor], last: list[Processor], least: int) -> None:
    """uvicorn and others log by the standard library."""
    handler = logging.StreamHandler(file)
    handler.set_name(_HANDLER)
    handler.setLevel(least)
    cleaned = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=first, processors=cleaned))
    root = logging.getLogger()
    for one in [one for one in root.handlers if one.get_name() == _HANDLER]:
        root.removeHandler(one)
    root.addHandler(handler)


def _carried(_: Any, __: str, event: Event) -> Event:
    request, (plugin, _what) = _request.get(), _speaker.get()
    carried = request.fields() if request is not None else {}
    if plugin:
        carried["plugin"] = plugin
    return {**carried, **event}


def _without_traceback(_: Any, __: str, event: Event) -> Event:
    """A database that is away has every request and every worker fail: where in the code that was says nothing."""
    given = event.get("exc_info")
    error = given[1] if isinstance(given, tuple) else given
    if not isinstance(error, Unavailable):
        return event
    return {**{name: value for name, value in event.items() if name != "exc_info"}, "why": str(error)}


def _hide_secrets(_: Any, __: str, event: Event) -> Event:
    return {name: _hidden(value) for name, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _hidden(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(one) for one in value]
    return value


def _json() -> list[Processor]:
    """JSON escapes whatever could begin a line."""
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]


def _text(file: TextIO | None) -> list[Processor]:
    colours = file is not None and file.isatty()
    return [_escape, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=_indented)]


def _escape(_: Any, __: str, event: Event) -> Event:
    """What moves the cursor or begins a line is shown, not done. Values of other types show themselves by `repr`."""
    return {name: value.translate(_BREAKS) if isinstance(value, str) else value for name, value in event.items()}


def _indented(file: TextIO, error: ExcInfo) -> None:
    """A traceback whose lines cannot be taken for events, whatever the error's message says."""
    for line in structlog.processors.format_exc_info(None, "", {"exc_info": error})["exception"].split("\n"):
        file.write(f"\n    {line.translate(_BREAKS)}")
