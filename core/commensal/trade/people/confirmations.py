"""Signing up, proving an e-mail address, and getting back in with it when the password is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Update, func, literal, update

from ...base.errors import Problem
from ...storage.database import Time, Transaction
from ...storage.jobs import Job, promise
from .browsers import forget_browsers
from .codes import mail_code, owner_of_code, use_code
from .email import read_email
from .login_throttle import forget_all_tries
from .people import COLUMNS, NewPerson, Person, add_person, person_by_id
from .proved import adopt
from .second_factor import take_second_factor
from .sessions import revoke_sessions
from .tables import email_code, person
from .tokens import revoke_tokens

if TYPE_CHECKING:
    from ...instance import Instance

FORGOTTEN = "forgotten_password"  # the kind of job; its handler is `mail_reset`


def sign_up(tx: Transaction, new: NewPerson) -> None:
    """Makes the account and promises an e-mail that asks to confirm its address.

    Whether the address had an account before is told to nobody but its owner: then the e-mail says so, with a code
    that sets a new password. Nothing else changes, so that nobody takes over an account by signing up with its address.
    """
    if add_person(tx, new) is not None:
        mail_code(tx, new.email, "confirm", kind="confirm_email")
    else:
        mail_code(tx, new.email, "reset", kind="already_registered")


def ask_confirmation(tx: Transaction, email: str) -> None:
    """Sends the e-mail that asks to confirm an address once more, to somebody who is logged in."""
    mail_code(tx, email, "confirm", kind="confirm_email")


def confirm_email(tx: Transaction, code: str, *, person_id: str) -> Person:
    """The address is proved: what shops know of it becomes theirs. Raises `Refused` for a code that is not valid.

    `person_id` is who is logged in. The code alone is not enough: otherwise somebody could sign up with an address of
    another, and wait for them to follow the link.
    """
    used = use_code(tx, code, "confirm", person_id=person_id)
    return _adopted(tx, Person(**tx.one(_proved(tx, used).returning(*COLUMNS))), own_orders=True)


def ask_reset(tx: Transaction, email: str) -> None:
    """Promises an e-mail with a code that sets a new password, if there is anybody at `email`.

    Who it is, is looked up by a job: so this does the same, in the same time, for known and unknown addresses.
    """
    read = read_email(email)
    promise(tx, FORGOTTEN, {"email": "" if isinstance(read, Problem) else read})


def mail_reset(instance: Instance, job: Job) -> None:
    """Does the job that `ask_reset` promised."""
    email = str(job.payload["email"])
    instance.store.transact(lambda tx: mail_code(tx, email, "reset", kind="reset_password"))


def reset_password(tx: Transaction, code: str, password_hash: str) -> Person:
    """Sets a new password, made by `passwords.hash_password`. The address is proved by it; all sessions and API tokens
    end, since whoever needs this may have lost the account to somebody else.

    A second factor stays, unless the address was never proved: then a stranger has set it up who had signed up with
    the address of another. Raises `Refused` for a code that is not valid.
    """
    person_id = use_code(tx, code, "reset")
    if person_by_id(tx, person_id).confirmed_at is None:
        take_second_factor(tx, person_id)
    row = tx.one(_proved(tx, person_id).values(password_hash=password_hash).returning(*COLUMNS))
    revoke_sessions(tx, person_id)
    revoke_tokens(tx, person_id)
    open_codes = update(email_code).where(email_code.c.person_id == person_id, email_code.c.used_at.is_(None))
    tx.execute(open_codes.values(used_at=tx.now))
    forget_browsers(tx, person_id)
    forget_all_tries(tx, row["email"])
    return _adopted(tx, Person(**row), own_orders=False)


def email_of_reset(tx: Transaction, code: str) -> str:
    """Whose new password this code may set, without using it up; "" for a code that is not valid."""
    return owner_of_code(tx, code, "reset") or ""


def _proved(tx: Transaction, person_id: str) -> Update:
    return (
        update(person)
        .where(person.c.id == person_id, person.c.disabled_at.is_(None))
        .values(confirmed_at=func.coalesce(person.c.confirmed_at, literal(tx.now, Time)), version=person.c.version + 1)
    )


def _adopted(tx: Transaction, owner: Person, *, own_orders: bool) -> Person:
    adopt(tx, owner.id, owner.email, owner.name, own_orders=own_orders)
    return owner
