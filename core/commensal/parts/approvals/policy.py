"""Whether an enterprise needs a second person where money leaves."""

from __future__ import annotations

from sqlalchemy import select

from ...enterprises.access import MEMBERS, RIGHTS, scopes_of_member
from ...enterprises.tables import enterprise_member
from ...storage.database import Transaction, insert_or
from .tables import approval_policy

MONEY = "payments:write"  # who agrees holds it
_member, _policy = enterprise_member.c, approval_policy.c


def wants_second_person(tx: Transaction, enterprise_id: str) -> bool:
    """What the enterprise has chosen; yes, unless it has chosen otherwise."""
    chosen = tx.first(select(_policy.second_person).where(_policy.enterprise_id == enterprise_id))
    return chosen is None or bool(chosen["second_person"])


def money_people(tx: Transaction, enterprise_id: str) -> list[str]:
    """The ids of the members who deal with its money, in their order."""
    query = select(_member.person_id, *RIGHTS).select_from(MEMBERS).where(_member.enterprise_id == enterprise_id)
    return [row["person_id"] for row in tx.all(query.order_by(_member.person_id)) if MONEY in scopes_of_member(tx, row)]


def needs_second_person(tx: Transaction, enterprise_id: str) -> bool:
    """Whether an act has to wait for a second person: the enterprise wants it, and there are two to begin with, so that
    nobody who is alone is locked out."""
    return wants_second_person(tx, enterprise_id) and len(money_people(tx, enterprise_id)) > 1


def set_second_person(tx: Transaction, enterprise_id: str, *, asks: bool) -> None:
    """Chooses. To want none is itself an act that needs the second person: see the callers."""
    values = {"second_person": asks}
    row = insert_or(tx, approval_policy).values(enterprise_id=enterprise_id, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["enterprise_id"], set_=values))
