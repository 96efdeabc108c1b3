"""Segments of money that is not a payment of an order: counts of the till, and what suppliers were paid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, case, literal, null, select, union_all

from ...enterprises.tables import enterprise
from ...payments.tables import counted_till, taken_back_count
from ...people.tables import person
from ...sale_sessions.tables import coordination, sale_session
from ...storage.database import Whole
from ..supply.tables import stock_purchase, supplier_payment
from .order_segments import number_field, plain_field, replace_terms, show_method
from .parameters import SALE, period_of
from .segments import Conditions, Segment, SegmentField, day_of, field_label
from .values import Query

_count, _back = counted_till.c, taken_back_count.c
_kept = ("method", "currency", "enterprise_id")
_amounts = ("float_before", "taken", "counted", "float_after")
_TILL = union_all(
    select(
        _count.number,
        _count.at,
        literal("count").label("kind"),
        _count.number.label("of"),
        _count.reason,
        _count.person_id,
        *(_count[name] for name in (*_kept, *_amounts)),
    ),
    select(
        _back.number,
        _back.at,
        literal("taken back"),
        _count.number,
        _back.reason,
        _back.person_id,
        *(_count[name] for name in _kept),
        *(-_count[name] for name in _amounts),
    ).join_from(taken_back_count, counted_till, _count.id == _back.count_id),
).subquery("till")


def till_counts(language: str) -> Segment:
    """Counts of the till, and the counter-entries that take some of them back, with opposite amounts. A period selects
    by the day of the entry; a sale selects none, since a count covers what was taken since the last one."""
    row = _TILL.c
    kinds = {"count": field_label(language, "Count"), "taken back": field_label(language, "Count taken back")}
    fields = [
        plain_field(language, "number", "Entry", row.number, "whole"),
        plain_field(language, "at", "Date and time", row.at, "moment"),
        plain_field(language, "day", "Day", day_of(row.at), "date"),
        plain_field(language, "kind", "Kind", row.kind, shown=replace_terms(kinds)),
        plain_field(language, "of", "Count", row.of, "whole"),
        plain_field(language, "method", "Payment method", row.method, shown=show_method(language)),
        number_field(language, "float_before", "In the till before", row.float_before, summed=False),
        number_field(language, "taken", "Taken since", row.taken),
        number_field(language, "expected", "Expected", row.float_before + row.taken, summed=False),
        number_field(language, "counted", "Counted", row.counted, summed=False),
        number_field(language, "difference", "Difference", row.counted - row.float_before - row.taken),
        number_field(language, "taken_out", "Taken out", row.counted - row.float_after),
        number_field(language, "float_after", "Stays in the till", row.float_after, summed=False),
        plain_field(language, "reason", "Reason", row.reason),
        plain_field(language, "person", "Recorded by", person.c.name),
    ]
    source = _TILL.outerjoin(person, person.c.id == row.person_id)

    def conditions(query: Query) -> Conditions:
        return [row.enterprise_id == query.enterprise_id, *_in_period(query, row.at), *_of_sale(query, null())]

    label = field_label(language, "Counts of the till")
    return _segment("till_counts", label, source, conditions, fields)


def supplier_payments(language: str) -> Segment:
    """What suppliers were paid, and what was taken back. A period selects by the day on which it was recorded."""
    row, supplier = supplier_payment.c, enterprise.alias("supplier")
    day_of_sale = day_of(sale_session.c.begins_at)
    fields = [
        plain_field(language, "at", "Date and time", row.at, "moment"),
        plain_field(language, "day", "Day", day_of(row.at), "date"),
        plain_field(language, "supplier", "Supplier", supplier.c.name, sort=supplier.c.search),
        plain_field(language, "supplier_id", "Supplier’s id", row.supplier_id),
        plain_field(language, "sale", "Sale", coordination.c.name),
        plain_field(language, "distribution", "Distribution", day_of_sale, "date"),
        plain_field(language, "reference", "Reference", row.reference),
        plain_field(language, "person", "Recorded by", person.c.name),
        number_field(language, "amount", "Amount", row.amount),
        number_field(language, "entries", "Entries", literal(1, Whole), "whole"),
    ]
    source = (
        supplier_payment.join(supplier, supplier.c.id == row.supplier_id)
        .join(sale_session, sale_session.c.id == row.session_id)
        .join(coordination, coordination.c.id == sale_session.c.coordination_id)
        .outerjoin(person, person.c.id == row.person_id)
    )

    def conditions(query: Query) -> Conditions:
        return [row.enterprise_id == query.enterprise_id, *_in_period(query, row.at), *_of_sale(query, row.session_id)]

    return _segment("supplier_payments", field_label(language, "Payments to suppliers"), source, conditions, fields)


def stock_purchases(language: str) -> Segment:
    """What the shop bought for its own stock of goods of which more came than was ordered. A period selects by the day
    of the distribution, as for all that suppliers are owed."""
    row, supplier = stock_purchase.c, enterprise.alias("supplier")
    includes_vat = case((row.prices_include_vat, 1), else_=0)  # PostgreSQL casts no boolean to a large whole number
    fields = [
        plain_field(language, "at", "Date and time", row.at, "moment"),
        plain_field(language, "supplier", "Supplier", supplier.c.name, sort=supplier.c.search),
        plain_field(language, "supplier_id", "Supplier’s id", row.supplier_id),
        plain_field(language, "product", "Product", row.name),
        plain_field(language, "sale", "Sale", coordination.c.name),
        plain_field(language, "sale_id", "Sale’s id", row.session_id),
        plain_field(language, "day", "Distribution", day_of(sale_session.c.begins_at), "date"),
        plain_field(language, "vat_rate", "VAT rate", row.vat_rate, "percent"),
        plain_field(language, "prices_include_vat", "Prices include VAT", includes_vat, "whole"),
        number_field(language, "pieces", "Pieces", row.pieces, "whole"),
        number_field(language, "purchase", "Purchase amount", row.price * row.pieces),
        number_field(language, "deposits", "Deposits", row.deposit * row.pieces),
    ]
    source = (
        stock_purchase.join(supplier, supplier.c.id == row.supplier_id)
        .join(sale_session, sale_session.c.id == row.session_id)
        .join(coordination, coordination.c.id == sale_session.c.coordination_id)
    )

    def conditions(query: Query) -> Conditions:
        of_shop = [row.enterprise_id == query.enterprise_id, *_in_period(query, sale_session.c.begins_at)]
        return of_shop if period_of(query) else [*of_shop, *_of_sale(query, row.session_id)]

    label = field_label(language, "Surplus that the shop kept")
    return _segment("stock_purchases", label, source, conditions, fields)


def _in_period(query: Query, at: ColumnElement[datetime]) -> Iterator[ColumnElement[bool]]:
    period = period_of(query)
    if period is not None:
        yield period.contains(at)


def _of_sale(query: Query, session_id: ColumnElement[str] | ColumnElement[None]) -> Iterator[ColumnElement[bool]]:
    if query.given.get(SALE):
        yield session_id == query.given[SALE]


def _segment(
    name: str, label: str, source: FromClause, conditions: Callable[[Query], Conditions], fields: Iterable[SegmentField]
) -> Segment:
    return Segment(
        name=name,
        label=label,
        source=source,
        conditions=conditions,
        scope="payments:read",
        fields={field.name: field for field in fields},
    )


MAKERS = {"till_counts": till_counts, "supplier_payments": supplier_payments, "stock_purchases": stock_purchases}
