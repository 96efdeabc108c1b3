"""Changing the e-mail address of an account: a mailed code proves the new one, a notice goes to the old one."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, exists, func, select, update

from ...base.errors import Conflict, Invalid, Problem
from ...base.search import search_key
from ...enterprises.tables import customer
from ...people.codes import LASTS, use_code
from ...people.email import read_email
from ...people.people import COLUMNS, Person, person_by_id
from ...people.tables import email_change, email_code, person
from ...storage.database import Transaction, refuse_conflict
from ...storage.database.counting import Window, count_within
from ...storage.jobs import enqueue
from .customer_records import link_customer_records

_WAIT = timedelta(minutes=2)  # between two mails: more would only annoy their reader


def ask_new_email(tx: Transaction, person_id: str, email: str) -> str:
    """Enqueues a mail with a code to the new address, and returns the address as kept. A later request replaces it.

    Sends nothing if the address has an account, without revealing it. Raises `Invalid` for a malformed address or the
    present one; `Conflict` within two minutes of the last request.
    """
    owner = person_by_id(tx, person_id)
    address = read_email(email)
    if isinstance(address, Problem):
        raise Invalid([address])
    if address == owner.email:
        raise Invalid([Problem("same_email", "This is your address already.", "/email")])
    row = {"email": address, "asked_at": tx.now, "expires_at": tx.now + LASTS["change"]}
    wait = Window(email_change.c.asked_at <= tx.now - _WAIT, {name: email_change.c[name] for name in row})
    if tx.first(count_within(tx.postgresql, email_change, wait), {"person_id": person_id, **row}) is None:
        raise Conflict("asked_lately", "A mail is on its way already; please wait two minutes before you ask again.")
    if not tx.value(select(exists().where(person.c.email == address))):
        recipient = {"person_id": person_id, "to": address, "name": owner.name, "language": owner.language}
        enqueue(tx, "mail", {"kind": "new_email", "purpose": "change", **recipient})
    return address


def confirm_new_email(tx: Transaction, person_id: str, code: str) -> Person:
    """Makes the new address the log-in, updates the customer records of shops, and enqueues a notice to the old one.

    Raises `Refused` for a code that is unknown or expired; `Conflict` if another account has the address meanwhile.
    """
    use_code(tx, code, "change", person_id=person_id)
    wish = delete(email_change).where(email_change.c.person_id == person_id)
    new_address: str = tx.value(wish.returning(email_change.c.email))
    before = person_by_id(tx, person_id)
    values = {"email": new_address, "confirmed_at": tx.now, "version": person.c.version + 1}
    with refuse_conflict(tx, duplicate=Conflict("email_taken", "Somebody else has an account with this address.")):
        person_row = tx.one(update(person).where(person.c.id == person_id).values(values).returning(*COLUMNS))
    tx.execute(delete(email_code).where(email_code.c.person_id == person_id))  # they were sent to the old address
    _update_customers(tx, before, new_address)
    link_customer_records(tx, person_id, new_address, before.name, own_orders=True)
    notice = {"kind": "email_changed", "to": before.email, "name": before.name, "language": before.language}
    enqueue(tx, "mail", notice)
    return Person(**person_row)


def _update_customers(tx: Transaction, before: Person, new_address: str) -> None:
    """Sets the new address in customer records with the old one, unless the shop has a customer with the new address.

    Orders keep the address with which they were placed.
    """
    other = customer.alias()
    is_taken = exists().where(other.c.enterprise_id == customer.c.enterprise_id, other.c.email == new_address)
    conditions = (customer.c.person_id == before.id, customer.c.email == before.email, ~is_taken)
    search = func.replace(customer.c.search, search_key(before.email), search_key(new_address))
    tx.execute(
        update(customer).where(*conditions).values(email=new_address, search=search, version=customer.c.version + 1)
    )
