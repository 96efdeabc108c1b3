"""The second factor: besides the password, a code of an authenticator application, or one of ten recovery codes.

A code is valid once: the last used step only grows (a guarded UPDATE), and a recovery code is used up. Wrong codes slow
the address down like wrong passwords. The database holds the secret in clear, since codes are computed from it; the
person sees it while they set it up, and nobody sees it afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, select, update

from ..base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from ..storage.database import Transaction, insert_or, insert_rows
from .codes import fingerprint
from .login_throttle import CODES, count_try, forget_tries
from .one_time_codes import BYTES, base_32, steps_that_match, uri_of
from .people import Person, person_by_id
from .sessions import revoke_sessions
from .tables import person_recovery_code, person_second_factor

RECOVERY_CODES = 10
_RECOVERY_BYTES = 15  # 120 bits: kept by a plain hash (ASVS 6.5.2 asks a slow one below 112)


@dataclass(frozen=True, kw_only=True)
class SecondFactor:
    """A person's second factor. `since` is None if they have none; `recovery_codes` counts the unused ones."""

    since: datetime | None
    recovery_codes: int


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """The data from which an application makes codes: the secret to type, or the same as a URI to scan."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def has_second_factor(tx: Transaction, person_id: str) -> bool:
    """Whether the person has a confirmed second factor."""
    row = person_second_factor.c
    return tx.value(select(row.person_id).where(row.person_id == person_id, row.confirmed_at.is_not(None))) is not None


def second_factor_of(tx: Transaction, person_id: str) -> SecondFactor:
    """The state of the person's second factor."""
    row, code = person_second_factor.c, person_recovery_code.c
    since = tx.value(select(row.confirmed_at).where(row.person_id == person_id))
    query = select(func.count()).where(code.person_id == person_id, code.used_at.is_(None))
    return SecondFactor(since=since, recovery_codes=int(tx.value(query)))


def begin_second_factor(tx: Transaction, person_id: str, *, place: str) -> Enrolment:
    """Stores and returns a new secret, which takes effect with `confirm_second_factor`. Prove the password before.

    `place` is the name of the instance, which the application shows. Raises `Forbidden` while the person's address is
    not confirmed, `Conflict` if they have a second factor already.
    """
    refuse_unconfirmed(person_by_id(tx, person_id))
    secret = base_32(tx.ids.secret(), BYTES)
    row = {"secret": secret, "created_at": tx.now, "last_step": 0}
    insertion = insert_or(tx, person_second_factor).values(person_id=person_id, **row)
    upsert = insertion.on_conflict_do_update(
        index_elements=["person_id"], set_=row, where=person_second_factor.c.confirmed_at.is_(None)
    )
    if tx.first(upsert.returning(person_second_factor.c.person_id)) is None:
        raise Conflict("second_factor_on", "You have a second factor already; turn it off first.")
    return _enrolment(tx, person_id, secret, place)


def refuse_unconfirmed(person: Person) -> None:
    """Raises `Forbidden` while the person's address is not confirmed.

    Otherwise a stranger who signs up with an address could lock its owner out with their own telephone.
    """
    if person.confirmed_at is None:
        raise Forbidden("not_confirmed", "Please confirm your e-mail address first.")


def unconfirmed_enrolment(tx: Transaction, person_id: str, *, place: str) -> Enrolment | None:
    """The enrolment that `begin_second_factor` began, until it is confirmed; None if there is none."""
    row = person_second_factor.c
    secret = tx.value(select(row.secret).where(row.person_id == person_id, row.confirmed_at.is_(None)))
    return _enrolment(tx, person_id, secret, place) if secret is not None else None


def confirm_second_factor(tx: Transaction, person_id: str, code: str, *, keep: str | None) -> Sequence[str] | None:
    """Turns the second factor on, and ends all sessions but `keep`. Returns ten recovery codes, which are shown once.

    Returns None if the code is wrong: the failure is counted, so commit. Raises `Conflict` if nothing was begun,
    `TooMany` after too many failures.
    """
    email = person_by_id(tx, person_id).email
    count_try(tx, email, CODES)
    row = person_second_factor.c
    secret = tx.value(select(row.secret).where(row.person_id == person_id, row.confirmed_at.is_(None)))
    if secret is None:
        raise Conflict("second_factor_not_begun", "Begin with a new secret first.")
    if not _spend_step(tx, person_id, secret, _without_separators(code)):
        tx.trace("code refused", "person", person_id)
        return None
    forget_tries(tx, email, CODES)
    tx.execute(update(person_second_factor).where(row.person_id == person_id).values(confirmed_at=tx.now))
    tx.execute(delete(person_recovery_code).where(person_recovery_code.c.person_id == person_id))
    codes = [_new_recovery_code(tx) for _ in range(RECOVERY_CODES)]
    insert_rows(
        tx,
        person_recovery_code,
        [
            {
                "hash": fingerprint(_without_separators(recovery_code)),
                "person_id": person_id,
                "created_at": tx.now,
                "used_at": None,
            }
            for recovery_code in codes
        ],
    )
    revoke_sessions(tx, person_id, keep=keep)
    return codes


def prove_second_factor(tx: Transaction, person_id: str, code: str, *, source: str = CODES) -> bool:
    """Uses up a code or recovery code; returns whether it was right and unused.

    The try is counted for `source` before it is checked, so that parallel tries wait for each other: commit also if it
    returns False. Raises `TooMany` after too many tries.
    """
    email = person_by_id(tx, person_id).email
    count_try(tx, email, source)
    row = person_second_factor.c
    secret = tx.value(select(row.secret).where(row.person_id == person_id, row.confirmed_at.is_not(None)))
    tidy = _without_separators(code)
    if secret is not None and (_spend_step(tx, person_id, secret, tidy) or _spend_recovery(tx, person_id, tidy)):
        forget_tries(tx, email, source)
        return True
    tx.trace("code refused", "person", person_id)
    return False


def turn_off_second_factor(tx: Transaction, person_id: str, code: str, *, keep: str | None) -> bool:
    """Removes the second factor of a person who types a code or recovery code. Prove the password before.

    Ends all sessions but `keep`. Returns False if the code is wrong: the failure is counted, so commit. Raises
    `NotFound` if there is no second factor, `TooMany`.
    """
    if not has_second_factor(tx, person_id):
        raise NotFound("no_second_factor", "You have no second factor.")
    if not prove_second_factor(tx, person_id, code):
        return False
    remove_second_factor(tx, person_id, keep=keep)
    return True


def remove_second_factor(tx: Transaction, person_id: str, *, keep: str | None = None) -> bool:
    """Removes the second factor without a code: for operators, when a person has lost telephone and recovery codes.

    If there was one, ends all sessions but `keep`. Returns whether there was one.
    """
    existed = has_second_factor(tx, person_id)
    if existed:
        revoke_sessions(tx, person_id, keep=keep)
    for table in (person_recovery_code, person_second_factor):
        tx.execute(delete(table).where(table.c.person_id == person_id))
    return existed


def wrong_code() -> Invalid:
    """The error for a wrong code of a logged-in person."""
    return Invalid([Problem("wrong_code", "This code is not right, or was used already.", "/code")])


def _enrolment(tx: Transaction, person_id: str, secret: str, place: str) -> Enrolment:
    return Enrolment(secret=secret, uri=uri_of(secret, place=place, account=person_by_id(tx, person_id).email))


def _without_separators(code: str) -> str:
    """The code in lower case, without the blanks and dashes that make it easy to read."""
    return "".join(character for character in code.casefold() if character.isalnum())


def _spend_step(tx: Transaction, person_id: str, secret: str, code: str) -> bool:
    """Uses up the step of this code; returns whether there is one. Of two equal codes at once, only one succeeds."""
    row = person_second_factor.c
    statement = update(person_second_factor).where(row.person_id == person_id, row.secret == secret)
    return any(
        tx.execute(statement.where(row.last_step < step).values(last_step=step)).rowcount == 1
        for step in steps_that_match(secret, code, tx.now)
    )


def _spend_recovery(tx: Transaction, person_id: str, code: str) -> bool:
    row = person_recovery_code.c
    conditions = (row.hash == fingerprint(code), row.person_id == person_id, row.used_at.is_(None))
    return tx.execute(update(person_recovery_code).where(*conditions).values(used_at=tx.now)).rowcount == 1


def _new_recovery_code(tx: Transaction) -> str:
    """Six groups of four letters and digits."""
    letters = base_32(tx.ids.secret(), _RECOVERY_BYTES).lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
