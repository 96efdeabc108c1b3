"""The formats in which a report is written: one file each, found by its name when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from ..values import Printout

FORMATS = ("csv", "xlsx", "html", "pdf", "jsonl")


@dataclass(frozen=True, kw_only=True)
class Format:
    """write: gives the file in parts. It closes what it opened when it is closed itself
    headers: what its answer over HTTP needs besides
    shown:   a browser shows it, rather than save it
    """

    media_type: str
    write: Callable[[Printout], Iterator[bytes]]
    headers: tuple[tuple[str, str], ...] = ()
    shown: bool = False


def format_named(name: str) -> Format:
    """One of `FORMATS`."""
    found: Format = import_module(f"{__name__}.{name}").FORMAT
    return found
