"""An enterprise leaves this instance for another one, or comes to live here: who may do what with it changes at once.

Where it has left, a copy stays behind, as of any enterprise whose home is elsewhere: nobody edits it. Those who were
its members go on looking at its books.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, insert, select, update

from ...storage.database import Transaction
from .enterprises import change_enterprise, enterprise_by_id, refuse_owner
from .fields import EnterpriseFields
from .tables import enterprise_member

READER = "accountant"  # what members are at an enterprise that has left
_row = enterprise_member.c


def leave_home(tx: Transaction, enterprise_id: str) -> dict[str, str]:
    """Its members may look, and change nothing any more. Returns what they were: roles by the ids of people."""
    mine = select(_row.person_id, _row.role).where(_row.enterprise_id == enterprise_id).with_for_update()
    before = {row["person_id"]: row["role"] for row in tx.all(mine)}
    tx.execute(update(enterprise_member).where(_row.enterprise_id == enterprise_id).values(role=READER))
    return before


def stay_home(tx: Transaction, enterprise_id: str, roles: Mapping[str, str]) -> None:
    """It did not leave after all: its members are what they were, as `leave_home` has told. Who left stays away."""
    if roles:
        mine = (_row.enterprise_id == enterprise_id, _row.person_id == bindparam("member"))
        changing = update(enterprise_member).where(*mine).values(role=bindparam("was"))
        tx.execute(changing, [{"member": person_id, "was": role} for person_id, role in sorted(roles.items())])


def come_home(tx: Transaction, enterprise_id: str, owner_id: str, profile: EnterpriseFields) -> None:
    """A copy becomes an enterprise of this instance, with this owner and nobody else.

    Raises `Invalid` for a profile that cannot be, `Forbidden` and `Conflict` for a person who may not own it.
    """
    refuse_owner(tx, owner_id)
    change_enterprise(tx, enterprise_id, enterprise_by_id(tx, enterprise_id).version, **profile)
    tx.execute(delete(enterprise_member).where(_row.enterprise_id == enterprise_id))
    row = {"enterprise_id": enterprise_id, "person_id": owner_id, "role": "owner", "since": tx.now}
    tx.execute(insert(enterprise_member).values(row))
