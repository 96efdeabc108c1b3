"""What is known of a signer, and what is found of an offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..identity import InstanceDocument
from ..signing import PublicKey

Bound = Literal["own", "peer", "fetched"]


@dataclass(frozen=True)
class Signer:
    """An instance whose keys are known here.

    text:  its document byte for byte, as pinned at `at` (UTC)
    bound: how we know that the document is the instance's: it is our own, two operators have compared the fingerprint
           (peer), or we fetched it from the address that is its name (fetched)
    """

    document: InstanceDocument
    text: str
    at: datetime
    bound: Bound

    @property
    def keys(self) -> Mapping[str, PublicKey]:
        return self.document.keys


@dataclass(frozen=True, kw_only=True)
class Origin:
    """An instance that is not a peer, and whose producers' goods come through peers.

    fingerprint:  of its root key, for people to compare; empty before it has answered
    doubt:        why its keys are not believed at present; empty: they are
    silent_since: since when (UTC) it has not answered; None: it has
    waiting:      how many catalogues wait for its keys
    """

    iri: str
    fingerprint: str
    doubt: str
    silent_since: datetime | None
    waiting: int


class NotProved(Exception):
    """The statements of an offer do not prove it: altered, another's, or another's goods. The text is for people."""


class KeysMissing(Exception):
    """The keys of the instance `actor` are not known here yet, or it may have newer ones."""

    def __init__(self, actor: str) -> None:
        super().__init__(actor)
        self.actor = actor
