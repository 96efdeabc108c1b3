"""Producers that belong to one person though a hub keeps their lists, and how that person gives them to the hub."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, exists, select, update

from ...base.errors import NotFound
from ...enterprises.enterprises import COLUMNS, Enterprise
from ...enterprises.members import lock_members
from ...enterprises.tables import enterprise, enterprise_grant, enterprise_member
from ...storage.database import Transaction

_KEEPS = "WriteProducts"  # what a producer grants to the hub that keeps its list


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
    """Gives a producer to the hub that keeps its list: the hub's members run it from now on, and `by`, the id of its
    only owner, leaves its team. Raises `NotFound` unless it is among their `owned_alone`."""
    member = enterprise_member.c
    lock_members(tx, enterprise_id)
    if enterprise_id not in {each.id for each in owned_alone(tx, by, hub_id)}:
        raise NotFound
    tx.execute(update(enterprise).where(enterprise.c.id == enterprise_id).values(kept_by=hub_id))
    tx.execute(delete(enterprise_member).where(member.enterprise_id == enterprise_id, member.person_id == by))
