"""Prices the order of a guest for its customer, once they have said that it is theirs."""

from __future__ import annotations

from dataclasses import replace

import structlog
from sqlalchemy import select

from ...base.errors import Refused
from ...enterprises.tables import customer
from ...hooks.dispatcher import Hooks
from ...orders.price import price, quote_of
from ...orders.proof import known_customer_of, prove_order
from ...orders.returned_value import with_returns
from ...orders.rewrite import rewrite
from ...orders.sale_context import KnownCustomer, known_customer, known_customer_by_id, sale_context
from ...orders.shipping import booked_option
from ...orders.tables import customer_order
from ...orders.values import Order, SaleContext
from ...pricing.lines import with_amount
from ...pricing.values import PricedLine
from ...sale_sessions.visible_offers import goods_for
from ...storage.database import Transaction

_log = structlog.get_logger("commensal.orders")


def claim_order(tx: Transaction, hooks: Hooks, secret_hash: str, *, person_id: str | None = None) -> Order:
    """Proves an order as `prove_order` does, and prices it for its customer while the sale is open.

    Lines get the prices of the customer's groups where these are lower, and plugins give their help. An order that
    would not cost less stays as it is, and so does one that cannot be priced anew: nobody has agreed to pay more. The
    customer is mailed what it costs now. Raises what `prove_order` raises.
    """
    order = prove_order(tx, secret_hash, person_id=person_id)
    shop, owner = sale_context(tx, order.session_id), known_customer_of(tx, order)
    if not _may_be_priced(tx, order, shop):
        return order
    lines = _lines_at_own_prices(tx, order, owner)
    try:
        with tx.attempt() as attempt:
            claimed = rewrite(tx, hooks, shop, owner, order, lines, by=person_id)
            if claimed.total < order.total:
                return claimed
            attempt.rollback()
    except Refused as error:
        _log.warning("an order that was claimed keeps its price", order=order.id, exc_info=error)
    return order


def total_once_claimed(tx: Transaction, hooks: Hooks, order: Order, person_id: str) -> int | None:
    """Returns what a guest's order will cost once this person has claimed it, in minor units; None: what it costs now.

    `person_id` is the account whose confirmed address the order has.
    """
    shop, owner = sale_context(tx, order.session_id), _future_customer(tx, order, person_id)
    if not _may_be_priced(tx, order, shop):
        return None
    try:
        own_order = replace(order, lines=_lines_at_own_prices(tx, order, owner))
        draft = replace(quote_of(own_order, shop, owner).draft, adjustments=(), person_id=person_id)
        quote = with_returns(price(tx, hooks, shop, draft, booked_option(tx, hooks, shop, draft)), order.adjustments)
    except Refused:
        return None
    return quote.totals.total if quote.totals.total < order.total else None


def _future_customer(tx: Transaction, order: Order, person_id: str) -> KnownCustomer:
    """The customer that the order has once it is claimed: that of the person, or the record for its address that is
    nobody's yet (`prove_order` links it)."""
    known = known_customer(tx, order.enterprise_id, person_id)
    if known.customer_id is not None:
        return known
    of_address = select(customer.c.id).join(customer_order, customer_order.c.customer_id == customer.c.id)
    record_id = tx.value(of_address.where(customer_order.c.id == order.id, customer.c.person_id.is_(None)))
    return known if record_id is None else known_customer_by_id(tx, record_id)


def _may_be_priced(tx: Transaction, order: Order, shop: SaleContext) -> bool:
    return order.state == "Held" and shop.is_open(tx.now)


def _lines_at_own_prices(tx: Transaction, order: Order, owner: KnownCustomer) -> tuple[PricedLine, ...]:
    """The lines of the order, each at the customer's price if that is lower. What replaces missing goods keeps its
    price, and so does what is not on sale any more."""
    items = {line.item_id for line in order.lines}
    offers = {goods.item_id: goods for goods in goods_for(tx, order.session_id, owner.category_ids, items)}

    def at_own_price(line: PricedLine) -> PricedLine:
        offer = offers.get(line.item_id)
        if offer is None or offer.price >= line.price or line.substitutes_id is not None:
            return line
        return with_amount(replace(line, price=offer.price, list_price=offer.list_price))

    return tuple(map(at_own_price, order.lines))
