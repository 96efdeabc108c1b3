"""Invitations: an enterprise offers a role to an e-mail address, and the owner of the address accepts or declines.

Until then the enterprise does not learn whether the address has an account: response and mail are the same for every
address. An invitation holds while whoever made it may invite: who is removed leaves no way in behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, select

from ...base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from ...enterprises.access import scopes_at
from ...enterprises.members import (
    MOST,
    Member,
    lock_members,
    member_by_id,
    problems_with_role,
    release,
    remove_member,
    role_in_mail,
)
from ...enterprises.tables import enterprise, enterprise_member, enterprise_role, member_invitation
from ...people.actor import Actor
from ...people.email import read_email
from ...people.people import Person, person_by_id
from ...people.tables import person
from ...storage.database import Transaction, insert_once, insert_or
from ...storage.jobs import enqueue

LASTS = timedelta(days=14)
_row = member_invitation.c


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An offer to become a member with this role (see `Member`), valid until `expires_at`. `invited_by` is the name of
    another enterprise that made this one and has sent the invitation."""

    id: str
    enterprise_id: str
    enterprise_name: str
    email: str
    role: str
    created_at: datetime
    expires_at: datetime
    role_name: str = ""
    invited_by: str = ""


_made = enterprise_role.c
_INVITATIONS = (
    select(
        _row.id,
        _row.enterprise_id,
        enterprise.c.name.label("enterprise_name"),
        _row.email,
        _row.role,
        _row.created_at,
        _row.expires_at,
        _row.invited_by,
        _row.invited_by_person,
        enterprise.c.kept_by,
        func.coalesce(_made.name, "").label("role_name"),
    )
    .join(enterprise, enterprise.c.id == _row.enterprise_id)
    .outerjoin(enterprise_role, and_(_made.id == _row.role, _made.enterprise_id == _row.enterprise_id))
)


def invite(
    tx: Transaction,
    enterprise_id: str,
    *,
    email: str,
    role: str,
    language: str,
    person_id: str | None,
    invited_by: str = "",
) -> str:
    """Invites an address, enqueues the mail, and returns the address as kept. Inviting again renews role and expiry.

    language:   of the mail
    person_id:  who invites, by name in the mail: it holds while they may invite. None: the operator of the machine
    invited_by: the name of another enterprise that made this one and sends the invitation, for the mail and the account

    Raises `Invalid` for a malformed address or unknown role, `Conflict` if there are 200 members and invitations.
    """
    lock_members(tx, enterprise_id)
    problems = problems_with_role(tx, enterprise_id, role)
    address = read_email(email)
    if isinstance(address, Problem):
        problems.append(address)
    if problems or isinstance(address, Problem):
        raise Invalid(problems)
    _refuse_too_many(tx, enterprise_id)
    values = {
        "role": role,
        "invited_by": invited_by,
        "invited_by_person": person_id,
        "created_at": tx.now,
        "expires_at": tx.now + LASTS,
    }
    statement = insert_or(tx, member_invitation).values(
        id=tx.new_id(), enterprise_id=enterprise_id, email=address, **values
    )
    tx.execute(statement.on_conflict_do_update(index_elements=["enterprise_id", "email"], set_=values))
    name = tx.value(select(enterprise.c.name).where(enterprise.c.id == enterprise_id))
    by = tx.value(select(person.c.name).where(person.c.id == person_id)) if person_id else ""
    values = {"invited_by": invited_by, "by": by, **role_in_mail(tx, enterprise_id, role, language)}
    payload = {"kind": "member_invitation", "to": address, "language": language, "name": name}
    enqueue(tx, "mail", {**payload, "values": values})
    return address


def invitations_of(tx: Transaction, enterprise_id: str) -> Sequence[Invitation]:
    """The enterprise's open invitations, ordered by e-mail address."""
    return _read(tx, _INVITATIONS.where(_row.enterprise_id == enterprise_id, _is_open(tx)).order_by(_row.email))


def invitations_to(tx: Transaction, person_id: str) -> Sequence[Invitation]:
    """The open invitations to a person, oldest first; none while their address is not confirmed."""
    invited = person_by_id(tx, person_id)
    if invited.confirmed_at is None:
        return []
    return _read(tx, _INVITATIONS.where(_row.email == invited.email, _is_open(tx)).order_by(_row.created_at))


def _read(tx: Transaction, query: Select[*tuple[Any, ...]]) -> list[Invitation]:
    """Those of the query that hold: whoever made them may still invite. What a hub sent to one that it made holds also
    when that has an owner, who sees it among the open ones."""
    may_invite = cache(partial(_may_invite, tx))
    invitations = []
    for row in tx.all(query):
        inviter_id, is_kept = row.pop("invited_by_person"), row.pop("kept_by") is not None
        invitation = Invitation(**row)
        of_hub = invitation.invited_by and not is_kept
        if inviter_id is None or of_hub or may_invite(inviter_id, invitation.enterprise_id):
            invitations.append(invitation)
    return invitations


def _may_invite(tx: Transaction, person_id: str, enterprise_id: str) -> bool:
    is_disabled = tx.value(select(person.c.disabled_at).where(person.c.id == person_id)) is not None
    return not is_disabled and "members:write" in scopes_at(tx, Actor(person_id=person_id), enterprise_id)


def accept_invitation(tx: Transaction, person_id: str, invitation_id: str) -> Member:
    """Makes the person a member with the role of the invitation.

    An owner whom the hub that made the enterprise has invited takes it over: the hub does not keep it any more, and a
    person who made it leaves its team, and is told so.

    Raises `NotFound` for an invitation that has expired or is for another address, `Forbidden` while the person's
    address is not confirmed, `Conflict` if they are a member already.
    """
    invitation = _take_invitation(tx, _confirmed_person(tx, person_id), invitation_id)
    row = {"enterprise_id": invitation.enterprise_id, "person_id": person_id}
    if not insert_once(tx, enterprise_member, {**row, "role": invitation.role, "since": tx.now}):
        raise Conflict("member", "You are a member already.")
    if invitation.invited_by and invitation.role == "owner":
        for founder_id in _founders(tx, invitation.enterprise_id, besides=person_id):
            remove_member(tx, invitation.enterprise_id, founder_id, by=person_id)
    if invitation.role == "owner":
        release(tx, invitation.enterprise_id)
    return member_by_id(tx, invitation.enterprise_id, person_id)


def _founders(tx: Transaction, enterprise_id: str, *, besides: str) -> list[str]:
    """The owners since the enterprise was made."""
    member = enterprise_member.c
    statement = (
        select(member.person_id)
        .join(enterprise, enterprise.c.id == member.enterprise_id)
        .where(member.enterprise_id == enterprise_id, member.role == "owner", member.person_id != besides)
        .where(member.since <= enterprise.c.created_at)
    )
    return [row["person_id"] for row in tx.all(statement)]


def decline_invitation(tx: Transaction, person_id: str, invitation_id: str) -> None:
    """Deletes an invitation on behalf of the invited person. Raises `NotFound`, `Forbidden` as `accept_invitation`."""
    _take_invitation(tx, _confirmed_person(tx, person_id), invitation_id)


def withdraw_invitation(tx: Transaction, enterprise_id: str, invitation_id: str) -> None:
    """Deletes an invitation on behalf of the enterprise. Raises `NotFound`."""
    conditions = (_row.id == invitation_id, _row.enterprise_id == enterprise_id)
    if tx.execute(delete(member_invitation).where(*conditions)).rowcount != 1:
        raise NotFound


def forget_invitations(tx: Transaction) -> int:
    """Deletes expired invitations. Returns how many."""
    return tx.execute(delete(member_invitation).where(_row.expires_at <= tx.now)).rowcount


def _confirmed_person(tx: Transaction, person_id: str) -> Person:
    confirmed = person_by_id(tx, person_id)
    if confirmed.confirmed_at is None:
        raise Forbidden("not_confirmed", "Please confirm your e-mail address first.")
    return confirmed


def _take_invitation(tx: Transaction, invited: Person, invitation_id: str) -> Invitation:
    conditions = (_row.id == invitation_id, _row.email == invited.email, _is_open(tx))
    enterprise_id = tx.value(select(_row.enterprise_id).where(*conditions))
    if enterprise_id is not None:
        lock_members(tx, enterprise_id)  # first, as all do who change invitations: otherwise two wait for each other
    invitations = _read(tx, _INVITATIONS.where(*conditions))
    if not invitations or tx.execute(delete(member_invitation).where(*conditions)).rowcount != 1:
        raise NotFound("no_invitation", "There is no such invitation (any more).")
    return invitations[0]


def _is_open(tx: Transaction) -> ColumnElement[bool]:
    return _row.expires_at > tx.now


def _refuse_too_many(tx: Transaction, enterprise_id: str) -> None:
    members = select(func.count()).where(enterprise_member.c.enterprise_id == enterprise_id)
    invited = select(func.count()).where(_row.enterprise_id == enterprise_id)
    if tx.value(members) + tx.value(invited) >= MOST:
        raise Conflict("too_many_members", "There are {most} members already.", most=MOST)
