"""The format of codes, and random codes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from commensal import OrderDraft, Problem, Transaction, csv_bytes, fingerprint, format_money, format_percent, translate

from .voucher import Voucher

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


# Exports codes as CSV for spreadsheets in the reader's language.


def codes_csv(vouchers: Iterable[Voucher], language: str) -> bytes:
    """Returns the vouchers as CSV, one line for each code."""
    return csv_bytes(_rows(vouchers, language), language)


def worth(voucher: Voucher, language: str) -> str:
    """Returns a voucher's value as text: 5,00 €, or 10 %; for a gift card its balance."""
    if voucher.percent is not None:
        return format_percent(voucher.percent, language)
    return format_money(
        (voucher.amount if voucher.balance is None else voucher.balance) or 0, voucher.currency, language
    )


def _rows(vouchers: Iterable[Voucher], language: str) -> Iterator[Sequence[str]]:
    yield (
        translate(language, "Code"),
        translate(language, "Worth"),
        translate(language, "Valid from"),
        translate(language, "Valid until"),
        translate(language, "What for"),
    )
    for voucher in vouchers:
        days = [moment.isoformat() if moment else "" for moment in (voucher.valid_from, voucher.valid_until)]
        yield voucher.code, worth(voucher, language), *days, voucher.name


# Identifies the customer who uses a voucher that each customer has once.
#
# The customer of an order with a proven identity counts as this customer, whatever the address. A guest counts by the
# mailbox that they typed, and only among guests: so a guest can neither use up a customer's turn nor learn of it.
# Once a guest proves the order, its use counts for the customer too (`questions.matches_for`), and still for the
# mailbox. A voucher that needs stronger identification requires a confirmed address.


def holder_of(order: OrderDraft) -> Mapping[str, str | None]:
    """Returns the columns of a use that identify its customer; two uses of a voucher may share none of them."""
    mailbox = mailbox_of(order.email) if order.email else None
    if order.customer_id is not None:
        mailbox = fingerprint(f"customer {order.customer_id}")
    return {"mailbox": mailbox, "person_id": order.person_id}


def mailbox_of(email: str) -> str:
    """Returns the fingerprint of a mailbox: ada+soap@example.org equals ada@example.org. No address is stored."""
    name, _, domain = email.partition("@")
    return fingerprint(f"{name.partition('+')[0]}@{domain}")
