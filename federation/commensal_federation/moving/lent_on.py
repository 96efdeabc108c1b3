"""Leases that stay at the old home: a hub there has lent the goods on to a peer that has no grant of the enterprise.

That peer trades with the hub and not with the enterprise, so it does not follow the move. The old home leases from the
new home what it has lent on, beside what its own customers have ordered. What the new home itself has leased is never
lent on: it is its own from now on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import ColumnElement, bindparam, exists, or_, select

from commensal import Transaction

from ..availability.tables import federation_lease
from ..grants.tables import federation_grant
from ..leases.row import outstanding

_lease, _grant = federation_lease.c, federation_grant.c
_GRANTED = exists().where(
    _grant.direction == "given", _grant.enterprise_id == _lease.enterprise_id, _grant.peer_id == _lease.peer_id
)
_LENT_ON = select(federation_lease).where(
    _lease.role == "lender", _lease.enterprise_id == bindparam("enterprise"), _lease.peer_id != bindparam("home"),
    ~_GRANTED,
)  # fmt: skip


def moves_along(new_home_id: str) -> ColumnElement[bool]:
    """Returns the condition for leases that move with their enterprise to this peer."""
    return or_(_lease.peer_id == new_home_id, _GRANTED)


def grains_lent_on(tx: Transaction, enterprise_id: str, new_home_id: str) -> Mapping[str, int]:
    """Returns the grains that peers hold by leases that stay, by lot, when the enterprise moves to the peer."""
    grains = Counter[str]()
    for row in tx.all(_LENT_ON, {"enterprise": enterprise_id, "home": new_home_id}):
        grains[row["lot_id"]] += outstanding(row, row["seen"], row["held"], row["late"])
    return grains
