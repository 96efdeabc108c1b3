"""The document in which an instance describes itself, as others store it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..namespace import NAMESPACE
from ..signing import PublicKey

PROTOCOL = "commensal-fed/1"
CONTEXT = ["https://www.w3.org/ns/cid/v1", NAMESPACE]
VALID = 7  # days that a document is valid at most, whatever it declares


@dataclass(frozen=True)
class InstanceDocument:
    """The document of another instance, read and proven.

    keys:        live and ended keys by id; ended ones have `expires` or `revoked_at`
    root:        the key that alone can add keys; operators compare its fingerprint
    version:     of the key set; it only grows
    valid_until: UTC; afterwards the document must be fetched again
    document:    the JSON as received, to be pinned
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
