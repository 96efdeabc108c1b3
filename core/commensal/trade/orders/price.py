"""What an order costs: its lines, then the adjustments that plugins ask for, phase by phase, then VAT and totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...hooks.dispatcher import Hooks
from ...hooks.values import ShippingOption
from ...storage.database import Transaction
from ..pricing.asking import ask_plugins
from ..pricing.phases import price_order
from ..pricing.totals import totals
from ..pricing.values import Address, Adjustment, OrderDraft, Phase, PricedLine
from .selling import Known
from .settle import refuse_unclaimed
from .values import Order, Quote, Selling


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a customer chose besides goods."""

    shipping: str = ""
    payment_method: str = ""
    codes: tuple[str, ...] = ()
    address: Address | None = None


def draft_of(
    order_id: str,
    shop: Selling,
    lines: tuple[PricedLine, ...],
    known: Known,
    chosen: Choices,
    *,
    person_id: str | None,
    email: str = "",
    language: str = "fr",
    codes_before: tuple[str, ...] = (),
) -> OrderDraft:
    """The order as plugins see it, before any adjustment."""
    return OrderDraft(
        id=order_id,
        session_id=shop.session_id,
        enterprise_id=shop.enterprise_id,
        currency=shop.currency,
        prices_include_vat=shop.prices_include_vat,
        category_ids=known.category_ids,
        person_id=person_id,
        customer_id=known.customer_id,
        email=email,
        language=language,
        codes=chosen.codes,
        codes_before=codes_before,
        payment_method=chosen.payment_method,
        lines=lines,
        shipping=chosen.shipping,
        address=chosen.address,
        begins_at=shop.begins_at,
        timezone=shop.timezone,
        coordinator_id=shop.coordinator_id,
    )


def quote_of(order: Order, shop: Selling, known: Known) -> Quote:
    """A placed order as its plugins have seen it when it was last priced."""
    chosen = Choices(
        shipping=order.shipping, payment_method=order.payment_method, codes=order.codes, address=order.address
    )
    draft = draft_of(
        order.id, shop, order.lines, known, chosen, person_id=order.person_id, email=order.email,
        language=order.language, codes_before=order.codes,
    )  # fmt: skip
    whole = replace(draft, adjustments=order.adjustments)
    return Quote(draft=whole, totals=totals(whole))


def price(tx: Transaction, hooks: Hooks, shop: Selling, draft: OrderDraft, option: ShippingOption | None) -> Quote:
    """Asks the shop's plugins for adjustments and adds everything up. `option` is the booked or wished shipping.

    Raises `Invalid` for a code that no plugin knows.
    """
    claimed: set[str] = set()
    ask = ask_plugins(hooks, tx, shop.plugins)

    def ask_and_note(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
        asked = ask(order, phase)
        claimed.update(one.code for one in asked)
        return asked

    with tx.hold.reading():  # once for all phases
        whole = price_order(replace(draft, shipping_option=option), ask_and_note)
    refuse_unclaimed(draft.codes, claimed)
    return Quote(draft=whole, totals=totals(whole))
