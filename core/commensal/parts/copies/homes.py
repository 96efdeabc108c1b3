"""The rights at an enterprise that moves to another instance, or from there to this one.

The instance that it leaves keeps a copy, as of any enterprise whose home is elsewhere, and nobody edits the copy:
neither its former members, who may still read its books there, nor those to whom it has granted the right to edit it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, update

from ...base.errors import Conflict
from ...enterprises.enterprises import change_enterprise, enterprise_by_id, refuse_owner
from ...enterprises.fields import EnterpriseFields
from ...enterprises.grants import READING_PART
from ...enterprises.tables import enterprise, enterprise_grant, enterprise_member
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Json, Transaction, insert_once

READER = "accountant"  # the role of all members at an enterprise that has left
_TAKES_MONEY = " takes money"  # follows the role in what `leave_home` returns; then come scopes of plugins
_row, _grant = enterprise_member.c, enterprise_grant.c
_EDITING = _grant.scope.in_(sorted(READING_PART))


@dataclass(frozen=True)
class HomeRights:
    """Who may change an enterprise at its home: the roles of members by the ids of people, and the grants to edit it,
    each as the grantee's id and the scope; and the hub that keeps it."""

    roles: Mapping[str, str]
    grants: Sequence[Sequence[str]] = ()
    kept_by: str | None = None


def refuse_leaving(tx: Transaction, hooks: Hooks, enterprise_id: str) -> None:
    """Raises `Conflict` if something of a plugin is under way here that would have no end after a move."""
    for answer in hooks.each(specifications.move_obstacles, tx=tx, enterprise_id=enterprise_id):
        obstacle = answer.value
        if obstacle is not None:
            raise Conflict(obstacle.code, obstacle.text, **obstacle.values)


def leave_home(tx: Transaction, enterprise_id: str) -> HomeRights:
    """Makes every member a reader, and every grant to edit one to read; no hub keeps it any more. Returns the rights
    before, for `stay_home`."""
    is_member = _row.enterprise_id == enterprise_id
    query = select(_row.person_id, _row.role, _row.takes_money, _row.scopes).where(is_member).with_for_update()
    roles = {
        row["person_id"]: " ".join([row["role"] + (_TAKES_MONEY if row["takes_money"] else ""), *row["scopes"]])
        for row in tx.all(query)
    }
    tx.execute(update(enterprise_member).where(is_member).values(role=READER, takes_money=False, scopes=[]))
    is_editing = (_grant.grantor_id == enterprise_id, _EDITING)
    grants = tx.all(select(enterprise_grant).where(*is_editing).order_by(_grant.grantee_id, _grant.scope))
    for grant in grants:
        insert_once(tx, enterprise_grant, {**grant, "scope": READING_PART[grant["scope"]]})
    tx.execute(delete(enterprise_grant).where(*is_editing))
    kept_by = tx.value(select(enterprise.c.kept_by).where(enterprise.c.id == enterprise_id))
    if kept_by is not None:  # its people may still call the move off
        reading = {"grantor_id": enterprise_id, "grantee_id": kept_by, "scope": "ReadEnterprise", "granted_at": tx.now}
        insert_once(tx, enterprise_grant, reading)
    _keep(tx, enterprise_id, None)
    return HomeRights(roles, [(grant["grantee_id"], grant["scope"]) for grant in grants], kept_by)


def stay_home(tx: Transaction, enterprise_id: str, rights: HomeRights) -> None:
    """Undoes `leave_home`: gives back what it returned. Does not add those who are no longer members."""
    if rights.roles:
        conditions = (_row.enterprise_id == enterprise_id, _row.person_id == bindparam("member"))
        statement = update(enterprise_member).where(*conditions)
        rows = [{"member": person_id, **_rights_in(text)} for person_id, text in sorted(rights.roles.items())]
        values = {"role": bindparam("was"), "takes_money": bindparam("took"), "scopes": bindparam("had", type_=Json())}
        tx.execute(statement.values(values), rows)
    for grantee_id, scope in rights.grants:
        grant = {"grantor_id": enterprise_id, "grantee_id": grantee_id, "scope": scope, "granted_at": tx.now}
        insert_once(tx, enterprise_grant, grant)
    _keep(tx, enterprise_id, rights.kept_by)


def _keep(tx: Transaction, enterprise_id: str, hub_id: str | None) -> None:
    tx.execute(update(enterprise).where(enterprise.c.id == enterprise_id).values(kept_by=hub_id))


def _rights_in(text: str) -> dict[str, object]:
    role, *words = text.split()
    return {"was": role, "took": _TAKES_MONEY in text, "had": [word for word in words if ":" in word]}


def come_home(tx: Transaction, enterprise_id: str, owner_id: str, profile: EnterpriseFields) -> None:
    """Turns a copy into an enterprise whose home is this instance, with this owner as its only member.

    Raises `Invalid` for a profile with mistakes, `Forbidden` or `Conflict` if the person may not own it.
    """
    refuse_owner(tx, owner_id)
    change_enterprise(tx, enterprise_id, enterprise_by_id(tx, enterprise_id).version, **profile)
    tx.execute(delete(enterprise_member).where(_row.enterprise_id == enterprise_id))
    row = {"enterprise_id": enterprise_id, "person_id": owner_id, "role": "owner", "since": tx.now}
    tx.execute(insert(enterprise_member).values(row))
