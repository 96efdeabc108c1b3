"""What is said about a move, and the move as each side keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ...signing import JsonObject

Role = Literal["leaving", "coming", "following"]


@dataclass(frozen=True, kw_only=True)
class MoveOffer:
    """An owner would like the enterprise to live at the receiver's. `epoch` is the one that would begin."""

    enterprise: str
    name: str
    products: int
    epoch: int


@dataclass(frozen=True, kw_only=True)
class MoveAccept:
    """Operator and future owner agree, or one of them does not (any more)."""

    enterprise: str
    accepted: bool


@dataclass(frozen=True, kw_only=True)
class MoveExport:
    """One part of what the enterprise has, as rows of `enterprise_rows.py`; `part` counts from 1."""

    enterprise: str
    part: int
    parts: int
    rows: tuple[JsonObject, ...]


@dataclass(frozen=True, kw_only=True)
class MoveReady:
    """The import would succeed. `renamed` has the ids of those few things that will have another one there."""

    enterprise: str
    moved_to: str
    renamed: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class MoveCancel:
    """The old home keeps the enterprise."""

    enterprise: str


@dataclass(frozen=True, kw_only=True)
class Move:
    """The enterprise lives elsewhere now. `statement` is signed by its recovery key where the old home did not help.

    A thing's address is the same below the new instance's, but for the ids in `renamed`. `apart`: ids of lots whose
    lease with the old home is kept apart, as in `MoveFollowed`.
    """

    enterprise: str
    moved_to: str
    epoch: int
    renamed: Mapping[str, str] = field(default_factory=dict)
    statement: str | None = None
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MoveFollowed:
    """The sender has followed: it deals with the new home from now on.

    `apart`: ids, at the old home, of lots that the sender leases from the new home too, from a hub there. Its lease
    with the old home goes on beside that one, for a lot of its own.
    """

    enterprise: str
    moved_to: str
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RecoveryKeyTold:
    """The public half of an enterprise's recovery key, as did:key."""

    enterprise: str
    key: str


@dataclass(frozen=True, kw_only=True)
class MoveNotice:
    """A peer tells the old home that somebody moves an enterprise with its recovery key, and until when it waits."""

    enterprise: str
    moved_to: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class MoveContest:
    """The old home, or whoever holds the key and has signed `statement`, says that this is not so."""

    enterprise: str
    moved_to: str
    statement: str | None = None


@dataclass(frozen=True, kw_only=True)
class MoveRow:
    """A move as this instance keeps it. Times are UTC.

    role:   of this instance: "leaving" here, "coming" here, or "following" somebody we trade with
    state:  leaving: offered, frozen, moved, cancelled, refused; coming: offered, named, accepted, ready, done,
            cancelled, refused; following: heard, waiting (for its new home to become a peer), quarantined, contested,
            followed, refused
    epoch:  the authority epoch that begins with it
    said:   leaving: what was frozen; else what the move says
    until:  the end of the quarantine
    error:  why it does not go on
    """

    id: str
    role: Role
    state: str
    peer_id: str
    name: str
    old_iri: str
    new_iri: str
    epoch: int
    enterprise_id: str | None
    owner_id: str | None
    said: Mapping[str, Any]
    until: datetime | None
    error: str
    created_at: datetime
    changed_at: datetime
