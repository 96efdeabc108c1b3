"""Signing up, confirming an e-mail address, and resetting a forgotten password by e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Update, func, literal, update

from ...base.errors import Problem
from ...enterprises.tokens import revoke_tokens
from ...people.browsers import forget_browsers
from ...people.codes import mail_code, owner_of_code, use_code
from ...people.email import read_email
from ...people.fingerprint import fingerprint
from ...people.login_throttle import BROWSER, forget_all_tries, source_of
from ...people.people import COLUMNS, NewPerson, Person, add_person, person_by_id
from ...people.second_factor import remove_second_factor
from ...people.sessions import revoke_sessions
from ...people.tables import email_code, person
from ...storage.database import Time, Transaction
from ...storage.jobs import Job, enqueue
from .customer_records import link_customer_records
from .identities import unlink_identities

if TYPE_CHECKING:
    from ...instance import Instance

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
