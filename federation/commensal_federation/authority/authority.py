"""Who speaks for an enterprise, and what may not happen while that changes."""

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
)  # made once, since each message about an enterprise needs it


@dataclass(frozen=True)
class Authority:
    """The fields are explained at `federation_authority`."""

    epoch: int = 1
    moved_to: str = ""
    came_from: str = ""
    recovery_key: str = ""


def authority_of(tx: Transaction, iri: str) -> Authority:
    """Of an enterprise by its address, here or elsewhere; the first epoch for one that nothing was said about."""
    found = tx.first(select(*(_row[one.name] for one in fields(Authority))).where(_row.iri == iri))
    return Authority() if found is None else Authority(**found)


def set_authority(tx: Transaction, iri: str, **values: Any) -> None:
    """Writes these fields, and leaves the others as they are."""
    usual = {one.name: one.default for one in fields(Authority)}
    row = insert_or(tx, federation_authority).values(iri=iri, changed_at=tx.now, **{**usual, **values})
    again = {**values, "changed_at": tx.now}
    tx.execute(row.on_conflict_do_update(index_elements=["iri"], set_=again))


def refuse_moved(tx: Transaction, iri: str) -> None:
    """The fence: an instance that an enterprise has left does not speak for it. Raises `Refuse`."""
    known = authority_of(tx, iri)
    if known.moved_to:
        raise Refuse("moved", f"That enterprise has moved to {known.moved_to[:300]} in epoch {known.epoch}.")


def refuse_old_epoch(tx: Transaction, iri: str, epoch: int) -> None:
    """A move counts once, and only forward. Raises `Refuse`."""
    known = authority_of(tx, iri).epoch
    if epoch <= known:
        raise Refuse("old_epoch", f"The authority epoch is {known} already.")


def is_frozen(tx: Transaction, enterprise_id: str) -> bool:
    """Whether the enterprise is about to leave: its export is under way."""
    return tx.first(_STATE, {"of": enterprise_id, "as": "leaving", "in": "frozen"}) is not None


def is_quarantined(tx: Transaction, mirror: str) -> bool:
    """Whether this copy is of an enterprise of which nothing new is sold, because its key says that it has moved."""
    return tx.first(_STATE, {"of": mirror, "as": "following", "in": "quarantined"}) is not None


def refuse_moving(tx: Transaction, enterprise_id: str) -> None:
    """For what people do. Raises `Conflict`."""
    if is_frozen(tx, enterprise_id):
        raise Conflict("moving", "This enterprise is moving to another instance. Wait for that, or cancel it.")


def wait_while_moving(tx: Transaction, enterprise_id: str) -> None:
    """For what peers say: it waits until one of the two homes speaks for the enterprise again. Raises `Wait`."""
    if is_frozen(tx, enterprise_id):
        raise Wait("the enterprise is moving")
