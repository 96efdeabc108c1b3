"""Invitations: an enterprise names an e-mail address and a role, and whoever owns the address takes it up.

Whether the address has an account, and whose it is, the enterprise learns when it is taken up, and not before: the
answer and the mail are the same for every address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select

from ...base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from ...storage.database import Transaction, insert_once, insert_or
from ...storage.jobs import promise
from ..people.email import read_email
from ..people.people import Person, person_by_id
from .members import MOST, Member, hold_members, member_by_id, problems_with_role
from .tables import enterprise, enterprise_member, member_invitation

LASTS = timedelta(days=14)
_row = member_invitation.c


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """Somebody who may become a member until `expires_at`, with this role (`trade/people/scopes.py`)."""

    id: str
    enterprise_id: str
    enterprise_name: str
    email: str
    role: str
    created_at: datetime
    expires_at: datetime


_INVITATIONS = select(
    _row.id, _row.enterprise_id, enterprise.c.name.label("enterprise_name"), _row.email, _row.role, _row.created_at,
    _row.expires_at,
).join(enterprise, enterprise.c.id == _row.enterprise_id)  # fmt: skip


def invite(tx: Transaction, enterprise_id: str, *, email: str, role: str, language: str) -> str:
    """Promises a mail to the address, and returns the address. A second one renews the invitation, with its role.

    Raises `Invalid` for an address or role that is none, `Conflict` where there are 200 members and invitations.
    """
    problems = problems_with_role(role)
    read = read_email(email)
    if isinstance(read, Problem):
        problems.append(read)
    if problems or isinstance(read, Problem):
        raise Invalid(problems)
    hold_members(tx, enterprise_id)
    _refuse_too_many(tx, enterprise_id)
    renewed = {"role": role, "created_at": tx.now, "expires_at": tx.now + LASTS}
    new = insert_or(tx, member_invitation).values(id=tx.new_id(), enterprise_id=enterprise_id, email=read, **renewed)
    tx.execute(new.on_conflict_do_update(index_elements=["enterprise_id", "email"], set_=renewed))
    name = tx.value(select(enterprise.c.name).where(enterprise.c.id == enterprise_id))
    promise(tx, "mail", {"kind": "member_invitation", "to": read, "language": language, "name": name})
    return read


def invitations_of(tx: Transaction, enterprise_id: str) -> Sequence[Invitation]:
    """The enterprise's open invitations, by e-mail address."""
    mine = _INVITATIONS.where(_row.enterprise_id == enterprise_id, _open(tx))
    return [Invitation(**row) for row in tx.all(mine.order_by(_row.email))]


def invitations_to(tx: Transaction, person_id: str) -> Sequence[Invitation]:
    """What a person is invited to; nothing while their address is not confirmed."""
    who = person_by_id(tx, person_id)
    if who.confirmed_at is None:
        return []
    mine = _INVITATIONS.where(_row.email == who.email, _open(tx))
    return [Invitation(**row) for row in tx.all(mine.order_by(_row.created_at))]


def accept_invitation(tx: Transaction, person_id: str, invitation_id: str) -> Member:
    """The person becomes a member, or gets the role if they are one. Raises `NotFound` for an invitation of another or
    an old one, `Forbidden` while their address is not confirmed, `Conflict` for an owner who would be less."""
    taken = _take(tx, _invited(tx, person_id), invitation_id)
    hold_members(tx, taken["enterprise_id"])
    row = {"enterprise_id": taken["enterprise_id"], "person_id": person_id}
    if not insert_once(tx, enterprise_member, {**row, "role": taken["role"], "since": tx.now}):
        raise Conflict("member", "You are a member already.")
    return member_by_id(tx, taken["enterprise_id"], person_id)


def decline_invitation(tx: Transaction, person_id: str, invitation_id: str) -> None:
    """Nothing comes of it. Raises as `accept_invitation`."""
    _take(tx, _invited(tx, person_id), invitation_id)


def withdraw_invitation(tx: Transaction, enterprise_id: str, invitation_id: str) -> None:
    """The enterprise has thought better of it. Raises `NotFound`."""
    mine = (_row.id == invitation_id, _row.enterprise_id == enterprise_id)
    if tx.execute(delete(member_invitation).where(*mine)).rowcount != 1:
        raise NotFound


def forget_invitations(tx: Transaction) -> int:
    """Deletes those that are too old. Returns how many."""
    return tx.execute(delete(member_invitation).where(_row.expires_at <= tx.now)).rowcount


def _invited(tx: Transaction, person_id: str) -> Person:
    who = person_by_id(tx, person_id)
    if who.confirmed_at is None:
        raise Forbidden("not_confirmed", "Please confirm your e-mail address first.")
    return who


def _take(tx: Transaction, who: Person, invitation_id: str) -> dict[str, Any]:
    theirs = delete(member_invitation).where(_row.id == invitation_id, _row.email == who.email, _open(tx))
    row = tx.first(theirs.returning(_row.enterprise_id, _row.role))
    if row is None:
        raise NotFound("no_invitation", "There is no such invitation (any more).")
    return dict(row)


def _open(tx: Transaction) -> ColumnElement[bool]:
    return _row.expires_at > tx.now


def _refuse_too_many(tx: Transaction, enterprise_id: str) -> None:
    members = select(func.count()).where(enterprise_member.c.enterprise_id == enterprise_id)
    invited = select(func.count()).where(_row.enterprise_id == enterprise_id)
    if tx.value(members) + tx.value(invited) >= MOST:
        raise Conflict("too_many_members", "There are {most} members already.", most=MOST)
