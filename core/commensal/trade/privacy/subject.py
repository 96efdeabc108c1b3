"""Finds all that an instance knows of one person: by their account, and by their address where it is proved."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from ...base.errors import NotFound, Problem
from ...storage.database import Transaction
from ..enterprises.tables import customer
from ..orders.identity import Identity
from ..orders.tables import customer_order
from ..payments.tables import payment
from ..people.email import read_email
from ..people.people import Person
from ..people.tables import person
from .values import DataSubject


def subject_by_email(tx: Transaction, email: str) -> DataSubject:
    """Everything under this address, with an account or without. For who runs the instance: the address is believed.

    Raises `NotFound` where nothing is known.
    """
    read = read_email(email)
    address = "" if isinstance(read, Problem) else read
    row = tx.first(select(person.c.id, person.c.language).where(person.c.email == address))
    found = _subject(tx, address, row["id"] if row else None, row["language"] if row else "", by_address=True)
    if not address or not found.known:
        raise NotFound("nobody", "Nothing is known here of {email}.", email=email[:80])
    return found


def subject_of(tx: Transaction, one: Person) -> DataSubject:
    """Somebody with an account. What was ordered under their address counts once they have confirmed it."""
    return _subject(tx, one.email, one.id, one.language, by_address=one.confirmed_at is not None)


def _subject(tx: Transaction, email: str, person_id: str | None, language: str, *, by_address: bool) -> DataSubject:
    customers = _ids(tx, customer.c.id, _theirs(customer.c.person_id, customer.c.email, person_id, email, by_address))
    own = _theirs(customer_order.c.person_id, customer_order.c.email, person_id, email, by_address)
    as_customer = customer_order.c.customer_id.in_(customers) & (customer_order.c.identity != Identity.TYPED)
    orders = _ids(tx, customer_order.c.id, or_(own, as_customer))
    return DataSubject(
        email=email,
        person_id=person_id,
        language=language,
        customer_ids=customers,
        order_ids=orders,
        payment_ids=_ids(tx, payment.c.id, payment.c.order_id.in_(orders)),
    )


def _theirs(
    whose: ColumnElement[str | None], address: ColumnElement[str], person_id: str | None, email: str, by_address: bool
) -> ColumnElement[bool]:
    """An order under a confirmed address is theirs unless it was placed by somebody else who is logged in."""
    mine = whose == person_id if person_id is not None else whose.is_(None) & (address == email)
    return or_(mine, whose.is_(None) & (address == email)) if by_address else mine


def _ids(tx: Transaction, column: ColumnElement[str], condition: ColumnElement[bool]) -> tuple[str, ...]:
    return tuple(tx.execute(select(column).where(condition).order_by(column)).scalars())
