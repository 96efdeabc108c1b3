"""Telephone numbers that people have proven, by a code that a channel of a plugin has sent there.

Whoever places an order types any number, also somebody else's, or one whose calls cost money. So channels get a number
only once it is proven, and a code goes to few numbers: mobile ones of the hub's country, and not often.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, func, or_, select, update

from ...base.errors import Conflict
from ...people.codes import fingerprint
from ...people.tables import phone_proof
from ...storage.database import Transaction, insert_or

_AGAIN = timedelta(days=1)  # a person, and a number, get one code in this time; it is valid as long
_MOST_CODES = 50  # of one hub in this time
_MOST_TRIES = 5
_row = phone_proof.c


def mobile_number(phone: str, country: str) -> str:
    """Returns the number in E.164 if it is a mobile one of this country (ISO 3166-1), else ""."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return ""
    is_mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    if not is_mobile or phonenumbers.region_code_for_number(number) != country:
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def is_proven(tx: Transaction, person_id: str, plugin: str, phone: str) -> bool:
    """Tells whether the person has typed a code that this plugin has sent to the number (E.164)."""
    of_number = (_row.person_id == person_id, _row.plugin == plugin, _row.phone == phone)
    return tx.value(select(_row.proven_at).where(*of_number)) is not None


def ask_for_proof(tx: Transaction, person_id: str, plugin: str, phone: str, enterprise_id: str) -> bool:
    """Notes that a code is to be sent to the number (E.164) by the hub's channel; False if that is too often."""
    lately = _row.asked_at > tx.now - _AGAIN
    counted = select(func.count()).select_from(phone_proof)
    if tx.value(counted.where(lately, or_(_row.person_id == person_id, _row.phone == phone))):
        return False
    if tx.value(counted.where(lately, _row.enterprise_id == enterprise_id)) >= _MOST_CODES:
        return False
    values = {"enterprise_id": enterprise_id, "code_hash": None, "tries": 0, "asked_at": tx.now}
    row = {"person_id": person_id, "plugin": plugin, "phone": phone, **values, "proven_at": None}
    change = insert_or(tx, phone_proof).values(row)
    tx.execute(change.on_conflict_do_update(index_elements=["person_id", "plugin", "phone"], set_=values))
    return True


def new_phone_code(tx: Transaction, person_id: str, plugin: str, phone: str) -> str | None:
    """Returns six digits that prove the number, in place of earlier ones; None if nobody waits for them any more."""
    code = f"{int(fingerprint(tx.ids.secret()), 16) % 10**6:06}"
    of_number = (_row.person_id == person_id, _row.plugin == plugin, _row.phone == phone)
    change = update(phone_proof).where(*of_number, *_pending(tx)).values(code_hash=fingerprint(code))
    return code if tx.execute(change).rowcount else None


def phones_to_prove(tx: Transaction, person_id: str) -> list[str]:
    """Returns the numbers (E.164) to which a code has been sent that the person may type."""
    waiting = (_row.person_id == person_id, _row.code_hash.is_not(None), *_pending(tx))
    return [str(row["phone"]) for row in tx.all(select(_row.phone).where(*waiting).order_by(_row.phone))]


def prove_phone(tx: Transaction, person_id: str, code: str) -> bool:
    """Proves the number to which this code was sent. Returns False for a wrong code: the try is counted, so commit.

    Tries are counted before the code is compared, so that parallel ones wait for each other. Raises `Conflict` if none
    is left, or no code is waited for.
    """
    waiting = (_row.person_id == person_id, _row.code_hash.is_not(None), *_pending(tx))
    if not tx.execute(update(phone_proof).where(*waiting).values(tries=_row.tries + 1)).rowcount:
        raise Conflict("no_code", "This code is not valid any more. With an order of tomorrow you get another one.")
    typed = fingerprint("".join(code.split()))
    of_code = (_row.person_id == person_id, _row.code_hash == typed, _row.proven_at.is_(None))
    return tx.execute(update(phone_proof).where(*of_code).values(proven_at=tx.now, code_hash=None)).rowcount == 1


def _pending(tx: Transaction) -> tuple[ColumnElement[bool], ...]:
    return _row.proven_at.is_(None), _row.tries < _MOST_TRIES, _row.asked_at > tx.now - _AGAIN
