"""What stays at the old home of what its leases count.

A hub there may have lent the goods on to a peer that has no grant of the enterprise.

That peer trades with the hub and not with the enterprise, so it does not follow the move. The old home leases from the
new home what it has lent on, beside what its own customers have ordered. What the new home itself has leased is never
lent on: it is its own from now on.

What peers have sold moves along, with their leases: a hand-over may be undone, and is reported to the new home then.
What customers of the old home have got, it has sold from its lease.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import ColumnElement, bindparam, exists, or_, select

from commensal import Row, Transaction

from ..availability.tables import federation_lease
from ..grants.tables import federation_grant
from ..leases.row import outstanding, sold_by_right

_lease, _grant = federation_lease.c, federation_grant.c
_GRANTED = exists().where(
    _grant.direction == "given", _grant.enterprise_id == _lease.enterprise_id, _grant.peer_id == _lease.peer_id
)
_LENT = (_lease.role == "lender", _lease.enterprise_id == bindparam("enterprise"))
_LENT_ON = select(federation_lease).where(*_LENT, _lease.peer_id != bindparam("home"), ~_GRANTED)


def moves_along(new_home_id: str) -> ColumnElement[bool]:
    """Returns the condition for leases that move with their enterprise to this peer."""
    return or_(_lease.peer_id == new_home_id, _GRANTED)


def grains_lent_on(tx: Transaction, enterprise_id: str, new_home_id: str) -> Mapping[str, int]:
    """Returns the grains that peers hold by leases that stay, by lot, when the enterprise moves to the peer."""
    grains = Counter[str]()
    for row in tx.all(_LENT_ON, {"enterprise": enterprise_id, "home": new_home_id}):
        grains[row["lot_id"]] += outstanding(row["granted"], row["seen"], row["held"], row["late"])
    return grains


def grains_sold_along(tx: Transaction, enterprise_id: str, new_home_id: str) -> Mapping[str, int]:
    """Returns the grains that peers have sold by leases that move along, by lot. Asked before those are deleted."""
    grains = Counter[str]()
    for row in tx.all(select(federation_lease).where(*_LENT, moves_along(new_home_id)), {"enterprise": enterprise_id}):
        grains[row["lot_id"]] += grains_sold(row)
    return grains


def grains_sold(lease: Row) -> int:
    """Returns the grains that the lot counts as sold by this lease, in all its epochs.

    Moves from version 0.1.0 leave a first epoch with `sold_before`, which the lot at the new home does not count.
    """
    before = lease["sold_before"] if lease["epoch"] > 1 else 0
    return int(sold_by_right(lease["sold"], lease["held"], lease["late"]) + before)
