"""Producers that a hub makes and keeps; and those that belong to one person, who gives them to it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, exists, func, or_, select, update

from ...base.errors import Conflict, NotFound
from ...enterprises.access import demand, demand_founder, may_make_producers
from ...enterprises.enterprises import COLUMNS, Enterprise
from ...enterprises.members import lock_members
from ...enterprises.tables import enterprise, enterprise_grant, enterprise_member
from ...people.actor import SELF, Actor
from ...storage.database import Transaction

MOST_KEPT = 500  # enterprises of one hub
_KEEPS = "WriteProducts"  # what a producer grants to the hub that keeps its list


def demand_producer_founder(tx: Transaction, actor: Actor, hub_id: str, new_enterprises: str) -> str:
    """Returns the id of the person if `may_make_producers`. Raises `Unauthorised`, `Forbidden`."""
    demand(tx, actor, SELF)
    if actor.person_id is not None and may_make_producers(tx, actor, hub_id, new_enterprises):
        return actor.person_id
    return demand_founder(tx, actor, new_enterprises)


def keeper_at(tx: Transaction, hub_id: str) -> str:
    """The id of the hub that keeps what is made for this one: itself, or who keeps it, so that whatever is kept is by
    an enterprise with members. Raises `Conflict` if it keeps too many."""
    keeper = tx.value(select(enterprise.c.kept_by).where(enterprise.c.id == hub_id)) or hub_id
    if tx.value(select(func.count()).where(enterprise.c.kept_by == keeper)) >= MOST_KEPT:
        raise Conflict("too_many_enterprises", "This hub keeps {most} enterprises already.", most=MOST_KEPT)
    return str(keeper)


def owned_alone(tx: Transaction, person_id: str, hub_id: str) -> Sequence[Enterprise]:
    """The producers that let the hub keep their list (`WriteProducts`) and that have no other owner than this person,
    by name: as the hub's people made them before it could keep them itself."""
    member, granted = enterprise_member.c, enterprise_grant.c
    others = enterprise_member.alias("others").c
    statement = (
        select(*COLUMNS)
        .join(enterprise_member, member.enterprise_id == enterprise.c.id)
        .where(member.person_id == person_id, member.role == "owner", enterprise.c.id != hub_id, ~enterprise.c.is_hub)
        .where(
            exists().where(granted.grantor_id == enterprise.c.id, granted.grantee_id == hub_id, granted.scope == _KEEPS)
        )
        .where(
            ~exists().where(
                others.enterprise_id == enterprise.c.id, others.person_id != person_id, others.role == "owner"
            )
        )
        .order_by(enterprise.c.name, enterprise.c.id)
    )
    return [Enterprise(**row) for row in tx.all(statement)]


def hand_over(tx: Transaction, enterprise_id: str, hub_id: str, *, by: str) -> None:
    """Gives a producer to the hub that keeps its list: the hub's members run it from now on, and what it has kept, and
    `by`, the id of its only owner, leaves its team. Raises `NotFound` unless it is among their `owned_alone`, and for
    a hub that it keeps itself; `Conflict` if the hub keeps too many."""
    member = enterprise_member.c
    for each in sorted((enterprise_id, hub_id)):  # of two that are given to each other at once, one must wait
        lock_members(tx, each)
    keeper = keeper_at(tx, hub_id)
    if enterprise_id not in {each.id for each in owned_alone(tx, by, hub_id)} or keeper == enterprise_id:
        raise NotFound
    with_kept = or_(enterprise.c.id == enterprise_id, enterprise.c.kept_by == enterprise_id)
    tx.execute(update(enterprise).where(with_kept).values(kept_by=keeper))
    tx.execute(delete(enterprise_member).where(member.enterprise_id == enterprise_id, member.person_id == by))
