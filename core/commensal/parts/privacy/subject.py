"""Finds all records of a person: by their account, and by their address if it is confirmed."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from ...base.errors import NotFound, Problem
from ...enterprises.tables import customer
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.identity import Identity
from ...orders.tables import customer_order
from ...payments.tables import payment
from ...people.email import read_email
from ...people.people import Person
from ...people.tables import person
from ...storage.database import Transaction
from .values import DataSubject


def subject_by_email(tx: Transaction, hooks: Hooks, email: str) -> DataSubject:
    """All records under this address, with or without an account. For operators: the address needs no proof.

    Raises `NotFound` if there are none, and no plugin keeps anything of the address.
    """
    parsed = read_email(email)
    address = "" if isinstance(parsed, Problem) else parsed
    row = tx.first(select(person.c.id, person.c.language).where(person.c.email == address))
    subject = _subject(tx, address, row["id"] if row else None, row["language"] if row else "", by_address=True)
    if not address or not (subject.known or _is_known_to_plugins(tx, hooks, subject)):
        raise NotFound("nobody", "Nothing is known here of {email}.", email=email[:80])
    return subject


def _is_known_to_plugins(tx: Transaction, hooks: Hooks, subject: DataSubject) -> bool:
    answers = hooks.each(specifications.person_data, tx=tx, person=subject)
    return any(kept_rows.rows for answer in answers for kept_rows in answer.value or ())


def subject_of(tx: Transaction, account: Person) -> DataSubject:
    """All records of a person with an account, and those under their address once they have confirmed it."""
    return _subject(tx, account.email, account.id, account.language, by_address=account.confirmed_at is not None)


def _subject(tx: Transaction, email: str, person_id: str | None, language: str, *, by_address: bool) -> DataSubject:
    customers = _ids(tx, customer.c.id, _belongs(customer.c.person_id, customer.c.email, person_id, email, by_address))
    is_own = _belongs(customer_order.c.person_id, customer_order.c.email, person_id, email, by_address)
    as_customer = customer_order.c.customer_id.in_(customers) & (customer_order.c.identity != Identity.TYPED)
    orders = _ids(tx, customer_order.c.id, or_(is_own, as_customer))
    return DataSubject(
        email=email,
        person_id=person_id,
        language=language,
        customer_ids=customers,
        order_ids=orders,
        payment_ids=_ids(tx, payment.c.id, payment.c.order_id.in_(orders)),
    )


def _belongs(
    owner: ColumnElement[str | None], address: ColumnElement[str], person_id: str | None, email: str, by_address: bool
) -> ColumnElement[bool]:
    """The condition for rows of the person: with their id, or under their address without another person's id."""
    is_own = owner == person_id if person_id is not None else owner.is_(None) & (address == email)
    return or_(is_own, owner.is_(None) & (address == email)) if by_address else is_own


def _ids(tx: Transaction, column: ColumnElement[str], condition: ColumnElement[bool]) -> tuple[str, ...]:
    return tuple(tx.execute(select(column).where(condition).order_by(column)).scalars())
