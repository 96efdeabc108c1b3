"""The format of codes, and random codes."""

from __future__ import annotations

import base64
import re

from commensal import Problem, Transaction

CARD = "GC-"  # the prefix of gift cards, and of no other codes: so a code shows its kind without a query
PURCHASE = "NGC-"  # the prefix of the code with which an order buys a new gift card
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 characters that are not confused with each other
_GROUP = 4
_SHAPE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}")


def is_card(code: str) -> bool:
    return code.startswith(CARD)


def is_purchase(code: str) -> bool:
    return code.startswith(PURCHASE)


def is_discount(code: str) -> bool:
    """Whether the code takes something off; others pay, or buy a gift card."""
    return not is_card(code) and not is_purchase(code)


def draw_code(tx: Transaction) -> str:
    """Returns a code with 60 random bits: K7QM-2XWD-9HTA."""
    return _draw(tx, groups=3)


def draw_card_code(tx: Transaction) -> str:
    """Returns the code of a gift card, with 80 random bits: whoever knows it can spend the card."""
    return CARD + _draw(tx, groups=4)


def draw_purchase_code(tx: Transaction) -> str:
    """Returns the code with which an order buys a gift card, with 60 random bits."""
    return PURCHASE + _draw(tx, groups=3)


def read_code(typed: str) -> str | Problem:
    """Returns a code of the shop's choice in capitals, as the core normalises codes; or a `Problem`."""
    code = typed.strip().upper()
    if is_card(code):
        text = "Codes that begin with {prefix} are those of gift cards."
        return Problem("code_of_card", text, "/code", {"prefix": CARD})
    if is_purchase(code):
        text = "Codes that begin with {prefix} buy gift cards."
        return Problem("code_of_purchase", text, "/code", {"prefix": PURCHASE})
    if not _SHAPE.fullmatch(code):
        return Problem("code_shape", "A code has 3 to 40 letters, digits and hyphens.", "/code")
    return code


def tail(code: str) -> str:
    """Returns the end of a gift card's code, which can be shown without giving the card away."""
    return f"…{code[-_GROUP:]}"


def _draw(tx: Transaction, *, groups: int) -> str:
    random_bytes = base64.urlsafe_b64decode(f"{tx.ids.secret()}=")
    letters = [_LETTERS[byte % len(_LETTERS)] for byte in random_bytes[: groups * _GROUP]]  # 256 is a multiple of 32
    return "-".join("".join(letters[place : place + _GROUP]) for place in range(0, len(letters), _GROUP))
