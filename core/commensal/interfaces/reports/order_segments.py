"""Segments of what was ordered: lines, orders, their VAT, their adjustments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Numeric,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from ...base.units.product_types import PRODUCT_TYPES
from ...storage.database import Whole, local_day
from ...trade.enterprises.tables import customer, enterprise
from ...trade.orders.tables import adjustment, customer_order, order_line
from ...trade.payments.tax_point import tax_point
from ...trade.pricing.values import CUSTOMER
from ...trade.products.tables import supplied_product
from ...trade.sale_sessions.tables import coordination, sale_session
from .parameters import SALE, period_of
from .segments import Conditions, Field, Segment, said
from .values import Cell, Kind, Query

GOING = ("Held", "Complete")  # states of orders that are placed and not cancelled
_order, _line, _session = customer_order.c, order_line.c, sale_session.c
_supplier, _shop = enterprise.alias("supplier"), enterprise.alias("shop")


def total_of(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """The sum as a whole number: PostgreSQL would make it a decimal."""
    return cast(func.coalesce(func.sum(expression), 0), Whole)


def whole(
    language: str, name: str, text: str, expression: ColumnElement[Any], kind: Kind = "money", summed: bool = True
) -> Field:
    """A number that is summed up, money unless told otherwise."""
    total = total_of(expression) if summed else None
    return Field(name=name, label=said(language, text), kind=kind, expression=expression, total=total)


def plain(
    language: str, name: str, text: str, expression: ColumnElement[Any], kind: Kind = "text", **more: Any
) -> Field:
    """What is shown as it is."""
    return Field(name=name, label=said(language, text), kind=kind, expression=expression, **more)


def words(language: str, known: dict[str, str]) -> Callable[[str], Cell]:
    """Shows a term of ours in the reader's words."""
    return lambda term: known.get(term, term)


def order_conditions(query: Query) -> Conditions:
    """Placed orders of the enterprise in the sale, or in sales that are distributed in the period.

    When their VAT falls due is another question, which the segment "vat" answers (`tax_point`).
    """
    return _in_question(query, _order.state.in_(GOING))


def _in_question(query: Query, which: ColumnElement[bool]) -> Conditions:
    found = [_order.enterprise_id == query.enterprise_id, which]
    period = period_of(query)
    if SALE in query.given and period is None:
        return [*found, _order.session_id == query.given[SALE]]
    if period is None:
        return found
    row = sale_session.alias()
    sessions = select(row.c.id).where(row.c.enterprise_id == query.enterprise_id)
    sessions = sessions.where(row.c.begins_at >= period.begins_at, row.c.begins_at < period.ends_at)
    return [*found, _order.session_id.in_(sessions)]


def order_lines(language: str) -> Segment:
    fields = [
        *_of_order(language),
        plain(language, "product", "Product", _line.name, sort=supplied_product.c.search),
        plain(language, "size", "Size", _line.unit_quantity, "quantity", unit=_line.unit),
        plain(language, "supplier", "Supplier", _supplier.c.name, sort=_supplier.c.search),
        plain(language, "supplier_id", "Supplier’s id", _line.supplier_id),
        plain(language, "product_type", "Product type", supplied_product.c.product_type, shown=_type(language)),
        plain(language, "sku", "Reference", func.coalesce(supplied_product.c.sku, "")),
        plain(language, "position", "Position", _line.position, "whole"),
        whole(language, "pieces", "Pieces", _line.quantity, "whole"),
        plain(language, "weighed", "Weighed", _line.final_quantity, "quantity", unit=_line.unit),
        plain(language, "price", "Price", _line.price, "money"),
        _rate(language, _line.vat_rate),
        plain(language, "prices_include_vat", "Prices include VAT", _flag(_order.prices_include_vat), "whole"),
        whole(language, "amount", "Amount", _line.amount),
        whole(language, "deposits", "Deposits", _line.deposit * _line.quantity),
        _orders(language),
    ]
    source = (
        customer_order.join(order_line, _line.order_id == _order.id)
        .join(_supplier, _supplier.c.id == _line.supplier_id)
        .join(supplied_product, supplied_product.c.id == _line.product_id)
    )

    def conditions(query: Query) -> Conditions:
        return [*order_conditions(query), _line.quantity > 0]

    return _segment("order_lines", said(language, "Order lines"), _with_sale(source), conditions, fields)


def orders(language: str) -> Segment:
    fields = [
        *_of_order(language, totals=True),
        whole(language, "products_total", "Products", _order.products_total),
        whole(language, "deposits_total", "Deposits", _order.deposits_total),
        whole(language, "adjustments_total", "Fees and reductions", _order.adjustments_total),
        whole(language, "vat_total", "VAT", _order.vat_total),
        _orders(language),
    ]
    return _segment("orders", said(language, "Orders"), _with_sale(customer_order), order_conditions, fields)


def vat(language: str) -> Segment:
    """VAT by the day on which it falls due, as `tax_point` divides it. A period is one of these days."""
    due = tax_point()
    day = local_day(due.c.due_at, bindparam("timezone", type_=Text()))
    fields = [
        *_of_order(language),
        plain(language, "due_on", "VAT due on", day, "date"),
        _rate(language, due.c.rate),
        whole(language, "net", "Without VAT", due.c.net),
        whole(language, "vat", "VAT", due.c.vat),
        whole(language, "gross", "With VAT", due.c.net + due.c.vat),
        _orders(language),
    ]
    source = _with_sale(customer_order.join(due, due.c.order_id == _order.id))

    def conditions(query: Query) -> Conditions:
        period = period_of(query)
        if period is None:
            return order_conditions(query)
        mine = (_order.enterprise_id == query.enterprise_id, _order.state.in_(GOING))
        return [*mine, due.c.due_at >= period.begins_at, due.c.due_at < period.ends_at]

    return _segment("vat", said(language, "VAT of orders"), source, conditions, fields, "payments:read")


def supplies(language: str) -> Segment:
    """What suppliers have brought and are owed for: order lines, and the fees of their orders that go to them. Goods
    that the shop lost, in orders that it cancelled without putting them back on sale, are among it.
    """
    owed = _owed_to_suppliers()
    fields = [
        *_of_order(language),
        plain(language, "supplier", "Supplier", _supplier.c.name, sort=_supplier.c.search),
        plain(language, "supplier_id", "Supplier’s id", owed.c.supplier_id),
        _rate(language, owed.c.vat_rate),
        plain(language, "prices_include_vat", "Prices include VAT", _flag(_order.prices_include_vat), "whole"),
        plain(language, "lost", "Lost by the shop", _flag(_order.state == "Cancelled"), "whole"),
        whole(language, "pieces", "Pieces", owed.c.pieces, "whole"),
        whole(language, "amount", "Amount", owed.c.goods),
        whole(language, "fees", "Fees among it", owed.c.fees),
        whole(language, "deposits", "Deposits", owed.c.deposits),
        _orders(language),
    ]
    source = customer_order.join(owed, owed.c.order_id == _order.id).join(
        _supplier, _supplier.c.id == owed.c.supplier_id
    )
    lost = and_(_order.state == "Cancelled", ~_order.restocked)

    def conditions(query: Query) -> Conditions:
        return _in_question(query, or_(_order.state.in_(GOING), lost))

    label = said(language, "What suppliers have brought")
    return _segment("supplies", label, _with_sale(source), conditions, fields, "payments:read")


def _owed_to_suppliers() -> Subquery:
    """Rows of goods, and of fees that customers pay to a supplier of the same order; amounts in minor units."""
    none, fee = literal(0, Whole), adjustment.c
    goods = select(
        _line.order_id, _line.supplier_id, _line.vat_rate, _line.quantity.label("pieces"), _line.amount.label("goods"),
        (_line.deposit * _line.quantity).label("deposits"), none.label("fees"),
    ).where(_line.quantity > 0)  # fmt: skip
    supplied = order_line.alias()
    theirs = exists().where(supplied.c.order_id == fee.order_id, supplied.c.supplier_id == fee.payee)
    fees = (
        select(fee.order_id, fee.payee, fee.vat_rate, none, none, none, fee.amount)
        .join(customer_order, _order.id == fee.order_id)
        .where(fee.payer == CUSTOMER, fee.payee != _order.enterprise_id, theirs)
    )
    return union_all(goods, fees).subquery("owed")


def adjustments(language: str) -> Segment:
    row, payee = adjustment.c, enterprise.alias("payee")
    payer = case((row.payer == "customer", said(language, "Customer")), else_=row.payer)
    fields = [
        *_of_order(language),
        plain(language, "kind", "Kind", row.kind),
        plain(language, "phase", "Phase", row.phase, shown=words(language, _phases(language))),
        plain(language, "label", "Fee or reduction", row.label),
        plain(language, "payer", "Paid by", payer),
        plain(language, "payee", "Goes to", func.coalesce(payee.c.name, _shop.c.name)),
        plain(language, "code", "Code", row.code),
        _rate(language, row.vat_rate),
        whole(language, "amount", "Amount", row.amount),
        _orders(language),
    ]
    source = (
        customer_order.join(adjustment, row.order_id == _order.id)
        .join(_shop, _shop.c.id == _order.enterprise_id)
        .outerjoin(payee, payee.c.id == row.payee)
    )
    label = said(language, "Fees and reductions")
    return _segment("adjustments", label, _with_sale(source), order_conditions, fields, "payments:read")


def _of_order(language: str, *, totals: bool = False) -> Iterable[Field]:
    """What stands of the order beside anything of it."""
    day = local_day(_session.begins_at, bindparam("timezone", type_=Text()))
    yield plain(language, "number", "Order", _order.number, "whole")
    yield plain(language, "placed_at", "Ordered on", _order.placed_at, "moment")
    yield plain(language, "day", "Distribution", day, "date")
    yield plain(language, "month", "Month", func.substr(day, 1, 7))
    yield plain(language, "sale", "Sale", coordination.c.name)
    yield plain(language, "customer", "Customer", _order.name, sort=customer.c.search)
    yield plain(language, "email", "E-mail", _order.email)
    yield plain(language, "phone", "Telephone", _order.phone)
    yield plain(language, "customer_code", "Customer’s reference", func.coalesce(customer.c.code, ""))
    yield plain(language, "place", "Pickup or delivery", _order.shipping_label)
    yield _address(language, "street", "Street", "street")
    yield _address(language, "postcode", "Postcode", "postcode")
    yield _address(language, "city", "City", "city")
    yield _address(language, "address_note", "Way in", "note")
    yield plain(language, "note", "Note", _order.note)
    yield plain(language, "payment_method", "Payment method", _order.payment_method)
    yield plain(language, "state", "State", _order.state, shown=words(language, _states(language)))
    paid = words(language, _payment_states(language))
    yield plain(language, "payment_state", "Payment", _order.payment_state, shown=paid)
    done = words(language, _fulfilment_states(language))
    yield plain(language, "fulfilment_state", "Handing over", _order.fulfilment_state, shown=done)
    # Beside lines the same totals stand again and again, so they are summed for orders alone.
    yield whole(language, "total", "Total", _order.total, summed=totals)
    yield whole(language, "paid", "Paid", _order.paid_total, summed=totals)
    yield whole(language, "due", "Due", _order.total - _order.paid_total, summed=totals)


def _address(language: str, name: str, text: str, key: str) -> Field:
    found = _order.address.op("->>", return_type=Text())(literal_column(f"'{key}'"))
    return plain(language, name, text, func.coalesce(found, ""))


def _orders(language: str) -> Field:
    """How many orders; it only makes sense of lines put together."""
    count = func.count(_order.id.distinct())
    return Field(name="orders", label=said(language, "Orders"), kind="whole", expression=literal(1), total=count)


def _rate(language: str, expression: ColumnElement[Any]) -> Field:
    """Kept digit by digit, as a text, and ordered as a number."""
    return plain(language, "vat_rate", "VAT rate", expression, "percent", sort=cast(expression, Numeric))


def _flag(expression: ColumnElement[bool]) -> ColumnElement[int]:
    """1 or 0: a number in both databases."""
    return case((expression, 1), else_=0)


def _type(language: str) -> Callable[[str], Cell]:
    return words(language, {term: one.label(language) for term, one in PRODUCT_TYPES.items()})


def _phases(language: str) -> dict[str, str]:
    return {
        "FEE": said(language, "Fee"),
        "DISCOUNT": said(language, "Discount"),
        "VOUCHER": said(language, "Voucher"),
        "SUBSIDY": said(language, "Subsidy"),
        "ROUNDING": said(language, "Rounding"),
    }


def _states(language: str) -> dict[str, str]:
    return {"Held": said(language, "Placed"), "Complete": said(language, "Complete")}


def _payment_states(language: str) -> dict[str, str]:
    return {"Unpaid": said(language, "To be paid"), "Paid": said(language, "Paid")}


def _fulfilment_states(language: str) -> dict[str, str]:
    return {
        "Unfulfilled": said(language, "Not handed over"),
        "Held": said(language, "Ready"),
        "Fulfilled": said(language, "Handed over"),
    }


def _with_sale(source: FromClause) -> FromClause:
    return (
        source.join(sale_session, _session.id == _order.session_id)
        .join(coordination, coordination.c.id == _session.coordination_id)
        .outerjoin(customer, customer.c.id == _order.customer_id)
    )


def _segment(
    name: str,
    label: str,
    source: FromClause,
    conditions: Callable[[Query], Conditions],
    fields: Iterable[Field],
    scope: str = "orders:read",
) -> Segment:
    return Segment(
        name=name, label=label, source=source, conditions=conditions, scope=scope,
        fields={one.name: one for one in fields},
    )  # fmt: skip


MAKERS = {
    "order_lines": order_lines, "orders": orders, "supplies": supplies, "vat": vat, "adjustments": adjustments,
}  # fmt: skip
