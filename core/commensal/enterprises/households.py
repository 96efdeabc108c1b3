"""Households: several people who share one customer of an enterprise, with its orders, prices and balance.

The founder is the person whose confirmed address the customer has (`customer.person_id`). Only the founder invites, and
only an invited person with a confirmed address joins: `accounts.joining` has the commands. At one enterprise a person
belongs to one household, and orders as its customer even if the enterprise has a record of them alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, delete, or_, select

from ..base.errors import NotFound
from ..people.people import person_by_id
from ..people.tables import person
from ..storage.database import Row, RowQuery, Transaction
from .tables import customer, customer_person, enterprise, household_invitation

_invitation = household_invitation.c


@dataclass(frozen=True, kw_only=True)
class HouseholdPerson:
    """Somebody who shares the customer of another person, `since` that moment (UTC)."""

    person_id: str
    name: str
    email: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class HouseholdInvitation:
    """An invitation to share a customer, valid until `expires_at`. `founder` is the name of the person who invites."""

    id: str
    email: str
    enterprise_name: str
    founder: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Household:
    """The household of a customer as one of its people sees it.

    founder_name, founder_email: of the person whose customer it is; is_founder: whether that is who looks at it
    people: the others, the earliest first
    invitations: those that nobody has accepted yet; empty unless the founder looks at it
    """

    customer_id: str
    enterprise_id: str
    enterprise_name: str
    founder_name: str
    founder_email: str
    is_founder: bool
    people: Sequence[HouseholdPerson]
    invitations: Sequence[HouseholdInvitation]


def belongs_to(person_id: str | BindParameter[object]) -> ColumnElement[bool]:
    """The condition on rows of `customer` that the person is this customer, or of its household."""
    shared = select(customer_person.c.customer_id).where(customer_person.c.person_id == person_id)
    return or_(customer.c.person_id == person_id, customer.c.id.in_(shared))


def household_first(person_id: str | BindParameter[object]) -> Sequence[ColumnElement[Any]]:
    """The order of a person's records at an enterprise; the first one counts: that of their household, else the oldest
    one."""
    return customer.c.person_id == person_id, customer.c.id


def shared_customer_id(tx: Transaction, enterprise_id: str, *, person_id: str = "", email: str = "") -> str | None:
    """The customer that a person shares with its founder at the enterprise, or None.

    The person is named by `person_id`, or by a confirmed `email`.
    """
    row = customer_person.c
    query = select(row.customer_id).where(row.enterprise_id == enterprise_id)
    if email:
        owns = (person.c.email == email, person.c.confirmed_at.is_not(None))
        query = query.join(person, person.c.id == row.person_id).where(*owns)
    else:
        query = query.where(row.person_id == person_id)
    customer_id: str | None = tx.value(query)
    return customer_id


def households_of(tx: Transaction, person_id: str) -> list[Household]:
    """The households of a person, those that they could found included, by name of the enterprise; at most 100."""
    founder, record = person.alias("founder"), customer.c
    columns = (
        record.id.label("customer_id"),
        record.enterprise_id,
        enterprise.c.name.label("enterprise_name"),
        founder.c.name.label("founder_name"),
        founder.c.email.label("founder_email"),
        record.person_id,
    )
    of_founder = customer.join(founder, founder.c.id == record.person_id)
    tables = of_founder.join(enterprise, enterprise.c.id == record.enterprise_id)
    query = select(*columns).select_from(tables).where(belongs_to(person_id))
    rows = [dict(row) for row in tx.all(query.order_by(enterprise.c.name, *household_first(person_id)).limit(100))]
    people = people_of_households(tx, {row["customer_id"] for row in rows})
    invitations = _invitations_of(tx, {row["customer_id"] for row in rows if row["person_id"] == person_id})
    return [
        Household(
            is_founder=row.pop("person_id") == person_id,
            people=people.get(row["customer_id"], ()),
            invitations=invitations.get(row["customer_id"], ()),
            **row,
        )
        for row in rows
    ]


def people_of_households(tx: Transaction, customer_ids: Collection[str]) -> Mapping[str, Sequence[HouseholdPerson]]:
    """The people who share these customers beside their founders, by customer; the earliest first. Checks nothing."""
    shared = customer_person.c
    query = (
        select(shared.customer_id, shared.person_id, person.c.name, person.c.email, shared.since)
        .join(person, person.c.id == shared.person_id)
        .where(shared.customer_id.in_(customer_ids))
        .order_by(shared.since, shared.person_id)
    )
    people: dict[str, list[HouseholdPerson]] = {}
    for row in tx.all(query):
        values = dict(row)
        people.setdefault(values.pop("customer_id"), []).append(HouseholdPerson(**values))
    return people


def household_invitations_to(tx: Transaction, person_id: str) -> list[HouseholdInvitation]:
    """The open invitations to a person, oldest first; none while their address is not confirmed."""
    invited = person_by_id(tx, person_id)
    if invited.confirmed_at is None:
        return []
    query = _invitations(tx).where(_invitation.email == invited.email)
    return [_read_invitation(row) for row in tx.all(query.order_by(_invitation.created_at, _invitation.id))]


def take_invitation(tx: Transaction, email: str, invitation_id: str) -> str:
    """Deletes an open invitation to this address. Returns its customer. Raises `NotFound`."""
    conditions = (_invitation.id == invitation_id, _invitation.email == email, _invitation.expires_at > tx.now)
    customer_id: str | None = tx.value(
        delete(household_invitation).where(*conditions).returning(_invitation.customer_id)
    )
    if customer_id is None:
        raise NotFound("no_invitation", "There is no such invitation (any more).")
    return customer_id


def forget_household_invitations(tx: Transaction) -> int:
    """Deletes expired invitations. Returns how many."""
    return tx.execute(delete(household_invitation).where(_invitation.expires_at <= tx.now)).rowcount


def _invitations_of(tx: Transaction, customer_ids: Collection[str]) -> Mapping[str, Sequence[HouseholdInvitation]]:
    query = _invitations(tx).where(_invitation.customer_id.in_(customer_ids)).order_by(_invitation.email)
    invitations: dict[str, list[HouseholdInvitation]] = {}
    for row in tx.all(query):
        invitations.setdefault(row["customer_id"], []).append(_read_invitation(row))
    return invitations


def _invitations(tx: Transaction) -> RowQuery:
    return (
        select(
            _invitation.id,
            _invitation.customer_id,
            _invitation.email,
            enterprise.c.name.label("enterprise_name"),
            person.c.name.label("founder"),
            _invitation.expires_at,
        )
        .select_from(household_invitation)
        .join(customer, customer.c.id == _invitation.customer_id)
        .join(enterprise, enterprise.c.id == customer.c.enterprise_id)
        .join(person, person.c.id == customer.c.person_id)
        .where(_invitation.expires_at > tx.now)
    )


def _read_invitation(row: Row) -> HouseholdInvitation:
    return HouseholdInvitation(**{name: value for name, value in row.items() if name != "customer_id"})
