"""What I bring: what a producer harvests and brings, over all sales and instances, and when; and what it came to.

A producer answers a hub's order in two taps: everything comes, or less of some lines, shown once before it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from starlette.responses import Response

from commensal import (
    NotFound,
    Refused,
    SaleSession,
    Stale,
    StockLot,
    SupplierAccount,
    Transaction,
    enterprise_by_id,
    sale_by_id,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, page_parts, service_worker, status_of
from commensal.parts.distribution import collection_places
from commensal.parts.supply import (
    LineAnswer,
    PaidSale,
    PastSale,
    PurchaseOrder,
    accounts_of_supplier,
    answer_by_supplier,
    demand_of_supplier,
    goods_of_order,
    locked_orders,
    paid_to_supplier,
    past_sales_with,
    payments_to,
    purchase_order_by_id,
    statement_corrections,
    statement_lines,
    supplier_orders_of,
)
from commensal.products import products_by_id
from commensal.stock import count_stock, lot_by_id, lots_of, low_lots

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show
from ..money.suppliers import statement_csv
from .receive import fewer_goods, read_answers, together

_MOST = 50  # orders of hubs, the newest first
_PAST = 8  # deliveries shown with what they came to
Delivered = PurchaseOrder | PaidSale | PastSale


@dataclass(frozen=True, kw_only=True)
class PaidDelivery:
    """What a delivery came to and what of it was paid, in minor units; `total` is None before there is an order. Of a
    hub of this instance there is a statement, which has the same sums as the hub's own page."""

    session_id: str
    has_statement: bool
    shop: str
    begins_at: datetime
    currency: str
    total: int | None
    paid: int


def _deliveries(
    past_sales: Sequence[PastSale], orders: Sequence[PurchaseOrder], paid_sales: Sequence[PaidSale], now: datetime
) -> list[tuple[str, Delivered]]:
    """The deliveries that are over and those for which money came, by session, the newest first."""
    known: dict[str, Delivered] = {sale.session_id: sale for sale in paid_sales}
    known |= {sale.session_id: sale for sale in past_sales}
    known |= {order.session_id: order for order in orders if order.ends_at <= now or order.session_id in known}
    return sorted(known.items(), key=lambda each: each[1].begins_at, reverse=True)


def _with_sums(tx: Transaction, desk: Desk, orders: Sequence[PurchaseOrder]) -> list[PaidDelivery]:
    paid = {sale.session_id: sale for sale in paid_to_supplier(tx, desk.enterprise.id)}
    past_sales = past_sales_with(tx, desk.enterprise.id, limit=2 * _PAST)
    deliveries = _deliveries(past_sales, orders, list(paid.values()), tx.now)[: 2 * _PAST]
    accounts = accounts_of_supplier(tx, desk.enterprise.id, [session_id for session_id, _ in deliveries])
    listed = []
    for session_id, known in deliveries:
        account, sale = accounts.get(session_id), paid.get(session_id)
        total = None
        if isinstance(known, PurchaseOrder):
            total = account.delivered if account else known.total
        elif isinstance(known, PastSale):
            if account is None:  # nobody has ordered of it, and nothing was paid
                continue
            total = account.delivered
        listed.append(
            PaidDelivery(
                session_id=session_id,
                has_statement=account is not None,
                shop=known.shop,
                begins_at=known.begins_at,
                currency=known.currency,
                total=total,
                paid=sale.amount if sale else 0,
            )
        )
    return listed[:_PAST]


def bring_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "demand:read")
        demand = demand_of_supplier(tx, visit.instance.hooks, desk.enterprise.id)
        orders = supplier_orders_of(tx, desk.enterprise.id, limit=_MOST)
        deliveries = _with_sums(tx, desk, orders)
        off = _lot_of_product(tx, desk, visit.query["off"]) if "off" in visit.query else None
        places = {
            sale.id: collection_places(tx, visit.instance.hooks, sale.shop_id, sale.id, visit.language)
            for sale in demand.sales
            if not sale.origin
        }
        added_parts = page_parts(tx, visit, "bring", desk.enterprise.id, desk.scopes)
        has_goods = bool(lots_of(tx, desk.enterprise.id, limit=1))
        low = low_lots(tx, desk.enterprise.id) if desk.may("products:read") else []
        now = tx.now
    return show(
        visit,
        desk,
        "bring",
        at="bring",
        status=status,
        added_parts=added_parts,
        demand=demand,
        now=now,
        mistakes=errors,
        deliveries=deliveries,
        low=low,
        places=places,
        has_goods=has_goods,
        orders={order.session_id: order for order in orders if order.ends_at > now},
        off=off,
        may_answer=desk.may("orders:write"),
        may_count=desk.may("products:write"),
        done=visit.query.get("done", ""),
    )


def post_bring(visit: Visit) -> Response:
    """Answers that everything of an order comes, or takes a product off sale for this week."""
    try:
        if visit.query.get("then") == "off":
            done = _take_off(visit)
        else:
            _answer(visit, visit.form.get("order", ""), {})
            done = "all"
    except Refused as error:
        return bring_page(visit, mistakes(visit, error, lambda name: False), status_of(error))
    return visit.redirect(f"{visit.request.url.path}?done={done}")


def _answer(visit: Visit, order_id: str, answers: Mapping[str, LineAnswer]) -> None:
    """Answers an order to this producer; the hub's policy decides whose order shrinks. Raises `Stale`."""
    with visit.write() as tx:
        desk = open_desk(tx, visit, "orders:write")
        own_id = purchase_order_by_id(tx, order_id, supplier_id=desk.enterprise.id).id
        (order,) = locked_orders(tx, [own_id])
        if str(order.version) != visit.form.get("version"):
            raise Stale
        answer_by_supplier(tx, visit.instance.hooks, order.id, answers, by=visit.actor.person_id)


# ------------------------------------------------------------------------------------------------ what was paid


def paid_page(visit: Visit) -> Response:
    """The statement of one delivery, as the hub sees it: what it covers, what that comes to, and what was paid."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "demand:read")
        session, account = _delivery_of_path(tx, visit, desk)
        shop = enterprise_by_id(tx, session.enterprise_id)
        of_sale = (shop.id, session.id, desk.enterprise.id)
        lines, corrections = statement_lines(tx, *of_sale), statement_corrections(tx, *of_sale)
        payments = payments_to(tx, shop.id, session.id, desk.enterprise.id)
        is_over = session.ends_at <= tx.now
    return show(
        visit,
        desk,
        "paid",
        at="bring",
        session=session,
        shop=shop,
        account=account,
        lines=lines,
        corrections=corrections,
        payments=payments,
        is_over=is_over,
    )


def paid_csv(visit: Visit) -> Response:
    """The same as a table for spreadsheets."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "demand:read")
        session, account = _delivery_of_path(tx, visit, desk)
        of_sale = (session.enterprise_id, session.id, desk.enterprise.id)
        lines, corrections = statement_lines(tx, *of_sale), statement_corrections(tx, *of_sale)
    return statement_csv(visit, account.owed, lines, corrections)


def _delivery_of_path(tx: Transaction, visit: Visit, desk: Desk) -> tuple[SaleSession, SupplierAccount]:
    """Raises `NotFound` for a sale in which nothing of this producer was sold."""
    session = sale_by_id(tx, visit.path["session"]).session
    account = accounts_of_supplier(tx, desk.enterprise.id, [session.id]).get(session.id)
    if account is None:
        raise NotFound
    return session, account


# ------------------------------------------------------------------------------------------------ less of something


def less_page(visit: Visit) -> Response:
    return _less_page(visit, {})


def _less_page(
    visit: Visit, typed: Mapping[str, str], errors: Mistakes = NO_MISTAKES, status: int = 200, **context: object
) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = _order_of_path(tx, visit, desk)
        over = order.ends_at <= tx.now
    return show(
        visit,
        desk,
        "less",
        at="bring",
        status=status,
        order=order,
        over=over,
        mistakes=errors,
        goods=goods_of_order(order),
        typed=together(order, typed),
        missing=context.get("missing", ()),
        answers=context.get("answers", {}),
    )


def _order_of_path(tx: Transaction, visit: Visit, desk: Desk) -> PurchaseOrder:
    return purchase_order_by_id(tx, visit.path["purchase_order"], supplier_id=desk.enterprise.id)


def post_less(visit: Visit) -> Response:
    """Shows what will be missing, then tells the hub."""
    typed = {name: text.strip() for name, text in visit.form.items()}
    if goes_back(visit):
        return _less_page(visit, typed)
    try:
        with visit.read() as tx:
            desk = open_desk(tx, visit, "orders:write")
            order = _order_of_path(tx, visit, desk)
            answers = read_answers(tx, order, typed)
        missing = fewer_goods(order, answers, attrgetter("quantity"))
        if not is_sure(visit):
            return _less_page(visit, typed, missing=missing, answers=answers)
        _answer(visit, order.id, answers)
    except Refused as error:
        return _less_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    return visit.redirect(f"{desk.address}/bring?done=less")


# ------------------------------------------------------------------------------------------------ off this week


def _lot_of_product(tx: Transaction, desk: Desk, product_id: str) -> StockLot:
    """The lot of one of this producer's own products. Raises `NotFound`."""
    product = products_by_id(tx, [product_id]).get(product_id)
    if product is None or product.enterprise_id != desk.enterprise.id:
        raise NotFound
    return lot_by_id(tx, desk.enterprise.id, product.lot_id)


def _take_off(visit: Visit) -> str:
    """Leaves nothing of a lot to order: what is ordered or lent stays, and is what the count says is there."""
    with visit.write() as tx:
        desk = open_desk(tx, visit, "products:write")
        lot = _lot_of_product(tx, desk, visit.form.get("product", ""))
        count_stock(tx, desk.enterprise.id, lot.id, lot.reserved + lot.lent, person_id=visit.actor.person_id)
    return "off"


# ------------------------------------------------------------------------------------------------ without a network


def worker_script(visit: Visit) -> Response:
    """The service worker that stores the last list; it controls this producer's page and nothing else."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "demand:read")
    return service_worker(f"{desk.address}/bring")
