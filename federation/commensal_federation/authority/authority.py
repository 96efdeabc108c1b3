"""Which instance speaks for an enterprise, and what is refused while that changes."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import bindparam, select

from commensal import Conflict, Row, Transaction, insert_or

from ..messages.types import Refuse, Wait, refuse_leap
from .tables import federation_authority, federation_move

_row, _move = federation_authority.c, federation_move.c
_STATE = select(_move.id, _move.new_iri).where(
    _move.enterprise_id == bindparam("of"), _move.role == bindparam("as"), _move.state == bindparam("in")
)  # built once, since every message about an enterprise needs it


@dataclass(frozen=True)
class Authority:
    """Which home speaks for an enterprise; see the columns of `federation_authority`."""

    epoch: int = 1
    moved_to: str = ""
    came_from: str = ""
    recovery_key: str = ""


def authority_of(tx: Transaction, iri: str) -> Authority:
    """The authority for an enterprise by its IRI, here or elsewhere; by default epoch 1 at its own address."""
    row = tx.first(select(*(_row[field.name] for field in fields(Authority))).where(_row.iri == iri))
    return Authority() if row is None else Authority(**row)


def set_authority(tx: Transaction, iri: str, **values: object) -> None:
    """Sets these fields and leaves the others unchanged."""
    defaults = {field.name: field.default for field in fields(Authority)}
    insert = insert_or(tx, federation_authority).values(iri=iri, changed_at=tx.now, **{**defaults, **values})
    changes = {**values, "changed_at": tx.now}
    tx.execute(insert.on_conflict_do_update(index_elements=["iri"], set_=changes))


def refuse_moved(tx: Transaction, iri: str) -> None:
    """The fence: refuses what an instance says about an enterprise that has left it. Raises `Refuse`."""
    authority = authority_of(tx, iri)
    if authority.moved_to:
        raise Refuse("moved", f"That enterprise has moved to {authority.moved_to[:300]} in epoch {authority.epoch}.")


def refuse_old_epoch(tx: Transaction, iri: str, epoch: int) -> None:
    """Refuses a move whose epoch is not newer than the current one, or far ahead of it. Raises `Refuse`."""
    current_epoch = authority_of(tx, iri).epoch
    if epoch <= current_epoch:
        raise Refuse("old_epoch", f"The authority epoch is {current_epoch} already.")
    refuse_leap("Epoch", epoch, current_epoch)


def is_frozen(tx: Transaction, enterprise_id: str) -> bool:
    """Whether the enterprise is leaving and its export is under way, or it has left."""
    return _frozen_move(tx, enterprise_id) is not None


def is_quarantined(tx: Transaction, mirror: str) -> bool:
    """Whether new sales of this copied enterprise are stopped, because its recovery key claims a move."""
    return tx.first(_STATE, {"of": mirror, "as": "following", "in": "quarantined"}) is not None


def _frozen_move(tx: Transaction, enterprise_id: str) -> Row | None:
    return tx.first(_STATE, {"of": enterprise_id, "as": "leaving", "in": "frozen"})


def has_left(tx: Transaction, enterprise_id: str) -> bool:
    """Whether the enterprise had moved before a restore from a backup in which it lives here; see `moving.restored`."""
    move = _frozen_move(tx, enterprise_id)
    return move is not None and bool(move["new_iri"])


def refuse_moving(tx: Transaction, enterprise_id: str) -> None:
    """Refuses a person's change while the enterprise is moving, or where it has left. Raises `Conflict`."""
    move = _frozen_move(tx, enterprise_id)
    if move is not None and move["new_iri"]:
        raise Conflict("moved", "This enterprise has moved to another instance, and can only be changed there.")
    if move is not None:
        raise Conflict("moving", "This enterprise is moving to another instance. Wait for that, or cancel it.")


def wait_while_moving(tx: Transaction, enterprise_id: str) -> None:
    """Parks a peer's message while the enterprise is moving, until one home speaks for it again.

    Raises `Wait`, and `Refuse` where it has left.
    """
    move = _frozen_move(tx, enterprise_id)
    if move is not None and move["new_iri"]:
        raise Refuse("moved", f"That enterprise has moved to {move['new_iri'][:300]}.")
    if move is not None:
        raise Wait("the enterprise is moving", lasting=True)
