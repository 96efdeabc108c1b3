"""The contexts of DFC documents, all known here: nothing is ever fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def expand(document: Mapping[str, Any] | list[Any]) -> list[Any]:
    """The document in expanded JSON-LD. Raises `Unreadable` for a context that is not known."""
    raise NotImplementedError
