"""Proof of a hand-over: a code that only the side has that hands goods over, or takes them in.

The sender's instance makes two secrets for each booking. One stands on the delivery note, where goods are loaded; the
other on the receiver's page, where they are unloaded. The carrier's instance is told their SHA-256 alone: with it, a
telephone checks a scanned code without a network, and nobody makes one. Each differs by booking and by step, so a code
of another load, another round or the other end proves nothing.

Who cannot scan types the short code: six digits of the secret, and a check digit against slips. As it could be guessed
from its hash it is in none: whoever has the secret says whether it was right.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, get_args

from sqlalchemy import insert, select, update

from commensal import Conflict, Invalid, Problem, Transaction

from ..tables import transport_code
from .states import Event

Step = Literal["pick_up", "deliver"]
Proof = Literal["code", "wrong_code", "unknown_code", "word"]
"""Shown by the right code; by a wrong one; by one that is not known here; or by the word of the driver alone."""

STEPS: tuple[Step, ...] = get_args(Step)
LONGEST = 60  # characters of a code as it is scanned or typed
SCANNED = "commensal:load:"  # before the secret in a QR code
_SECRET, _SHORT = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9]{7}")


@dataclass(frozen=True)
class Code:
    """digest: SHA-256 of the secret, in hexadecimal; secret: None where only others know it"""

    digest: str
    secret: str | None

    @property
    def short(self) -> str:
        """What people type: six digits of the secret and their check digit. Needs the secret."""
        assert self.secret is not None
        digits = f"{int(sha256(f'short {self.secret}'.encode()).hexdigest(), 16) % 10**6:06}"
        return digits + _check_digit(digits)


Codes = Mapping[str, Mapping[Step, Code]]
"""The codes of bookings by their ids."""


def digest_of(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def read_code(text: str) -> str | None:
    """A code as it was scanned or typed, in the one way in which it is compared; None of an empty text.

    Raises `Invalid` for what is not a code, such as a short one with a slip.
    """
    code = re.sub(r"[\s.-]", "", text.strip().lower().removeprefix(SCANNED))
    if not code:
        return None
    if _SECRET.fullmatch(code) or (_SHORT.fullmatch(code) and _check_digit(code[:6]) == code[6]):
        return code
    raise Invalid([Problem("code", "This is not a code of a load. Scan it, or type its seven digits again.", "/code")])


def _check_digit(digits: str) -> str:
    """ISO/IEC 7812-1 (Luhn): it finds every wrong digit, and most that were swapped."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[::-2])
    return str(-(sum(doubled) + sum(map(int, digits[-2::-2]))) % 10)


# ------------------------------------------------------------------------------------------------ what is stored


def make_codes(tx: Transaction, booking_id: str) -> None:
    """Makes both secrets of a booking whose sender lives here."""
    for step in STEPS:
        secret = base64.urlsafe_b64decode(f"{tx.ids.secret()}=")[:16].hex()
        keep_code(tx, booking_id, step, digest_of(secret), secret)


def keep_code(tx: Transaction, booking_id: str, step: Step, digest: str, secret: str | None = None) -> None:
    """Writes down what is known of a code. A secret that comes later is added where it fits the digest; what is known
    does not change."""
    about = (transport_code.c.booking_id == booking_id, transport_code.c.step == step)
    known = tx.first(select(transport_code).where(*about))
    if known is None:
        row = {"booking_id": booking_id, "step": step, "digest": digest, "secret": secret}
        tx.execute(insert(transport_code).values(row))
    elif known["secret"] is None and known["digest"] == digest:
        tx.execute(update(transport_code).where(*about).values(secret=secret))


def codes_of(tx: Transaction, booking_ids: Collection[str]) -> Codes:
    """What is known here of the codes of these bookings; those without any are left out."""
    rows = tx.all(select(transport_code).where(transport_code.c.booking_id.in_(booking_ids))) if booking_ids else ()
    codes: dict[str, dict[Step, Code]] = {}
    for row in rows:
        codes.setdefault(row["booking_id"], {})[row["step"]] = Code(row["digest"], row["secret"])
    return codes


# ------------------------------------------------------------------------------------------------ what is proven


def refuse_wrong_code(tx: Transaction, booking_id: str, event: Event, code: str | None) -> None:
    """Raises `Conflict` for a scanned code that is not the one of this booking and step. A short one is not refused
    here: whoever may try again guesses it."""
    if code is None or not _SECRET.fullmatch(code):
        return
    if proof_of(codes_of(tx, [booking_id]), booking_id, event, code) != "code":
        raise Conflict("code", "This code is of another load, another round, or the other end of the way.")


def proof_of(codes: Codes, booking_id: str, event: str, code: str | None) -> Proof:
    """What a code proves that was reported with an event."""
    if code is None:
        return "word"
    own = next((own for step, own in codes.get(booking_id, {}).items() if step == event), None)
    if own is None:
        return "unknown_code"
    if _SECRET.fullmatch(code):
        return "code" if digest_of(code) == own.digest else "wrong_code"
    if own.secret is None:
        return "unknown_code"
    return "code" if code == own.short else "wrong_code"
