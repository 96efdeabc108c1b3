"""The rights at an enterprise that moves to another instance, or from there to this one.

The instance that it leaves keeps a copy, as of any enterprise whose home is elsewhere, and nobody edits the copy. Its
former members may still read its books there.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, insert, select, update

from ...storage.database import Transaction
from .enterprises import change_enterprise, enterprise_by_id, refuse_owner
from .fields import EnterpriseFields
from .tables import enterprise_member

READER = "accountant"  # the role of all members at an enterprise that has left
_TAKES_MONEY = " takes money"  # follows the role in what `leave_home` returns
_row = enterprise_member.c


def leave_home(tx: Transaction, enterprise_id: str) -> dict[str, str]:
    """Makes every member a reader. Returns what they could do, by the ids of people, for `stay_home`."""
    is_member = _row.enterprise_id == enterprise_id
    query = select(_row.person_id, _row.role, _row.takes_money).where(is_member).with_for_update()
    roles = {row["person_id"]: row["role"] + (_TAKES_MONEY if row["takes_money"] else "") for row in tx.all(query)}
    tx.execute(update(enterprise_member).where(is_member).values(role=READER, takes_money=False))
    return roles


def stay_home(tx: Transaction, enterprise_id: str, roles: Mapping[str, str]) -> None:
    """Undoes `leave_home`: gives members what it returned. Does not add those who are no longer members."""
    if roles:
        conditions = (_row.enterprise_id == enterprise_id, _row.person_id == bindparam("member"))
        statement = update(enterprise_member).where(*conditions)
        rows = [
            {"member": person_id, "was": role.removesuffix(_TAKES_MONEY), "took": role.endswith(_TAKES_MONEY)}
            for person_id, role in sorted(roles.items())
        ]
        tx.execute(statement.values(role=bindparam("was"), takes_money=bindparam("took")), rows)


def come_home(tx: Transaction, enterprise_id: str, owner_id: str, profile: EnterpriseFields) -> None:
    """Turns a copy into an enterprise whose home is this instance, with this owner as its only member.

    Raises `Invalid` for a profile with mistakes, `Forbidden` or `Conflict` if the person may not own it.
    """
    refuse_owner(tx, owner_id)
    change_enterprise(tx, enterprise_id, enterprise_by_id(tx, enterprise_id).version, **profile)
    tx.execute(delete(enterprise_member).where(_row.enterprise_id == enterprise_id))
    row = {"enterprise_id": enterprise_id, "person_id": owner_id, "role": "owner", "since": tx.now}
    tx.execute(insert(enterprise_member).values(row))
