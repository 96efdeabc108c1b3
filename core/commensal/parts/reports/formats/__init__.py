"""The formats of reports: a module for each, which is imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from ..values import Printout

FORMATS = ("csv", "xlsx", "html", "pdf", "jsonl")


@dataclass(frozen=True, kw_only=True)
class Format:
    """write:   returns the file in parts, and closes what it has opened when it is closed itself
    headers: further headers of the HTTP response
    shown:   whether a browser shows it instead of saving it
    """

    media_type: str
    write: Callable[[Printout], Iterator[bytes]]
    headers: tuple[tuple[str, str], ...] = ()
    shown: bool = False


def find_format(name: str) -> Format:
    """The format; `name` is one of `FORMATS`."""
    report_format: Format = import_module(f"{__name__}.{name}").FORMAT
    return report_format
