"""A voucher and its validation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from commensal import Money, Problem, Row, lineage, read_text

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
