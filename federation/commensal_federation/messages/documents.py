"""Objects of messages that are whole DFC documents."""

from __future__ import annotations

from collections.abc import Iterable

from ..dfc.graph import write_116
from ..dfc.read import DfcDocument
from ..dfc.read import read as read_dfc
from ..dfc.vocabulary import Thing
from ..signing import JsonObject, Unreadable
from .envelope import DFC_CONTEXT


def write_document(things: Iterable[Thing]) -> dict[str, object]:
    """A complete DFC document, by the context that messages may have."""
    return {**write_116(things, named_values=True), "@context": DFC_CONTEXT}


def read_document(document: JsonObject) -> DfcDocument:
    """Raises `Unreadable`, also for a document of another context."""
    if document.get("@context") != DFC_CONTEXT:
        raise Unreadable("context", "the object must be a document of DFC 1.16")
    return read_dfc(document)
