"""Roles that an enterprise makes itself: a name, and what it gives beside what all members read.

A role gives nothing until an owner names what it gives; it never gives what only owners hold.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import delete, func, insert, select, update

from ..base.errors import Conflict, Forbidden, Invalid, Problem
from ..base.texts import read_text
from ..people.actor import GIVEN_BY_ROLES, READ, READ_WITH, Actor
from ..storage.database import Transaction, edit_row, refuse_conflict
from .access import held_at, scopes_of_member
from .members import lock_members, problems_with_role, tell_members
from .tables import enterprise_member, enterprise_role, member_invitation

MOST = 20  # roles of one enterprise
_row = enterprise_role.c


@dataclass(frozen=True, kw_only=True)
class EnterpriseRole:
    """A role that an enterprise has made. Members have its id as their role.

    scopes: what it gives beside what all members read, sorted; of the core and of plugins, of which those of a plugin
            that is not enabled give nothing
    """

    id: str
    enterprise_id: str
    name: str
    scopes: Sequence[str]
    version: int


_COLUMNS = [_row[field.name] for field in fields(EnterpriseRole)]
_TAKEN = Invalid([Problem("name_taken", "There is a role of this name already.", "/name")])


def create_role(
    tx: Transaction, actor: Actor, enterprise_id: str, *, name: str, scopes: Collection[str] = ()
) -> EnterpriseRole:
    """Makes a role, which nobody has yet.

    Raises `Invalid` for a name that is empty, longer than 60 characters or taken, and for scopes that no role may give;
    `Forbidden` for scopes that the actor does not hold, `Conflict` if there are 20 roles.
    """
    lock_members(tx, enterprise_id)
    name, granted = _read(tx, name, scopes)
    _refuse_more_than_own(tx, actor, enterprise_id, granted)
    if tx.value(select(func.count()).where(_row.enterprise_id == enterprise_id)) >= MOST:
        raise Conflict("too_many_roles", "There are {most} roles already.", most=MOST)
    role = EnterpriseRole(id=tx.new_id(), enterprise_id=enterprise_id, name=name, scopes=granted, version=1)
    with refuse_conflict(tx, duplicate=_TAKEN):
        tx.execute(insert(enterprise_role).values({field.name: getattr(role, field.name) for field in fields(role)}))
    return role


def edit_role(
    tx: Transaction, actor: Actor, enterprise_id: str, role_id: str, version: int, *, name: str, scopes: Collection[str]
) -> EnterpriseRole:
    """Changes a role, for everybody who has it, at once. They are told by mail if it gives more or less now; the actor
    is not. Raises as `create_role` does, and `NotFound`, `Stale`."""
    lock_members(tx, enterprise_id)
    before = role_by_id(tx, enterprise_id, role_id)
    name, granted = _read(tx, name, scopes)
    _refuse_more_than_own(tx, actor, enterprise_id, set(granted) - set(before.scopes))
    conditions = (_row.id == role_id, _row.enterprise_id == enterprise_id)
    with refuse_conflict(tx, duplicate=_TAKEN):
        values = {"name": name, "scopes": granted}
        role = EnterpriseRole(**edit_row(tx, enterprise_role, *conditions, version=version, values=values))
    if set(granted) != set(before.scopes):
        holders = _holders(tx, enterprise_id, role_id)
        tell_members(tx, "rights_changed", enterprise_id, holders, by=actor.person_id or "", role=role_id)
    return role


def remove_role(
    tx: Transaction, enterprise_id: str, role_id: str, version: int, *, instead: str = "", by: str = ""
) -> int:
    """Takes a role away. Members who have it, and people who are invited to it, get the role `instead`, without money
    and scopes that were added to the old one. The members are told so by mail, but not `by`, the id of the person who
    does it. Returns how many members.

    Raises `Invalid` if `instead` is this role, no role, or that of owners, who are made one by one; `Conflict` if
    somebody has the role and `instead` is empty; `NotFound`, `Stale`.
    """
    lock_members(tx, enterprise_id)
    conditions = (_row.id == role_id, _row.enterprise_id == enterprise_id)
    edit_row(tx, enterprise_role, *conditions, version=version, values={})
    members, invitations = (
        tx.value(select(func.count()).where(table.c.enterprise_id == enterprise_id, table.c.role == role_id))
        for table in (enterprise_member, member_invitation)
    )
    if members or invitations:
        _move(tx, enterprise_id, role_id, instead, by)
    tx.execute(delete(enterprise_role).where(*conditions))
    return int(members)


def role_by_id(tx: Transaction, enterprise_id: str, role_id: str) -> EnterpriseRole:
    """One of the enterprise's own roles. Raises `NotFound`."""
    return EnterpriseRole(**tx.one(select(*_COLUMNS).where(_row.id == role_id, _row.enterprise_id == enterprise_id)))


def list_roles(tx: Transaction, enterprise_id: str) -> Sequence[EnterpriseRole]:
    """The roles that the enterprise has made, by name."""
    query = select(*_COLUMNS).where(_row.enterprise_id == enterprise_id).order_by(_row.name)
    return [EnterpriseRole(**row) for row in tx.all(query)]


def scopes_given_by(tx: Transaction, enterprise_id: str, role: str) -> frozenset[str]:
    """What a role gives at the enterprise by itself: one of the core, of a plugin, or the id of one it has made."""
    made = tx.first(select(_row.scopes).where(_row.id == role, _row.enterprise_id == enterprise_id))
    rights = {"role": role, "takes_money": False, "scopes": (), "made": made["scopes"] if made else None}
    return scopes_of_member(tx, rights)


def _move(tx: Transaction, enterprise_id: str, role_id: str, instead: str, by: str) -> None:
    if not instead:
        raise Conflict("role_used", "Somebody has this role, or is invited to it; say which role they get instead.")
    if instead in (role_id, "owner"):
        text = "Choose another role, and not that of owners: they are made one by one."
        raise Invalid([Problem("role", text, "/instead")])
    if problems := problems_with_role(tx, enterprise_id, instead):
        raise Invalid([Problem(each.code, each.text, "/instead", each.values) for each in problems])
    member, invitation = enterprise_member.c, member_invitation.c
    moved = _holders(tx, enterprise_id, role_id)
    has_it = (member.enterprise_id == enterprise_id, member.role == role_id)
    tx.execute(update(enterprise_member).where(*has_it).values(role=instead, takes_money=False, scopes=[]))
    tell_members(tx, "role_changed", enterprise_id, moved, by=by, role=instead)
    is_invited = (invitation.enterprise_id == enterprise_id, invitation.role == role_id)
    tx.execute(update(member_invitation).where(*is_invited).values(role=instead))


def _holders(tx: Transaction, enterprise_id: str, role_id: str) -> list[str]:
    """The ids of the members who have the role."""
    member = enterprise_member.c
    query = select(member.person_id).where(member.enterprise_id == enterprise_id, member.role == role_id)
    return [row["person_id"] for row in tx.all(query)]


def _read(tx: Transaction, name: str, scopes: Collection[str]) -> tuple[str, list[str]]:
    """The name, and all that a role with these scopes gives. Raises `Invalid`."""
    problems: list[Problem] = []
    name = read_text(name, "/name", problems, least=1, most=60)
    allowed = GIVEN_BY_ROLES | tx.own_scopes.by_name.keys()
    for scope in sorted(set(scopes) - allowed):
        text = "{scope} is not a scope that a role may give; there are {known}."
        values = {"scope": scope[:90], "known": ", ".join(sorted(allowed - READ))}
        problems.append(Problem("scope", text, "/scopes", values))
    if problems:
        raise Invalid(problems)
    return name, sorted((set(scopes) | {READ_WITH[scope] for scope in scopes if scope in READ_WITH}) - READ)


def _refuse_more_than_own(tx: Transaction, actor: Actor, enterprise_id: str, scopes: Collection[str]) -> None:
    """Raises `Forbidden` for what the actor does not hold: a token makes no role that may do more than the token."""
    if missing := sorted(set(scopes) - held_at(tx, actor, enterprise_id)):
        text = "You cannot give what you do not hold yourself: {scopes}."
        raise Forbidden("scope", text, scopes=", ".join(missing))
