"""Makes orders for tests of price rules, without a database; fields that are left out get plausible values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ..payments.values import Payment
from ..pricing.lines import with_amount
from ..pricing.values import CUSTOMER, Adjustment, OrderDraft, Phase, PricedLine

_LINE = PricedLine(
    id="line",
    item_id="item",
    product_id="product",
    supplier_id="supplier",
    lot_id="lot",
    lot_quantity=1000,
    name="Pommes Reinette",
    unit_quantity=Decimal(1),
    unit="Kilogram",
    price=250,
    deposit=0,
    vat_rate=Decimal("5.5"),
    weighed=False,
    quantity=1,
)


def a_line(price: int = 250, quantity: int = 1, vat_rate: str = "5.5", **fields: Any) -> PricedLine:
    """A priced line: `price` in cents for one piece, `vat_rate` in percent, and any other field of `PricedLine`."""
    return with_amount(replace(_LINE, price=price, quantity=quantity, vat_rate=Decimal(vat_rate), **fields))


def an_adjustment(phase: Phase, amount: int, vat_rate: str | None = None, **fields: Any) -> Adjustment:
    """An adjustment of `amount` cents; a subsidy is paid by "Fund" unless told otherwise."""
    payer = "Fund" if phase is Phase.SUBSIDY else CUSTOMER
    rate = None if vat_rate is None else Decimal(vat_rate)
    values = {"kind": phase.lower(), "label": phase.title(), "payer": payer, "plugin": "tried", **fields}
    return Adjustment(phase=phase, amount=amount, vat_rate=rate, **values)


def a_payment(amount: int = 1000, **fields: Any) -> Payment:
    """A payment of `amount` cents in the state Started, and any other field of `Payment`."""
    at = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
    payment = Payment(
        id="payment",
        enterprise_id="shop",
        order_id="order",
        kind="payment",
        method="cash:cash",
        amount=amount,
        currency="EUR",
        state="Started",
        reference="",
        instructions=None,
        created_at=at,
        changed_at=at,
    )
    return replace(payment, **fields)


def a_draft(*lines: PricedLine, **fields: Any) -> OrderDraft:
    """An order in euros whose prices include VAT, with these lines and any other field of `OrderDraft`."""
    values = {
        "id": "order",
        "session_id": "session",
        "enterprise_id": "shop",
        "currency": "EUR",
        "prices_include_vat": True,
        "category_ids": frozenset(),
        "person_id": None,
        "shipping": "",
        "begins_at": datetime(2026, 6, 6, 8, 0, tzinfo=UTC),
        "timezone": "Europe/Paris",
        "coordinator_id": "shop",
        **fields,
    }
    return OrderDraft(lines=lines, **values)
