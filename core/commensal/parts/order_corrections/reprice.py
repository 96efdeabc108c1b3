"""Puts today's price into orders that were placed at a wrong one, such as a slip of the hand that was corrected since.

A price at which a customer has ordered binds the shop (French Code civil, art. 1103 and 1193). So nobody pays more
without having agreed; whoever pays less is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import and_, select

from ...base.errors import Conflict, Refused
from ...base.money import Money
from ...catalogs.tables import offer
from ...enterprises.tables import customer
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import Threshold
from ...orders.lines import lines_for
from ...orders.lock import refuse_if_handed_over, refuse_unless_placed
from ...orders.price import price, quote_of, with_returns
from ...orders.proof import known_customer_of, prove_order
from ...orders.quote import Offered
from ...orders.rewrite import rewrite
from ...orders.sale_context import KnownCustomer, known_customer, known_customer_by_id, sale_context
from ...orders.shipping import booked_option
from ...orders.tables import customer_order, order_line
from ...orders.values import Order, SaleContext
from ...pricing.lines import with_amount
from ...pricing.values import PricedLine
from ...sale_sessions.visible_offers import goods_for
from ...storage.database import Transaction

_order, _line = customer_order.c, order_line.c


@dataclass(frozen=True, kw_only=True)
class OtherPrice:
    """Pieces on an order at a price that its item has for nobody any more. Amounts are minor units, for one piece.

    today: the price for everybody; None: it has prices for groups only
    """

    item_id: str
    item: str
    order_id: str
    number: int
    name: str
    phone: str
    currency: str
    pieces: int
    price: int
    today: int | None


def orders_at_other_prices(
    tx: Transaction, enterprise_id: str, item_ids: Collection[str] | None = None
) -> list[OtherPrice]:
    """Returns the lines of orders that are still to be handed over, in any sale of the shop, at a price that their item
    has neither for everybody nor for a group; by item and number. Substitutes are left out. One statement."""
    everybody = select(offer.c.price).where(offer.c.item_id == _line.item_id, offer.c.category_id.is_(None))
    is_current = select(offer.c.id).where(offer.c.item_id == _line.item_id, offer.c.price == _line.price).exists()
    going = and_(_order.state.in_(("Held", "Complete")), _order.fulfilment_state != "Fulfilled")
    statement = (
        select(
            _line.item_id,
            _line.name.label("item"),
            _line.order_id,
            _order.number,
            _order.name,
            _order.phone,
            _order.currency,
            _line.quantity.label("pieces"),
            _line.price,
            everybody.scalar_subquery().label("today"),
        )
        .join(customer_order, _order.id == _line.order_id)
        .where(_order.enterprise_id == enterprise_id, going, _line.quantity > 0, ~is_current)
        .where(_line.substitutes_id.is_(None))
        .order_by(_line.name, _line.item_id, _order.number, _line.position)
    )
    if item_ids is not None:
        statement = statement.where(_line.item_id.in_(sorted(item_ids)))
    return [OtherPrice(**row) for row in tx.all(statement)]


def reprice_order(
    tx: Transaction, hooks: Hooks, order: Order, item_id: str, *, agreed: bool = False, by: str | None = None
) -> Order:
    """Gives the pieces of an item on the locked `order` the price at which the item is on sale to its customer now.

    The customer gets an e-mail. Raises `Conflict` for an order that was handed over or cancelled, for an item that is
    not on sale to them, if nothing would change, and if they would pay more and have not `agreed`.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    shop, customer = sale_context(tx, order.session_id), known_customer_of(tx, order)
    (today,) = lines_for(tx, shop, {item_id: 1}, customer.category_ids, after_cut_off=True)
    lines = tuple(
        with_amount(replace(line, price=today.price, list_price=today.list_price))
        if line.item_id == item_id and not line.substitutes_id
        else line
        for line in order.lines
    )
    before = {line.price for old, line in zip(lines, order.lines, strict=True) if old != line}
    if not before:
        raise Conflict("same_price", "Order {number} has the price of today already.", number=order.number or 0)
    changed = rewrite(tx, hooks, shop, customer, order, lines, by=by)
    if not agreed and (changed.total > order.total or today.price > min(before)):
        text = "Order {number} would cost more, {total}: ask its customer first."
        raise Conflict("dearer", text, number=order.number or 0, total=Money(changed.total, order.currency))
    tx.trace(
        "repriced",
        "customer_order",
        order.id,
        enterprise_id=order.enterprise_id,
        item=today.name,
        price=[max(before), today.price],
        agreed=agreed,
    )
    return changed


# Prices the order of a guest for its customer, once they have said that it is theirs.

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


# The next sum of goods from which an order would cost less, as the shop's plugins say.


def next_threshold(tx: Transaction, hooks: Hooks, offered: Offered, language: str) -> Threshold | None:
    """Returns the threshold of which the quoted order misses least; None if there is none that it has not reached."""
    answers = hooks.each(
        specifications.order_thresholds, offered.shop.plugins, tx=tx, order=offered.quote.draft, language=language
    )
    thresholds = [threshold for answer in answers for threshold in answer.value or () if threshold.missing]
    return min(thresholds, key=lambda threshold: threshold.missing, default=None)
