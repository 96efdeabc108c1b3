"""Members of an enterprise and their roles. There is always an owner."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, or_, select, update

from ..base.errors import Conflict, Invalid, Problem, Refused
from ..base.languages.catalogs import translate
from ..people.actor import ROLES
from ..people.email import read_email
from ..people.tables import person
from ..storage.database import Transaction, Whole, insert_once
from ..storage.jobs import NewJob, enqueue_all
from .access import MEMBERS, RIGHTS, scopes_of_member
from .enterprises import COLUMNS, Enterprise
from .tables import enterprise, enterprise_member, enterprise_role

# Mails that tell members what has become of their own rights.

MemberMail = Literal["role_changed", "rights_changed", "member_removed"]


def tell_members(
    tx: Transaction, kind: MemberMail, enterprise_id: str, person_ids: Collection[str], *, by: str, role: str = ""
) -> None:
    """Promises each of these people a mail in their language, but not `by`, who did it and knows. `role` is the one
    that they have now; without an account that is in use nobody gets a mail."""
    their = person.c
    people = tx.all(
        select(their.email, their.name, their.language)
        .where(their.id.in_(sorted({*person_ids} - {by})), their.disabled_at.is_(None))
        .order_by(their.email)
    )
    if not people:
        return
    shop = tx.value(select(enterprise.c.name).where(enterprise.c.id == enterprise_id))
    jobs = []
    for each in people:
        values = {"shop": shop, **role_in_mail(tx, enterprise_id, role, each["language"])}
        about = {"to": each["email"], "name": each["name"], "language": each["language"]}
        jobs.append(NewJob("mail", {"kind": kind, "values": values, **about}))
    enqueue_all(tx, jobs)


def role_in_mail(tx: Transaction, enterprise_id: str, role: str, language: str) -> dict[str, str]:
    """The values by which a mail names a role: `role_name` is "" for one of the core, which the template has words
    for."""
    made = enterprise_role.c
    own_name = tx.value(select(made.name).where(made.id == role, made.enterprise_id == enterprise_id))
    of_plugin = tx.own_scopes.roles.get(role)
    return {"role": role, "role_name": own_name or (translate(language, of_plugin.label) if of_plugin else "")}


MOST = 200  # members of one enterprise


@dataclass(frozen=True, kw_only=True)
class Member:
    """A person with a role at an enterprise: one of the core (`people/actor.py`), of a plugin, or the id of one
    that the enterprise has made (`roles.py`).

    role_name:   what the enterprise calls a role that it has made; "" for others
    takes_money: whether they may take money beyond what the role allows; owners and managers always may
    scopes:      scopes of plugins that they were given beyond those of the role
    """

    person_id: str
    email: str
    name: str
    role: str
    takes_money: bool
    since: datetime
    scopes: Sequence[str] = ()
    role_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Membership:
    """An enterprise as one of its members sees it. `role_name` is that of a role that it has made, "" for others."""

    enterprise: Enterprise
    role: str
    role_name: str = ""


_ROLE_NAME = func.coalesce(enterprise_role.c.name, "").label("role_name")
_MEMBERS = select(
    enterprise_member.c.person_id,
    person.c.email,
    person.c.name,
    enterprise_member.c.role,
    enterprise_member.c.takes_money,
    enterprise_member.c.since,
    enterprise_member.c.scopes,
    _ROLE_NAME,
).select_from(MEMBERS.join(person, person.c.id == enterprise_member.c.person_id))
_MEMBERSHIPS = (
    select(*COLUMNS, enterprise_member.c.role, _ROLE_NAME)
    .select_from(MEMBERS.join(enterprise, enterprise_member.c.enterprise_id == enterprise.c.id))
    .where(enterprise_member.c.person_id == bindparam("person"), enterprise.c.slug > bindparam("after"))
    .order_by(enterprise.c.slug)
    .limit(bindparam("most", type_=Whole))
)


def add_member(tx: Transaction, enterprise_id: str, *, email: str, role: str) -> Member:
    """Adds a person who has an account here. For operators only: enterprises use `invitations.invite`, which does not
    reveal whether an address has an account.

    Raises `Invalid` for a malformed address or unknown role, `Refused` if no account has confirmed this address (an
    unconfirmed one proves nothing), `Conflict` if they are a member already or there are 200 members.
    """
    lock_members(tx, enterprise_id)
    problems = problems_with_role(tx, enterprise_id, role)
    address = read_email(email)
    if isinstance(address, Problem):
        problems.append(address)
    if problems or isinstance(address, Problem):
        raise Invalid(problems)
    query = select(person.c.id).where(person.c.email == address, person.c.confirmed_at.is_not(None))
    person_id = tx.value(query.where(person.c.disabled_at.is_(None)))
    if person_id is None:
        text = "Nobody has an account with the address {email}; ask them to sign up and confirm it."
        raise Refused("unknown_person", text, email=address)
    if tx.value(select(func.count()).where(enterprise_member.c.enterprise_id == enterprise_id)) >= MOST:
        raise Conflict("too_many_members", "There are {most} members already.", most=MOST)
    row = {"enterprise_id": enterprise_id, "person_id": person_id, "role": role, "since": tx.now}
    if not insert_once(tx, enterprise_member, row):
        raise Conflict("member", "They are a member already.")
    if role == "owner":
        release(tx, enterprise_id)
    return member_by_id(tx, enterprise_id, person_id)


def change_role(
    tx: Transaction,
    enterprise_id: str,
    person_id: str,
    *,
    role: str,
    takes_money: bool = False,
    scopes: Collection[str] = (),
    by: str = "",
) -> Member:
    """Changes what a member may do. A new role takes no money and has no `scopes` of plugins unless they are added
    again. The member is told of another role or other rights by mail, unless it is `by`, the id of the person who
    changes it.

    Raises `Invalid` for an unknown role or scope, `NotFound`, `Conflict` for the last owner.
    """
    lock_members(tx, enterprise_id)
    problems = problems_with_role(tx, enterprise_id, role)
    for scope in sorted(set(scopes) - tx.own_scopes.by_name.keys()):
        text = "{scope} is not a scope of a plugin that this instance has."
        problems.append(Problem("scope", text, "/scopes", {"scope": scope[:90]}))
    if problems:
        raise Invalid(problems)
    before = _rights(tx, enterprise_id, person_id)
    statement = update(enterprise_member).where(_is_member(enterprise_id, person_id))
    if role != "owner":
        statement = statement.where(_is_not_the_last_owner(enterprise_id, person_id))
    if tx.execute(statement.values(role=role, takes_money=takes_money, scopes=sorted(set(scopes)))).rowcount != 1:
        raise _last_owner_error(tx, enterprise_id, person_id)
    if role == "owner":
        release(tx, enterprise_id)
    after = _rights(tx, enterprise_id, person_id)
    if before != after:
        kind: MemberMail = "role_changed" if before[0] != role else "rights_changed"
        tell_members(tx, kind, enterprise_id, [person_id], by=by, role=role)
    return member_by_id(tx, enterprise_id, person_id)


def release(tx: Transaction, enterprise_id: str) -> None:
    """Ends that a hub keeps the enterprise, since it has an owner."""
    tx.execute(update(enterprise).where(enterprise.c.id == enterprise_id).values(kept_by=None))


def remove_member(tx: Transaction, enterprise_id: str, person_id: str, *, by: str = "") -> None:
    """Removes a member, who is told so by mail, unless it is `by`, the id of the person who does it. Raises `NotFound`,
    or `Conflict` if they are the last owner."""
    lock_members(tx, enterprise_id)
    statement = delete(enterprise_member).where(
        _is_member(enterprise_id, person_id), _is_not_the_last_owner(enterprise_id, person_id)
    )
    if tx.execute(statement).rowcount != 1:
        raise _last_owner_error(tx, enterprise_id, person_id)
    tell_members(tx, "member_removed", enterprise_id, [person_id], by=by)


def member_by_id(tx: Transaction, enterprise_id: str, person_id: str) -> Member:
    """The member with this person's id. Raises `NotFound`."""
    return Member(**tx.one(_MEMBERS.where(_is_member(enterprise_id, person_id))))


def list_members(tx: Transaction, enterprise_id: str) -> Sequence[Member]:
    """All members of the enterprise, ordered by e-mail address."""
    query = _MEMBERS.where(enterprise_member.c.enterprise_id == enterprise_id)
    return [Member(**row) for row in tx.all(query.order_by(person.c.email))]


def memberships_of(tx: Transaction, person_id: str, *, after: str = "", limit: int = 50) -> Sequence[Membership]:
    """The enterprises of which a person is a member, hidden and archived ones included; by slug, after `after`."""
    rows = tx.all(_MEMBERSHIPS, {"person": person_id, "after": after, "most": limit})
    return [
        Membership(role=row.pop("role"), role_name=row.pop("role_name"), enterprise=Enterprise(**row)) for row in rows
    ]


def lock_members(tx: Transaction, enterprise_id: str) -> None:
    """Locks the enterprise's row for changes of its members: of two owners who leave at once, one must wait, and nobody
    gets a role that is taken away meanwhile."""
    tx.one(select(enterprise.c.id).where(enterprise.c.id == enterprise_id).with_for_update(key_share=True))


def _rights(tx: Transaction, enterprise_id: str, person_id: str) -> tuple[str, frozenset[str]]:
    """The role of a member and all that they may do; nothing for a stranger."""
    row = tx.first(select(*RIGHTS).select_from(MEMBERS).where(_is_member(enterprise_id, person_id)))
    return (row["role"], scopes_of_member(tx, row)) if row else ("", frozenset())


def _is_member(enterprise_id: str, person_id: str) -> ColumnElement[bool]:
    return and_(enterprise_member.c.enterprise_id == enterprise_id, enterprise_member.c.person_id == person_id)


def _is_not_the_last_owner(enterprise_id: str, person_id: str) -> ColumnElement[bool]:
    other = enterprise_member.alias()
    others = exists().where(
        other.c.enterprise_id == enterprise_id, other.c.role == "owner", other.c.person_id != person_id
    )
    return or_(enterprise_member.c.role != "owner", others)


def _last_owner_error(tx: Transaction, enterprise_id: str, person_id: str) -> Conflict:
    member_by_id(tx, enterprise_id, person_id)  # raises NotFound for a stranger
    return Conflict("last_owner", "They are the only owner; make somebody else one first.")


def problems_with_role(tx: Transaction, enterprise_id: str, role: str) -> list[Problem]:
    """The problem with an unknown role; empty for one of the core, of an enabled plugin, or of the enterprise. Call it
    after `lock_members`, or the role may be taken away before it is given."""
    known = {**ROLES, **tx.own_scopes.roles}
    made = enterprise_role.c
    if role in known or tx.first(select(made.id).where(made.id == role, made.enterprise_id == enterprise_id)):
        return []
    roles = ", ".join(known)
    text = "The roles are {known}, and the ids of those that the enterprise has made."
    return [Problem("role", text, "/role", {"known": roles})]
