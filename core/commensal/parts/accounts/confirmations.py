"""Signing up, confirming an e-mail address, and resetting a forgotten password by e-mail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Update, delete, exists, func, literal, select, update

from ...base.errors import Conflict, Invalid, Problem
from ...base.search import search_key
from ...enterprises.customers import customer_for
from ...enterprises.tables import customer
from ...enterprises.tokens import revoke_tokens
from ...orders.guests import note_confirmed
from ...orders.tables import customer_order
from ...orders.values import Identity
from ...people.codes import LASTS, fingerprint, mail_code, owner_of_code, use_code
from ...people.email import read_email
from ...people.login_throttle import BROWSER, forget_all_tries, source_of
from ...people.people import COLUMNS, NewPerson, Person, add_person, person_by_id
from ...people.second_factor import remove_second_factor
from ...people.sessions import forget_browsers, revoke_sessions
from ...people.tables import email_change, email_code, person
from ...storage.database import Time, Transaction, refuse_conflict
from ...storage.database.counting import Window, count_within
from ...storage.jobs import Job, enqueue
from .identities import unlink_identities

if TYPE_CHECKING:
    from ...instance import Instance


# Links customer records and orders to a person whose address has just been confirmed.
#
# Every way of confirming an address calls this, so that all have the same effect.

_order = customer_order.c


def link_customer_records(tx: Transaction, person_id: str, email: str, name: str, *, own_orders: bool) -> None:
    """Links customer records and orders of the confirmed `email` (as `read_email` returns it) to the person.

    Links customer records of the address that have no owner, and their orders as a guest, if a mailed link has proved
    them or the shop took them. With `own_orders` also orders that this account placed under this address before: not
    after a reset of the password, since a stranger may have made the account and ordered with it. Orders with an
    address that was only typed stay as they are.
    """
    statement = update(customer).where(customer.c.email == email, customer.c.person_id.is_(None))
    tx.execute(statement.values(person_id=person_id, version=customer.c.version + 1))
    if own_orders:
        _prove_own_orders(tx, person_id, email, name)
    record = exists().where(customer.c.id == _order.customer_id, customer.c.person_id == person_id)
    orders = update(customer_order).where(
        record, _order.person_id.is_(None), _order.identity != Identity.TYPED, _order.state != "Draft"
    )
    tx.execute(orders.values(person_id=person_id, version=_order.version + 1))


def _prove_own_orders(tx: Transaction, person_id: str, email: str, name: str) -> None:
    mine = (_order.person_id == person_id, _order.email == email)
    conditions = (*mine, _order.identity == Identity.TYPED, _order.state != "Draft")
    for row in tx.all(select(_order.enterprise_id).where(*conditions).distinct()):
        shop = row["enterprise_id"]
        record = customer_for(tx, shop, email=email, name=name, person_id=person_id)
        if record.person_id == person_id:
            note_confirmed(tx, select(_order.id).where(*conditions, _order.enterprise_id == shop))
            statement = update(customer_order).where(*conditions, _order.enterprise_id == shop)
            values = {"identity": Identity.PROVEN, "customer_id": record.id, "version": _order.version + 1}
            tx.execute(statement.values(values))


FORGOTTEN = "forgotten_password"  # the kind of job; its handler is `mail_reset`


def sign_up(tx: Transaction, new: NewPerson) -> None:
    """Creates the account and enqueues an e-mail that asks to confirm its address.

    If the address has an account already, only its owner learns it: the e-mail says so and carries a code for a new
    password. Nothing else changes, so that nobody takes over an account by signing up with its address.
    """
    if add_person(tx, new) is not None:
        mail_code(tx, new.email, "confirm", kind="confirm_email")
    else:
        mail_code(tx, new.email, "reset", kind="already_registered")


def ask_confirmation(tx: Transaction, email: str) -> None:
    """Enqueues another e-mail that asks to confirm the address of a logged-in person."""
    mail_code(tx, email, "confirm", kind="confirm_email")


def confirm_email(tx: Transaction, code: str, *, person_id: str) -> Person:
    """Confirms the person's address and links the customer records of this address to them.

    `person_id` is the logged-in person. The code alone is not enough: otherwise an attacker could sign up with another
    person's address and wait for them to follow the link. Raises `Refused` for a code that is not valid.
    """
    owner_id = use_code(tx, code, "confirm", person_id=person_id)
    return _link_records(tx, Person(**tx.one(_confirm_statement(tx, owner_id).returning(*COLUMNS))), own_orders=True)


def ask_reset(tx: Transaction, email: str, *, address: str, browser: str) -> None:
    """Enqueues an e-mail with a code that sets a new password, if `email` has an account.

    A job looks the account up, so this takes the same time for known and unknown addresses. `address` is the client's
    IP address and `browser` the secret of its cookie: who asks again and again from elsewhere uses up another limit of
    e-mails than the owner.
    """
    mailbox = read_email(email)
    account = "" if isinstance(mailbox, Problem) else mailbox
    source = source_of(tx, account, address=address, browser=browser)
    enqueue(tx, FORGOTTEN, {"email": account, "source": source if source.startswith(BROWSER) else fingerprint(source)})


def mail_reset(instance: Instance, job: Job) -> None:
    """Runs the job that `ask_reset` enqueued."""
    email, source = str(job.payload["email"]), str(job.payload.get("source", ""))
    instance.store.transact(lambda tx: mail_code(tx, email, "reset", kind="reset_password", source=source))


def reset_password(tx: Transaction, code: str, password_hash: str) -> Person:
    """Sets a new password hash (of `passwords.hash_password`) and confirms the address, which the code proves.

    Ends all sessions and API tokens, and disconnects all accounts elsewhere, since somebody else may control the
    account. A second factor stays, unless the address was never confirmed: then a stranger may have signed up with it
    and set the second factor up.
    Raises `Refused` for a code that is not valid.
    """
    person_id = use_code(tx, code, "reset")
    if person_by_id(tx, person_id).confirmed_at is None:
        remove_second_factor(tx, person_id)
    row = tx.one(_confirm_statement(tx, person_id).values(password_hash=password_hash).returning(*COLUMNS))
    revoke_sessions(tx, person_id)
    revoke_tokens(tx, person_id)
    unlink_identities(tx, person_id)
    open_codes = update(email_code).where(email_code.c.person_id == person_id, email_code.c.used_at.is_(None))
    tx.execute(open_codes.values(used_at=tx.now))
    forget_browsers(tx, person_id)
    forget_all_tries(tx, row["email"])
    return _link_records(tx, Person(**row), own_orders=False)


def email_of_reset(tx: Transaction, code: str) -> str:
    """The address of the account whose password this code may set, without using it up; "" for an invalid code."""
    return owner_of_code(tx, code, "reset") or ""


def _confirm_statement(tx: Transaction, person_id: str) -> Update:
    return (
        update(person)
        .where(person.c.id == person_id, person.c.disabled_at.is_(None))
        .values(confirmed_at=func.coalesce(person.c.confirmed_at, literal(tx.now, Time)), version=person.c.version + 1)
    )


def _link_records(tx: Transaction, owner: Person, *, own_orders: bool) -> Person:
    link_customer_records(tx, owner.id, owner.email, owner.name, own_orders=own_orders)
    return owner


# Changing the e-mail address of an account: a mailed code proves the new one, a notice goes to the old one.

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
