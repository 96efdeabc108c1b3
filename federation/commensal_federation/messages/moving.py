"""What is said about an enterprise that moves, and the move as each side keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from ..signing import JsonObject, Unreadable
from .bodies.enterprise_rows import read_rows
from .members import Term, declared, id_list, ids

Role = Literal["leaving", "coming", "following"]
_PARTS = 10_000
_SIGNED = Meta(max_length=5000)
_EPOCH = Term("authorityEpoch")
_IDS = Term(read=id_list)
_APART = (
    "ids, at the old home, of lots whose lease goes on beside another lease of the same goods, from a hub at the new"
)


def _read_export(document: JsonObject, name: str) -> tuple[JsonObject, ...]:
    rows = document.get(name)
    read_rows(rows)
    assert isinstance(rows, list)
    return tuple(rows)


Enterprise = Annotated[str, "the enterprise that moves, at its old address"]
MovedTo = Annotated[str, "its address at the new home"]
ClaimedHome = Annotated[str, "where it is said to go"]
Renamed = Annotated[
    Mapping[str, str],
    Term(read=ids),
    "new ids by old ones, of things of which the new home had a copy already; all other ids stay",
]


@dataclass(frozen=True, kw_only=True)
class MoveOffer:
    """An owner would like an enterprise of the sender to live at the receiver's from now on."""

    enterprise: Enterprise
    name: Annotated[str, "for people"]
    products: Annotated[int, "how many it has"]
    epoch: Annotated[int, _EPOCH, "the one that would begin"]


@dataclass(frozen=True, kw_only=True)
class MoveAccept:
    """The operator and the future owner agree that the enterprise comes; or they do not (any more)."""

    enterprise: Enterprise
    accepted: Annotated[bool, "`false`: not, or not any more"]


@dataclass(frozen=True, kw_only=True)
class MoveExport:
    """A part of what the enterprise takes along, as rows that `messages/bodies/enterprise_rows.py` explains."""

    enterprise: Enterprise
    part: Annotated[int, "from 1"]
    parts: Annotated[int, "how many there are"]
    rows: Annotated[
        tuple[JsonObject, ...],
        Term(read=_read_export),
        "one for each thing, by `kind`; only an instance of Commensal can take them",
    ]

    def __post_init__(self) -> None:
        if not 1 <= self.part <= self.parts <= _PARTS:
            raise Unreadable("part", f"parts are counted from 1 to {_PARTS} at most")


@dataclass(frozen=True, kw_only=True)
class MoveReady:
    """The import would succeed; from the old home's `Move` on the enterprise lives at the sender's."""

    enterprise: Enterprise
    moved_to: MovedTo
    renamed: Renamed


@dataclass(frozen=True, kw_only=True)
class MoveCancel:
    """The enterprise stays where it is."""

    enterprise: Enterprise


@dataclass(frozen=True, kw_only=True)
class Move:
    """The enterprise lives elsewhere now. Its old home says so, or the producer with the recovery key.

    A thing's address is the same below the new instance's, but for the ids in `renamed`.
    """

    enterprise: Enterprise
    moved_to: MovedTo
    epoch: Annotated[int, _EPOCH, "higher than any before"]
    renamed: Renamed = field(default_factory=dict)
    apart: Annotated[tuple[str, ...], _IDS, f"{_APART}; where hubs of the old home have one"] = ()
    statement: Annotated[
        str | None, _SIGNED, "signed by the recovery key, as a text, where the old home does not say so itself"
    ] = None


@dataclass(frozen=True, kw_only=True)
class MoveFollowed:
    """The sender deals with the new home from now on, and wants to hear what it has with it.

    `apart`: lots that the sender leases from the new home too, from a hub there. Its lease with the old home goes on
    beside that one, for a lot of its own.
    """

    enterprise: Enterprise
    moved_to: MovedTo
    apart: Annotated[tuple[str, ...], _IDS, _APART] = ()


@dataclass(frozen=True, kw_only=True)
class RecoveryKeyTold:
    """The public half of the key by which a producer can move an enterprise without its home."""

    enterprise: Annotated[str, "whose key it is"]
    key: Annotated[str, Term("recoveryKey"), Meta(max_length=100), "its public half, a did:key"]


@dataclass(frozen=True, kw_only=True)
class MoveNotice:
    """Somebody moves an enterprise of the receiver's with its recovery key, and the sender waits until then."""

    enterprise: Enterprise
    moved_to: ClaimedHome
    until: Annotated[datetime, "the sender waits until then"]


@dataclass(frozen=True, kw_only=True)
class MoveContest:
    """The old home, or the recovery key, says that a move is not so."""

    enterprise: Enterprise
    moved_to: ClaimedHome
    statement: Annotated[
        str | None, _SIGNED, "signed by the recovery key, as a text, where it is not the old home that says so"
    ] = None


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


MOVE_OFFER = declared(MoveOffer, lane="order", scope="enterprise.move")
MOVE_ACCEPT = declared(MoveAccept, lane="order", foreign=True)
MOVE_EXPORT = declared(MoveExport, lane="catalogue", scope="enterprise.move")
MOVE_READY = declared(MoveReady, lane="order", foreign=True)
MOVE_CANCEL = declared(MoveCancel, lane="order")
MOVE = declared(Move, lane="order", foreign=True)
MOVE_FOLLOWED = declared(MoveFollowed, lane="order", foreign=True)
RECOVERY_KEY = declared(RecoveryKeyTold, name="RecoveryKey", lane="catalogue")
MOVE_NOTICE = declared(MoveNotice, lane="order", foreign=True)
MOVE_CONTEST = declared(MoveContest, lane="order", foreign=True)
