"""Which instance speaks for an enterprise, and what is refused while that changes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, select

from commensal import Conflict, Transaction, insert_or

from ..messages.types import Refuse, Wait
from .tables import federation_authority, federation_move

_row, _move = federation_authority.c, federation_move.c
_STATE = select(_move.id).where(
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


def set_authority(tx: Transaction, iri: str, **values: Any) -> None:
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
    """Refuses a move whose epoch is not newer than the current one. Raises `Refuse`."""
    current_epoch = authority_of(tx, iri).epoch
    if epoch <= current_epoch:
        raise Refuse("old_epoch", f"The authority epoch is {current_epoch} already.")


def is_frozen(tx: Transaction, enterprise_id: str) -> bool:
    """Whether the enterprise is leaving and its export is under way."""
    return tx.first(_STATE, {"of": enterprise_id, "as": "leaving", "in": "frozen"}) is not None


def is_quarantined(tx: Transaction, mirror: str) -> bool:
    """Whether new sales of this copied enterprise are stopped, because its recovery key claims a move."""
    return tx.first(_STATE, {"of": mirror, "as": "following", "in": "quarantined"}) is not None


def refuse_moving(tx: Transaction, enterprise_id: str) -> None:
    """Refuses a person's change while the enterprise is moving. Raises `Conflict`."""
    if is_frozen(tx, enterprise_id):
        raise Conflict("moving", "This enterprise is moving to another instance. Wait for that, or cancel it.")


def wait_while_moving(tx: Transaction, enterprise_id: str) -> None:
    """Parks a peer's message while the enterprise is moving, until one home speaks for it again. Raises `Wait`."""
    if is_frozen(tx, enterprise_id):
        raise Wait("the enterprise is moving")
