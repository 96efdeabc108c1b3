"""Members: which people may do what at an enterprise. There is always an owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update

from ...base.errors import Conflict, Invalid, Problem, Refused
from ...storage.database import Transaction, insert_once
from ..people.email import read_email
from ..people.scopes import ROLES
from ..people.tables import person
from .enterprises import COLUMNS, Enterprise
from .tables import enterprise, enterprise_member

MOST = 200  # members of one enterprise


@dataclass(frozen=True, kw_only=True)
class Member:
    """A person at an enterprise, with the role that says what they may do there (`trade/people/scopes.py`)."""

    person_id: str
    email: str
    name: str
    role: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Membership:
    """An enterprise as one of its members sees it."""

    enterprise: Enterprise
    role: str


_MEMBERS = select(
    enterprise_member.c.person_id, person.c.email, person.c.name, enterprise_member.c.role, enterprise_member.c.since
).join(person, person.c.id == enterprise_member.c.person_id)


def add_member(tx: Transaction, enterprise_id: str, *, email: str, role: str) -> Member:
    """Adds somebody who has an account here: for who runs the instance. An enterprise invites (`invitations.invite`),
    since whether an address has an account is told to nobody.

    Raises `Invalid` for an address or role that is none, `Refused` where nobody has confirmed this address (an
    unconfirmed one may be typed by anybody), `Conflict` where they are a member already or there are 200.
    """
    problems = problems_with_role(role)
    read = read_email(email)
    if isinstance(read, Problem):
        problems.append(read)
    if problems or isinstance(read, Problem):
        raise Invalid(problems)
    hold_members(tx, enterprise_id)
    known = select(person.c.id).where(person.c.email == read, person.c.confirmed_at.is_not(None))
    person_id = tx.value(known.where(person.c.disabled_at.is_(None)))
    if person_id is None:
        text = "Nobody has an account with the address {email}; ask them to sign up and confirm it."
        raise Refused("unknown_person", text, email=read)
    if tx.value(select(func.count()).where(enterprise_member.c.enterprise_id == enterprise_id)) >= MOST:
        raise Conflict("too_many_members", "There are {most} members already.", most=MOST)
    row = {"enterprise_id": enterprise_id, "person_id": person_id, "role": role, "since": tx.now}
    if not insert_once(tx, enterprise_member, row):
        raise Conflict("member", "They are a member already.")
    return member_by_id(tx, enterprise_id, person_id)


def change_role(tx: Transaction, enterprise_id: str, person_id: str, *, role: str) -> Member:
    """Raises `Invalid` for a role that is none, `NotFound`, `Conflict` where it would leave nobody as owner."""
    problems = problems_with_role(role)
    if problems:
        raise Invalid(problems)
    hold_members(tx, enterprise_id)
    change = update(enterprise_member).where(_is(enterprise_id, person_id))
    if role != "owner":
        change = change.where(_is_not_the_last_owner(enterprise_id, person_id))
    if tx.execute(change.values(role=role)).rowcount != 1:
        raise _why_not(tx, enterprise_id, person_id)
    return member_by_id(tx, enterprise_id, person_id)


def remove_member(tx: Transaction, enterprise_id: str, person_id: str) -> None:
    """Raises `NotFound`, or `Conflict` where they are the last owner."""
    hold_members(tx, enterprise_id)
    gone = delete(enterprise_member).where(
        _is(enterprise_id, person_id), _is_not_the_last_owner(enterprise_id, person_id)
    )
    if tx.execute(gone).rowcount != 1:
        raise _why_not(tx, enterprise_id, person_id)


def member_by_id(tx: Transaction, enterprise_id: str, person_id: str) -> Member:
    """Raises `NotFound`."""
    return Member(**tx.one(_MEMBERS.where(_is(enterprise_id, person_id))))


def list_members(tx: Transaction, enterprise_id: str) -> Sequence[Member]:
    """All members of the enterprise, by e-mail address."""
    mine = _MEMBERS.where(enterprise_member.c.enterprise_id == enterprise_id)
    return [Member(**row) for row in tx.all(mine.order_by(person.c.email))]


def memberships_of(tx: Transaction, person_id: str, *, after: str = "", limit: int = 50) -> Sequence[Membership]:
    """The enterprises that a person is a member of, hidden and archived ones too; by slug, those after `after`."""
    mine = (
        select(*COLUMNS, enterprise_member.c.role)
        .join(enterprise_member, enterprise_member.c.enterprise_id == enterprise.c.id)
        .where(enterprise_member.c.person_id == person_id, enterprise.c.slug > after)
    )
    found = [dict(row) for row in tx.all(mine.order_by(enterprise.c.slug).limit(limit))]
    return [Membership(role=row.pop("role"), enterprise=Enterprise(**row)) for row in found]


def hold_members(tx: Transaction, enterprise_id: str) -> None:
    """Two owners who leave at once must wait for each other: one row stands for all members."""
    tx.one(select(enterprise.c.id).where(enterprise.c.id == enterprise_id).with_for_update(key_share=True))


def _is(enterprise_id: str, person_id: str) -> ColumnElement[bool]:
    return and_(enterprise_member.c.enterprise_id == enterprise_id, enterprise_member.c.person_id == person_id)


def _is_not_the_last_owner(enterprise_id: str, person_id: str) -> ColumnElement[bool]:
    other = enterprise_member.alias()
    others = exists().where(
        other.c.enterprise_id == enterprise_id, other.c.role == "owner", other.c.person_id != person_id
    )
    return or_(enterprise_member.c.role != "owner", others)


def _why_not(tx: Transaction, enterprise_id: str, person_id: str) -> Conflict:
    member_by_id(tx, enterprise_id, person_id)  # raises NotFound for a stranger
    return Conflict("last_owner", "They are the only owner; make somebody else one first.")


def problems_with_role(role: str) -> list[Problem]:
    """What is wrong with the name of a role, if anything."""
    if role in ROLES:
        return []
    known = ", ".join(ROLES)
    return [Problem("role", "The roles are {known}.", "/role", {"known": known})]
