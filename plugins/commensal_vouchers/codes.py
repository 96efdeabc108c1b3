"""The format of codes, and random codes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from commensal import (
    Money,
    OrderDraft,
    Problem,
    Row,
    Transaction,
    csv_bytes,
    fingerprint,
    format_money,
    format_percent,
    lineage,
    read_text,
    translate,
)

# A voucher and its validation.

VoucherKind = Literal["amount", "percent", "card"]

LARGEST_VALUE = 10_000_000  # minor units on one voucher or card
MOST_USES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Voucher:
    """A code and its terms. Amounts are minor units of `currency`; moments are UTC.

    kind:          "amount" takes `amount` off; "percent" takes `percent` of the goods off, at most `most`; "card" is a
                   gift card, which pays up to its `balance`
    valid_until:   the first moment at which it is no longer valid
    minimum:       the least value of goods, without fees and deposits, at the shop's prices
    once:          each customer can use it for one order
    confirmed:     only for people who are logged in and whose address is confirmed
    alone:         not together with another voucher; gift cards can always be combined
    category_ids:  the customer categories that may use it; empty: all
    product_types: the product types that it reduces, with those below them; empty: all
    used:          the number of orders that have used it
    """

    id: str
    enterprise_id: str
    code: str
    kind: VoucherKind
    name: str
    currency: str
    amount: int | None
    percent: Decimal | None
    most: int | None
    balance: int | None
    valid_from: datetime | None
    valid_until: datetime | None
    minimum: int
    once: bool
    confirmed: bool
    alone: bool
    category_ids: tuple[str, ...]
    product_types: tuple[str, ...]
    most_uses: int | None
    used: int
    batch_id: str | None
    archived_at: datetime | None
    created_at: datetime
    version: int


def voucher_from(row: Row) -> Voucher:
    lists = {name: tuple(row[name]) for name in ("category_ids", "product_types")}
    return Voucher(**{name: row[name] for name in Voucher.__dataclass_fields__} | lists)


def voucher_mistakes(voucher: Voucher) -> list[Problem]:
    """Returns every mistake in a voucher's terms."""
    problems: list[Problem] = []
    most = {"most": Money(LARGEST_VALUE, voucher.currency)}
    read_text(voucher.name, "/name", problems)
    if voucher.kind == "amount" and not 0 < (voucher.amount or 0) <= LARGEST_VALUE:
        problems.append(Problem("amount", "The amount is above nothing, and at most {most}.", "/amount", most))
    if voucher.kind == "percent" and not (
        voucher.percent is not None and voucher.percent.is_finite() and 0 < voucher.percent <= 100
    ):
        problems.append(Problem("percent", "The percentage is above 0, and at most 100.", "/percent"))
    if voucher.most is not None and not (voucher.kind == "percent" and 0 < voucher.most <= LARGEST_VALUE):
        text = "Only a percentage has an amount that it spares at most; it is above nothing."
        problems.append(Problem("most", text, "/most"))
    if voucher.kind == "card" and (
        voucher.once or voucher.alone or voucher.minimum or voucher.most_uses or voucher.product_types
    ):
        text = "A gift card is money: it has no limits but its balance, its dates and its customers."
        problems.append(Problem("card", text, "/kind"))
    if not 0 <= voucher.minimum <= LARGEST_VALUE:
        problems.append(Problem("minimum", "The minimum is at most {most}.", "/minimum", most))
    if voucher.valid_from is not None and voucher.valid_until is not None and voucher.valid_from >= voucher.valid_until:
        problems.append(Problem("dates", "It ends after it begins.", "/valid_until"))
    if voucher.most_uses is not None and not 0 < voucher.most_uses <= MOST_USES:
        text = "It can be used between 1 and {most} times."
        problems.append(Problem("most_uses", text, "/most_uses", {"most": MOST_USES}))
    for place, term in enumerate(voucher.product_types):
        try:
            lineage(term)
        except KeyError:
            text = "There is no kind of product {term}."
            problems.append(Problem("product_type", text, f"/product_types/{place}", {"term": term}))
    return problems


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
