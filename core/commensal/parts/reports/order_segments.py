"""Segments of orders: their lines, the orders, their VAT, what suppliers are owed, and adjustments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Numeric,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from ...base.languages.catalogs import labelled
from ...base.plugin_fields import PluginFields, describe_values
from ...base.units.facets import Zone, zone_of
from ...base.units.product_types import PRODUCT_TYPES
from ...enterprises.tables import customer, enterprise
from ...orders.guests import awaits_confirmation
from ...orders.lock import CORRECTION
from ...orders.price import KIND as EMPTIES
from ...orders.tables import adjustment, customer_order, order_line
from ...payments.methods import method_name
from ...pricing.values import Phase
from ...products.tables import supplied_product
from ...sale_sessions.tables import coordination, sale_session
from ...storage.database import Whole
from ..supply.owed import is_owed, owed_rows
from ..till.tax_point import tax_point
from .parameters import SALE, period_of
from .segments import Conditions, Segment, SegmentField, day_of, field_label
from .values import Cell, CellKind, Query
from .vat import vat_of_adjustment, vat_of_line

ACTIVE_STATES = ("Held", "Complete")  # states of orders that are placed and not cancelled
_order, _line, _session = customer_order.c, order_line.c, sale_session.c
_supplier, _shop = enterprise.alias("supplier"), enterprise.alias("shop")


def total_of(expression: ColumnElement[object]) -> ColumnElement[object]:
    """The sum, 0 without rows, as an integer: PostgreSQL would return a decimal."""
    return cast(func.coalesce(func.sum(expression), 0), Whole)


def number_field(
    language: str,
    name: str,
    text: str,
    expression: ColumnElement[object],
    kind: CellKind = "money",
    summed: bool = True,
) -> SegmentField:
    """A number, money by default, with a sum unless `summed` is False."""
    total = total_of(expression) if summed else None
    return SegmentField(name=name, label=field_label(language, text), kind=kind, expression=expression, total=total)


def plain_field(
    language: str, name: str, text: str, expression: ColumnElement[Any], kind: CellKind = "text", **options: Any
) -> SegmentField:
    """A field without a sum; `options` are further attributes of `SegmentField`."""
    return SegmentField(name=name, label=field_label(language, text), kind=kind, expression=expression, **options)


def replace_terms(texts: dict[str, str]) -> Callable[[str], Cell]:
    """A function that replaces a term by its text in the reader's language; an unknown term stays as it is."""
    return lambda term: texts.get(term, term)


def show_method(language: str) -> Callable[[str], Cell]:
    """A function that names a payment method ("plugin:method") as people do."""

    @cache
    def name(method: str) -> Cell:
        return method_name(method, language)

    return name


def order_conditions(query: Query) -> Conditions:
    """Placed orders of the enterprise in the sale, or in sales that are distributed in the period.

    The segment "vat" does not use this for a period: VAT falls due by other rules (`tax_point`).
    """
    return _conditions_of_query(query, _order.state.in_(ACTIVE_STATES))


def _conditions_of_query(query: Query, state_condition: ColumnElement[bool]) -> Conditions:
    conditions = [_order.enterprise_id == query.enterprise_id, state_condition]
    period = period_of(query)
    if SALE in query.given and period is None:
        return [*conditions, _order.session_id == query.given[SALE]]
    if period is None:
        return conditions
    row = sale_session.alias()
    sessions = select(row.c.id).where(row.c.enterprise_id == query.enterprise_id)
    sessions = sessions.where(period.contains(row.c.begins_at))
    return [*conditions, _order.session_id.in_(sessions)]


def _name_of_goods(language: str) -> ColumnElement[str]:
    """What a reader calls the goods of a line, by the rule of `names_of_lines`."""
    product, own = supplied_product.c, select(enterprise.c.language).where(enterprise.c.id == _order.enterprise_id)
    called = product.names.op("->>", return_type=Text())(literal(language, Text()))
    is_elsewhere = and_(own.scalar_subquery() != language, product.name == _line.name)
    return case((is_elsewhere, func.coalesce(called, _line.name)), else_=_line.name)


def order_lines(language: str) -> Segment:
    fields = [
        *_order_fields(language),
        plain_field(language, "product", "Product", _name_of_goods(language), sort=supplied_product.c.search),
        plain_field(language, "size", "Size", _line.unit_quantity, "quantity", unit=_line.unit),
        plain_field(language, "supplier", "Supplier", _supplier.c.name, sort=_supplier.c.search),
        plain_field(language, "supplier_id", "Supplier’s id", _line.supplier_id),
        plain_field(language, "supplier_phone", "Supplier’s telephone", _supplier.c.phone),
        plain_field(language, "supplier_street", "Supplier’s street", _supplier.c.street),
        plain_field(language, "supplier_postcode", "Supplier’s postcode", _supplier.c.postcode),
        plain_field(language, "supplier_city", "Supplier’s town", _supplier.c.city),
        plain_field(
            language, "product_type", "Product type", supplied_product.c.product_type, shown=_show_type(language)
        ),
        plain_field(language, "product_id", "Product’s id", _line.product_id),
        plain_field(language, "sku", "Reference", func.coalesce(supplied_product.c.sku, "")),
        plain_field(language, "position", "Position", _line.position, "whole"),
        number_field(language, "pieces", "Pieces", _line.quantity, "whole"),
        plain_field(language, "by_weight", "Sold by weight", _as_int(_line.weighed), "whole"),
        plain_field(language, "zone", "Packing zone", _kept_as(), shown=_show_zone(language)),
        plain_field(language, "walk", "Walking order", _kept_as(), "whole", shown=_place_of_zone),
        plain_field(language, "weighed", "Weighed", _line.final_quantity, "quantity", unit=_line.unit),
        plain_field(language, "price", "Price", _line.price, "money"),
        _vat_rate_field(language, _line.vat_rate),
        plain_field(language, "prices_include_vat", "Prices include VAT", _as_int(_order.prices_include_vat), "whole"),
        number_field(language, "amount", "Amount", _line.amount),
        *_vat_fields(language, _line.amount, vat_of_line()),
        number_field(language, "deposits", "Deposits", _line.deposit * _line.quantity),
        _order_count_field(language),
    ]
    source = (
        customer_order.join(order_line, _line.order_id == _order.id)
        .join(_supplier, _supplier.c.id == _line.supplier_id)
        .join(supplied_product, supplied_product.c.id == _line.product_id)
    )

    def conditions(query: Query) -> Conditions:
        return [*order_conditions(query), _line.quantity > 0]

    return _segment("order_lines", field_label(language, "Order lines"), _with_sale(source), conditions, fields)


def orders(language: str) -> Segment:
    fields = [
        *_order_fields(language, totals=True),
        number_field(language, "products_total", "Products", _order.products_total),
        number_field(language, "deposits_total", "Deposits", _order.deposits_total),
        number_field(language, "adjustments_total", "Fees and reductions", _order.adjustments_total),
        number_field(language, "vat_total", "VAT", _order.vat_total),
        _order_count_field(language),
    ]
    return _segment("orders", field_label(language, "Orders"), _with_sale(customer_order), order_conditions, fields)


def vat(language: str) -> Segment:
    """VAT by the day on which it falls due, by the rules of `tax_point`. A period selects by that day."""
    due = tax_point()
    day = day_of(due.c.due_at)
    fields = [
        *_order_fields(language),
        plain_field(language, "due_on", "VAT due on", day, "date"),
        _vat_rate_field(language, due.c.rate),
        number_field(language, "net", "Without VAT", due.c.net),
        number_field(language, "vat", "VAT", due.c.vat),
        number_field(language, "gross", "With VAT", due.c.net + due.c.vat),
        _order_count_field(language),
    ]
    source = _with_sale(customer_order.join(due, due.c.order_id == _order.id))

    def conditions(query: Query) -> Conditions:
        period = period_of(query)
        if period is None:
            return order_conditions(query)
        own_orders = (_order.enterprise_id == query.enterprise_id, _order.state.in_(ACTIVE_STATES))
        return [*own_orders, period.contains(due.c.due_at)]

    return _segment("vat", field_label(language, "VAT of orders"), source, conditions, fields, "payments:read")


def supplies(language: str) -> Segment:
    """What suppliers have delivered and are owed for: order lines, and fees of these orders that go to them,
    with goods that the shop lost: those of orders that it cancelled without restocking them.
    """
    supplies_owed = owed_rows()
    fields = [
        *_order_fields(language),
        plain_field(language, "supplier", "Supplier", _supplier.c.name, sort=_supplier.c.search),
        plain_field(language, "supplier_id", "Supplier’s id", supplies_owed.c.supplier_id),
        _vat_rate_field(language, supplies_owed.c.vat_rate),
        plain_field(language, "prices_include_vat", "Prices include VAT", _as_int(_order.prices_include_vat), "whole"),
        plain_field(language, "lost", "Lost by the shop", _as_int(_order.state == "Cancelled"), "whole"),
        number_field(language, "pieces", "Pieces", supplies_owed.c.pieces, "whole"),
        number_field(language, "amount", "Amount", supplies_owed.c.goods),
        number_field(language, "purchase", "Purchase amount", supplies_owed.c.purchase),
        number_field(language, "fees", "Fees among it", supplies_owed.c.fees),
        number_field(language, "corrections", "Corrections among it", supplies_owed.c.corrections),
        number_field(language, "deposits", "Deposits", supplies_owed.c.deposits),
        _order_count_field(language),
    ]
    source = customer_order.join(supplies_owed, supplies_owed.c.order_id == _order.id).join(
        _supplier, _supplier.c.id == supplies_owed.c.supplier_id
    )

    def conditions(query: Query) -> Conditions:
        return _conditions_of_query(query, is_owed())

    label = field_label(language, "What suppliers have brought")
    return _segment("supplies", label, _with_sale(source), conditions, fields, "payments:read")


def adjustments(language: str) -> Segment:
    """Fees and reductions, help of others, corrections, and empties that came back. Those that change the price of a
    line have its product and supplier; a fee has none."""
    row, payee = adjustment.c, enterprise.alias("payee")
    payer = case((row.payer == "customer", field_label(language, "Customer")), else_=row.payer)
    is_empties = and_(row.kind == EMPTIES, row.plugin == "")
    phase = case((is_empties, "EMPTIES"), else_=row.phase)
    goes_to = case((is_empties, field_label(language, "Supplier")), else_=func.coalesce(payee.c.name, _shop.c.name))
    fields = [
        *_order_fields(language),
        plain_field(language, "kind", "Kind", row.kind),
        plain_field(language, "phase", "Phase", phase, shown=replace_terms(_phases(language))),
        plain_field(language, "label", "Fee or reduction", row.label),
        plain_field(language, "payer", "Paid by", payer),
        plain_field(language, "payee", "Goes to", goes_to),
        plain_field(language, "code", "Code", row.code),
        plain_field(language, "product", "Product", _name_of_goods(language), sort=supplied_product.c.search),
        plain_field(language, "supplier", "Supplier", _supplier.c.name, sort=_supplier.c.search),
        plain_field(
            language, "product_type", "Product type", supplied_product.c.product_type, shown=_show_type(language)
        ),
        _vat_rate_field(language, row.vat_rate),
        number_field(language, "amount", "Amount", row.amount),
        *_vat_fields(language, row.amount, vat_of_adjustment()),
        number_field(language, "deposits", "Deposits", case((_gives_deposit_back(), row.amount), else_=0)),
        _order_count_field(language),
    ]
    source = (
        customer_order.join(adjustment, row.order_id == _order.id)
        .join(_shop, _shop.c.id == _order.enterprise_id)
        .outerjoin(payee, payee.c.id == row.payee)
        .outerjoin(order_line, and_(_line.id == row.line_id, row.phase != Phase.FEE))
        .outerjoin(_supplier, _supplier.c.id == _line.supplier_id)
        .outerjoin(supplied_product, supplied_product.c.id == _line.product_id)
    )
    label = field_label(language, "Fees and reductions")
    return _segment("adjustments", label, _with_sale(source), order_conditions, fields, "payments:read")


def _gives_deposit_back() -> ColumnElement[bool]:
    """Whether an adjustment is for containers: empties, or goods that came back after the hand-over."""
    row = adjustment.c
    came_back = and_(row.kind == CORRECTION, row.line_id.is_not(None), row.vat_rate.is_(None))
    return or_(came_back, and_(row.kind == EMPTIES, row.plugin == ""))


def _order_fields(language: str, *, totals: bool = False) -> Iterable[SegmentField]:
    """Fields of the order that every segment of this module has. `totals`: also sum its total, paid and due."""
    day = day_of(_session.begins_at)
    yield plain_field(language, "number", "Order", _order.number, "whole")
    yield plain_field(language, "code", "Code for the camera", literal("commensal:order:") + _order.id)
    yield plain_field(language, "placed_at", "Ordered on", _order.placed_at, "moment")
    yield plain_field(language, "day", "Distribution", day, "date")
    yield plain_field(language, "month", "Month", func.substr(day, 1, 7))
    yield plain_field(language, "sale", "Sale", coordination.c.name)
    yield plain_field(language, "sale_id", "Sale’s id", _order.session_id)
    yield plain_field(language, "customer", "Customer", _order.name, sort=_sorted_name)
    yield plain_field(language, "email", "E-mail", _order.email)
    yield plain_field(language, "phone", "Telephone", _order.phone)
    yield plain_field(language, "customer_code", "Customer’s reference", func.coalesce(customer.c.code, ""))
    yield plain_field(language, "place", "Pickup or delivery", _order.shipping_label)
    yield _address_field(language, "street", "Street", "street")
    yield _address_field(language, "postcode", "Postcode", "postcode")
    yield _address_field(language, "city", "City", "city")
    yield _address_field(language, "address_note", "Way in", "note")
    yield details_field(language, "details", "Further details", _order.plugin_fields, "orders")
    yield details_field(language, "customer_details", "Of the customer", customer.c.plugin_fields, "customers")
    yield plain_field(language, "note", "Note", _order.note)
    yield plain_field(language, "collector", "Collected by", _order.collector)
    yield number_field(language, "crates", "Crates", _order.crates, "whole", summed=totals)
    yield plain_field(language, "payment_method", "Payment method", _order.payment_method, shown=show_method(language))
    waiting = case((awaits_confirmation(), literal_column("'waiting'")), else_=literal_column("''"))
    texts = {"waiting": field_label(language, "Not confirmed yet")}
    yield plain_field(language, "confirmation", "Confirmation", waiting, shown=replace_terms(texts))
    yield plain_field(language, "state", "State", _order.state, shown=replace_terms(_states(language)))
    payment_texts = replace_terms(_payment_states(language))
    yield plain_field(language, "payment_state", "Payment", _order.payment_state, shown=payment_texts)
    fulfilment_texts = replace_terms(_fulfilment_states(language))
    yield plain_field(language, "fulfilment_state", "Handing over", _order.fulfilment_state, shown=fulfilment_texts)
    # A segment of lines repeats these for every line of an order, so only the segment of orders sums them.
    yield number_field(language, "total", "Total", _order.total, summed=totals)
    yield number_field(language, "paid", "Paid", _order.paid_total, summed=totals)
    yield number_field(language, "due", "Due", _order.total - _order.paid_total, summed=totals)


def details_field(
    language: str, name: str, text: str, column: ColumnElement[object], kind: Literal["orders", "customers"]
) -> SegmentField:
    """The values of plugins' fields in one cell: "Door code: 12 · Kept cold: yes"."""

    def described(query: Query) -> Callable[[str], Cell]:
        declared: PluginFields = getattr(query.tx.plugin_fields, kind)

        def words(values: str) -> str:
            described = describe_values(declared, msgspec.json.decode(values), query.language, query.currency)
            return " · ".join(labelled(query.language, label, text) for label, text in described)

        return words

    return plain_field(language, name, text, func.coalesce(cast(column, Text()), "{}"), described=described)


def _address_field(language: str, name: str, text: str, key: str) -> SegmentField:
    value = _order.address.op("->>", return_type=Text())(literal_column(f"'{key}'"))
    return plain_field(language, name, text, func.coalesce(value, ""))


def _order_count_field(language: str) -> SegmentField:
    """The number of orders; only meaningful where lines are put together."""
    count = func.count(_order.id.distinct())
    return SegmentField(
        name="orders", label=field_label(language, "Orders"), kind="whole", expression=literal(1), total=count
    )


def _vat_rate_field(language: str, expression: ColumnElement[object]) -> SegmentField:
    """A VAT rate in percent: the column is a text, so that no digit is lost, and is sorted as a number."""
    return plain_field(language, "vat_rate", "VAT rate", expression, "percent", sort=cast(expression, Numeric))


def _vat_fields(language: str, amount: ColumnElement[Any], vat: ColumnElement[Any]) -> Iterable[SegmentField]:
    """Net, VAT and gross of an amount of an order; what is outside VAT is net."""
    added = case((_order.prices_include_vat, 0), else_=vat)
    yield number_field(language, "net", "Without VAT", amount + added - vat)
    yield number_field(language, "vat", "VAT", vat)
    yield number_field(language, "gross", "With VAT", amount + added)


def _as_int(expression: ColumnElement[bool]) -> ColumnElement[int]:
    """1 or 0, an integer in both databases."""
    return case((expression, 1), else_=0)


def _show_type(language: str) -> Callable[[str], Cell]:
    return replace_terms({term: concept.label(language) for term, concept in PRODUCT_TYPES.items()})


def _kept_as() -> ColumnElement[str]:
    """A product's kind and how it is kept, from which `_zone` reads the zone: ``cheese ["Chilled"]``."""
    return supplied_product.c.product_type + literal(" ") + cast(supplied_product.c.handling, Text())


def _show_zone(language: str) -> Callable[[str], Cell]:
    labels = {
        Zone.DRY: field_label(language, "Dry"),
        Zone.FRAGILE: field_label(language, "Fragile"),
        Zone.CHILLED: field_label(language, "Chilled"),
        Zone.FROZEN: field_label(language, "Frozen"),
    }

    return lambda kept_as: labels[_zone(kept_as)]


def _place_of_zone(kept_as: str) -> Cell:
    """1 for the zone that packers pass first, as `Zone` orders them."""
    return list(Zone).index(_zone(kept_as)) + 1


def _zone(kept_as: str) -> Zone:
    product_type, _, handling = kept_as.partition(" ")
    return zone_of(product_type, msgspec.json.decode(handling or "[]"))


def _phases(language: str) -> dict[str, str]:
    return {
        "FEE": field_label(language, "Fee"),
        "DISCOUNT": field_label(language, "Discount"),
        "VOUCHER": field_label(language, "Voucher"),
        "SUBSIDY": field_label(language, "Subsidy"),
        "ROUNDING": field_label(language, "Rounding"),
        "EMPTIES": field_label(language, "Empties returned"),
        "PREPAID": field_label(language, "Paid for later use"),
    }


def _states(language: str) -> dict[str, str]:
    return {"Held": field_label(language, "Placed"), "Complete": field_label(language, "Complete")}


def _payment_states(language: str) -> dict[str, str]:
    return {"Unpaid": field_label(language, "To be paid"), "Paid": field_label(language, "Paid")}


def _fulfilment_states(language: str) -> dict[str, str]:
    return {
        "Unfulfilled": field_label(language, "Not handed over"),
        "Held": field_label(language, "Ready"),
        "Fulfilled": field_label(language, "Handed over"),
    }


# Somebody without an e-mail address has no record with the shop.
_sorted_name = func.coalesce(customer.c.search, func.lower(_order.name))


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
    fields: Iterable[SegmentField],
    scope: str = "orders:read",
) -> Segment:
    return Segment(
        name=name,
        label=label,
        source=source,
        conditions=conditions,
        scope=scope,
        fields={field.name: field for field in fields},
    )


MAKERS = {"order_lines": order_lines, "orders": orders, "supplies": supplies, "vat": vat, "adjustments": adjustments}
