"""ScopesChanged: what the receiver may do at the sender's from now on."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject
from .reading import texts
from .types import MessageType, Reading, Writing


@dataclass(frozen=True)
class ScopesChangedBody:
    """scopes_given: all that the receiver may do, those that it had before too"""

    scopes_given: tuple[str, ...]


def write(body: ScopesChangedBody, writing: Writing) -> dict[str, object]:
    return {"type": "ScopesChanged", "scopesGiven": list(body.scopes_given)}


def read(document: JsonObject, reading: Reading) -> ScopesChangedBody:
    return ScopesChangedBody(texts(document, "scopesGiven"))


SCOPES_CHANGED = MessageType(
    name="ScopesChanged",
    lane="peering",
    scope=None,
    body=ScopesChangedBody,
    write=write,
    read=read,
    members={"scopesGiven": "all that it may do; what is not listed ends"},
)
