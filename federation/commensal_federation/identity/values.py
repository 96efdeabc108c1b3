"""What an instance says of itself, and what others keep of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..namespace import NAMESPACE
from ..signing import PublicKey

PROTOCOL = "commensal-fed/1"
CONTEXT = ["https://www.w3.org/ns/cid/v1", NAMESPACE]
VALID = 7  # days: how long a document may be believed, whatever it says


@dataclass(frozen=True)
class InstanceDocument:
    """The document of another instance, read and proven.

    keys:        whose signatures count, by their ids; those that have ended are among them, and say so
    root:        which alone can add keys; its fingerprint is what two operators read to each other
    version:     of the set of keys; it only ever grows
    valid_until: after this moment the document must be fetched anew
    document:    as it came, to be pinned
    """

    iri: str
    name: str
    inbox: str
    outbox: str
    ask: str
    protocols: tuple[str, ...]
    keys: Mapping[str, PublicKey]
    root: PublicKey
    version: int
    published: datetime
    valid_until: datetime
    document: Mapping[str, Any]
