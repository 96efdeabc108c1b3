"""A second factor: besides the password, a code of an application on somebody's telephone, or one of ten recovery codes
that they have written down.

A code counts once: steps only grow (a guarded UPDATE), and a recovery code is used up. Wrong ones slow the address down
like wrong passwords. The secret stands in the database as it is, since codes are worked out from it; it is told to its
person while it is set up, and to nobody afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, select, update

from ...base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from ...storage.database import Transaction, insert_or, insert_rows
from .fingerprint import fingerprint
from .login_throttle import CODES, count_try, forget_tries
from .one_time_codes import BYTES, base_32, steps_that_match, uri_of
from .people import Person, person_by_id
from .sessions import revoke_sessions
from .tables import person_recovery_code, person_second_factor

RECOVERY_CODES = 10
_RECOVERY_BYTES = 15  # 120 bits: kept by a plain hash (ASVS 6.5.2 asks a slow one below 112)


@dataclass(frozen=True, kw_only=True)
class SecondFactor:
    """Whether somebody has one. `since` is None without; `recovery_codes` are those that are left."""

    since: datetime | None
    recovery_codes: int


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """What an application needs to make codes: the secret to type, or the same as a URI to scan."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def has_second_factor(tx: Transaction, person_id: str) -> bool:
    """Whether codes are asked of them; a secret that was never confirmed is none."""
    row = person_second_factor.c
    return tx.value(select(row.person_id).where(row.person_id == person_id, row.confirmed_at.is_not(None))) is not None


def second_factor_of(tx: Transaction, person_id: str) -> SecondFactor:
    row, code = person_second_factor.c, person_recovery_code.c
    since = tx.value(select(row.confirmed_at).where(row.person_id == person_id))
    left = select(func.count()).where(code.person_id == person_id, code.used_at.is_(None))
    return SecondFactor(since=since, recovery_codes=int(tx.value(left)))


def begin_second_factor(tx: Transaction, person_id: str, *, place: str) -> Enrolment:
    """A new secret, which counts once a code of it was typed. `place` is the name of the instance, which the
    application shows. The password was proved before.

    Raises `Forbidden` while the address is not confirmed, `Conflict` where there is a second factor already.
    """
    refuse_unproved(person_by_id(tx, person_id))
    secret = base_32(tx.ids.secret(), BYTES)
    row = {"secret": secret, "created_at": tx.now, "last_step": 0}
    new = insert_or(tx, person_second_factor).values(person_id=person_id, **row)
    again = new.on_conflict_do_update(
        index_elements=["person_id"], set_=row, where=person_second_factor.c.confirmed_at.is_(None)
    )
    if tx.first(again.returning(person_second_factor.c.person_id)) is None:
        raise Conflict("second_factor_on", "You have a second factor already; turn it off first.")
    return _enrolment(tx, person_id, secret, place)


def refuse_unproved(one: Person) -> None:
    """Otherwise a stranger who signs up with an address keeps its owner out with a telephone of theirs."""
    if one.confirmed_at is None:
        raise Forbidden("not_confirmed", "Please confirm your e-mail address first.")


def unconfirmed_enrolment(tx: Transaction, person_id: str, *, place: str) -> Enrolment | None:
    """What `begin_second_factor` told, until it is confirmed; None where nothing was begun."""
    row = person_second_factor.c
    secret = tx.value(select(row.secret).where(row.person_id == person_id, row.confirmed_at.is_(None)))
    return _enrolment(tx, person_id, secret, place) if secret is not None else None


def confirm_second_factor(tx: Transaction, person_id: str, code: str, *, keep: str | None) -> Sequence[str] | None:
    """From now on codes are asked for. Returns ten recovery codes, told this once, and ends all sessions but `keep`.

    None where the code is wrong: the failure is counted, so commit it. Raises `Conflict` where nothing was begun,
    `TooMany` after too many failures.
    """
    email = person_by_id(tx, person_id).email
    count_try(tx, email, CODES)
    row = person_second_factor.c
    begun = tx.value(select(row.secret).where(row.person_id == person_id, row.confirmed_at.is_(None)))
    if begun is None:
        raise Conflict("second_factor_not_begun", "Begin with a new secret first.")
    if not _spend_step(tx, person_id, begun, _tidy(code)):
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
            {"hash": fingerprint(_tidy(one)), "person_id": person_id, "created_at": tx.now, "used_at": None}
            for one in codes
        ],
    )
    revoke_sessions(tx, person_id, keep=keep)
    return codes


def prove_second_factor(tx: Transaction, person_id: str, code: str, *, source: str = CODES) -> bool:
    """Whether this is a code of theirs that was not used before; it is used up. The try is counted for `source` before
    it is checked, so that of many at once each waits for the one before: commit it also where it is False. Raises
    `TooMany` after too many."""
    email = person_by_id(tx, person_id).email
    count_try(tx, email, source)
    row = person_second_factor.c
    secret = tx.value(select(row.secret).where(row.person_id == person_id, row.confirmed_at.is_not(None)))
    tidy = _tidy(code)
    if secret is not None and (_spend_step(tx, person_id, secret, tidy) or _spend_recovery(tx, person_id, tidy)):
        forget_tries(tx, email, source)
        return True
    tx.trace("code refused", "person", person_id)
    return False


def turn_off_second_factor(tx: Transaction, person_id: str, code: str, *, keep: str | None) -> bool:
    """Takes it away for a code, or a recovery code; the password was proved before. All sessions end but `keep`.

    False where the code is wrong: the failure is counted, so commit it. Raises `NotFound` where there is none,
    `TooMany`.
    """
    if not has_second_factor(tx, person_id):
        raise NotFound("no_second_factor", "You have no second factor.")
    if not prove_second_factor(tx, person_id, code):
        return False
    take_second_factor(tx, person_id, keep=keep)
    return True


def take_second_factor(tx: Transaction, person_id: str, *, keep: str | None = None) -> bool:
    """Takes it away without a code: for who runs the instance, when somebody has lost telephone and recovery codes.
    Where there was one, all sessions end but `keep`. Returns whether there was."""
    had = has_second_factor(tx, person_id)
    if had:
        revoke_sessions(tx, person_id, keep=keep)
    for table in (person_recovery_code, person_second_factor):
        tx.execute(delete(table).where(table.c.person_id == person_id))
    return had


def wrong_code() -> Invalid:
    """What to tell whoever typed a wrong code while they are logged in."""
    return Invalid([Problem("wrong_code", "This code is not right, or was used already.", "/code")])


def _enrolment(tx: Transaction, person_id: str, secret: str, place: str) -> Enrolment:
    return Enrolment(secret=secret, uri=uri_of(secret, place=place, account=person_by_id(tx, person_id).email))


def _tidy(code: str) -> str:
    """Without the blanks and dashes that make it easy to read."""
    return "".join(one for one in code.casefold() if one.isalnum())


def _spend_step(tx: Transaction, person_id: str, secret: str, code: str) -> bool:
    """Of two who type the same code at once, one gets in."""
    row = person_second_factor.c
    mine = update(person_second_factor).where(row.person_id == person_id, row.secret == secret)
    return any(
        tx.execute(mine.where(row.last_step < step).values(last_step=step)).rowcount == 1
        for step in steps_that_match(secret, code, tx.now)
    )


def _spend_recovery(tx: Transaction, person_id: str, code: str) -> bool:
    row = person_recovery_code.c
    mine = (row.hash == fingerprint(code), row.person_id == person_id, row.used_at.is_(None))
    return tx.execute(update(person_recovery_code).where(*mine).values(used_at=tx.now)).rowcount == 1


def _new_recovery_code(tx: Transaction) -> str:
    """Six groups of four letters and digits."""
    letters = base_32(tx.ids.secret(), _RECOVERY_BYTES).lower()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))
