"""Another e-mail address for somebody with an account: it counts once its mails are read, and the old one is told."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, exists, func, select, update

from ...base.errors import Conflict, Invalid, Problem, Refused
from ...base.search import search_key
from ...storage.database import Transaction, insert_or, refusing
from ...storage.jobs import promise
from ..enterprises.tables import customer
from .email import read_email
from .fingerprint import fingerprint
from .people import COLUMNS, Person, person_by_id
from .proved import adopt
from .tables import email_change, email_code, person

LASTS = timedelta(hours=24)
_WAIT = timedelta(minutes=2)  # between two mails: more would only annoy whoever reads them


def ask_new_email(tx: Transaction, person_id: str, email: str) -> str:
    """Promises a mail with a code to the new address, and returns the address. The last one that was asked for counts.

    Whether the address has an account is told to nobody: then nothing is sent. Raises `Invalid` for an address that is
    none, or that is the present one; `Conflict` within two minutes of the last time.
    """
    one = person_by_id(tx, person_id)
    read = read_email(email)
    if isinstance(read, Problem):
        raise Invalid([read])
    if read == one.email:
        raise Invalid([Problem("same_email", "This is your address already.", "/email")])
    secret = tx.ids.secret()
    row = {"email": read, "hash": fingerprint(secret), "asked_at": tx.now, "expires_at": tx.now + LASTS}
    first = insert_or(tx, email_change).values(person_id=person_id, **row)
    again = first.on_conflict_do_update(
        index_elements=["person_id"], set_=row, where=email_change.c.asked_at <= tx.now - _WAIT
    )
    if tx.first(again.returning(email_change.c.person_id)) is None:
        raise Conflict("asked_lately", "A mail is on its way already; please wait two minutes before you ask again.")
    if not tx.value(select(exists().where(person.c.email == read))):
        mail = {"kind": "new_email", "to": read, "name": one.name, "language": one.language, "code": secret}
        promise(tx, "mail", mail)
    return read


def confirm_new_email(tx: Transaction, person_id: str, code: str) -> Person:
    """The new address is proved: it is the log-in from now on, shops know it, and the old one gets a notice.

    Raises `Refused` for a code that is not valid, or not any more; `Conflict` where somebody has taken the address.
    """
    row = email_change.c
    mine = (row.person_id == person_id, row.hash == fingerprint(code), row.expires_at > tx.now)
    new: str | None = tx.value(delete(email_change).where(*mine).returning(row.email))
    if new is None:
        raise Refused("code", "This link is not valid any more. Please ask for a new one.")
    before = person_by_id(tx, person_id)
    values = {"email": new, "confirmed_at": tx.now, "version": person.c.version + 1}
    with refusing(tx, double=Conflict("email_taken", "Somebody else has an account with this address.")):
        changed = tx.one(update(person).where(person.c.id == person_id).values(values).returning(*COLUMNS))
    tx.execute(delete(email_code).where(email_code.c.person_id == person_id))  # they were sent to the old address
    _tell_shops(tx, before, new)
    adopt(tx, person_id, new, before.name, own_orders=True)
    notice = {"kind": "email_changed", "to": before.email, "name": before.name, "language": before.language}
    promise(tx, "mail", notice)
    return Person(**changed)


def _tell_shops(tx: Transaction, before: Person, new: str) -> None:
    """Shops that know them by the old address, where it is not another customer's. Orders keep what was written."""
    other = customer.alias()
    taken = exists().where(other.c.enterprise_id == customer.c.enterprise_id, other.c.email == new)
    mine = (customer.c.person_id == before.id, customer.c.email == before.email, ~taken)
    search = func.replace(customer.c.search, search_key(before.email), search_key(new))
    tx.execute(update(customer).where(*mine).values(email=new, search=search, version=customer.c.version + 1))
