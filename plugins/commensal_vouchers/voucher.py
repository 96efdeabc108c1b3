"""A voucher, and what may be said of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from commensal import Money, Problem, Row, lineage, read_text

Kind = Literal["amount", "percent", "card"]

DEAREST = 10_000_000  # minor units on one voucher or card
MOST_USES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Voucher:
    """A code and what it does. Amounts are minor units of `currency`; moments are UTC.

    kind:          "amount" spares `amount`; "percent" spares `percent` of the goods, `most` at most; "card" is a gift
                   card, which pays as long as there is a `balance`
    valid_until:   the first moment at which it is not valid any more
    minimum:       of goods, without fees and deposits, at the prices of the shop
    once:          each customer can use it for one order
    confirmed:     only for people who are logged in and whose address is confirmed
    alone:         not together with another voucher; gift cards always go together with anything
    category_ids:  of customers; none for all
    product_types: it spares only something of these and what is below them; none for all
    used:          by how many orders
    """

    id: str
    enterprise_id: str
    code: str
    kind: Kind
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


def mistakes_in(one: Voucher) -> list[Problem]:
    """Everything that a voucher cannot be like."""
    found: list[Problem] = []
    most = {"most": Money(DEAREST, one.currency)}
    read_text(one.name, "/name", found)
    if one.kind == "amount" and not 0 < (one.amount or 0) <= DEAREST:
        found.append(Problem("amount", "The amount is above nothing, and at most {most}.", "/amount", most))
    if one.kind == "percent" and not (one.percent is not None and one.percent.is_finite() and 0 < one.percent <= 100):
        found.append(Problem("percent", "The percentage is above 0, and at most 100.", "/percent"))
    if one.most is not None and not (one.kind == "percent" and 0 < one.most <= DEAREST):
        text = "Only a percentage has an amount that it spares at most; it is above nothing."
        found.append(Problem("most", text, "/most"))
    if one.kind == "card" and (one.once or one.alone or one.minimum or one.most_uses or one.product_types):
        text = "A gift card is money: it has no limits but its balance, its dates and its customers."
        found.append(Problem("card", text, "/kind"))
    if not 0 <= one.minimum <= DEAREST:
        found.append(Problem("minimum", "The minimum is at most {most}.", "/minimum", most))
    if one.valid_from is not None and one.valid_until is not None and one.valid_from >= one.valid_until:
        found.append(Problem("dates", "It ends after it begins.", "/valid_until"))
    if one.most_uses is not None and not 0 < one.most_uses <= MOST_USES:
        text = "It can be used between 1 and {most} times."
        found.append(Problem("most_uses", text, "/most_uses", {"most": MOST_USES}))
    for place, term in enumerate(one.product_types):
        try:
            lineage(term)
        except KeyError:
            text = "There is no kind of product {term}."
            found.append(Problem("product_type", text, f"/product_types/{place}", {"term": term}))
    return found
