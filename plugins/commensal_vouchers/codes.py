"""What codes look like, and how they are drawn by lot."""

from __future__ import annotations

import base64
import re

from commensal import Problem, Transaction

CARD = "GC-"  # before the code of a gift card, and of nothing else: so a code tells its kind without a question
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 that nobody takes for one another when they are read out
_GROUP = 4
_SHAPE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}")


def is_card(code: str) -> bool:
    return code.startswith(CARD)


def drawn_code(tx: Transaction) -> str:
    """A code of 60 bits of chance: K7QM-2XWD-9HTA."""
    return _drawn(tx, groups=3)


def drawn_card(tx: Transaction) -> str:
    """The code of a gift card, 80 bits of chance: it is money to whoever knows it."""
    return CARD + _drawn(tx, groups=4)


def read_code(typed: str) -> str | Problem:
    """A code that somebody has thought of, in capitals, as the core reads those of customers."""
    code = typed.strip().upper()
    if is_card(code):
        text = "Codes that begin with {prefix} are those of gift cards."
        return Problem("code_of_card", text, "/code", {"prefix": CARD})
    if not _SHAPE.fullmatch(code):
        return Problem("code_shape", "A code has 3 to 40 letters, digits and hyphens.", "/code")
    return code


def tail(code: str) -> str:
    """What can be shown of a gift card's code without giving the card away."""
    return f"…{code[-_GROUP:]}"


def _drawn(tx: Transaction, *, groups: int) -> str:
    chance = base64.urlsafe_b64decode(f"{tx.ids.secret()}=")
    letters = [_LETTERS[byte % len(_LETTERS)] for byte in chance[: groups * _GROUP]]  # 256 is a multiple of 32
    return "-".join("".join(letters[place : place + _GROUP]) for place in range(0, len(letters), _GROUP))
