"""A report of what a producer delivers to remote hubs, by hub and sale, with the names of customers who agreed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import or_

from commensal import Column, Line, Parameter, Quantity, Query, Report, contains_text, hookimpl, own_pages, translate

from ..messages.bodies.orders import InstanceOrder
from .producer_names import with_customers
from .questions import orders_where
from .tables import federation_order

_order = federation_order.c
_DAYS = 7  # so long after the distribution an order is still shown


@hookimpl
def reports(language: str) -> Sequence[Report]:
    return [_boxes(language)]


def _boxes(language: str) -> Report:
    def lines(query: Query) -> Iterator[Line]:
        others = translate(query.language, "others")
        for order in with_customers(query.tx, _upcoming(query)):
            sale = f"{order.other_name} · {order.session_name}"
            for line in order.lines:
                details = (line.name, Quantity(line.unit_quantity, line.unit), order.begins_at)
                for part in line.customers:
                    yield [sale, None, part.name, part.quantity, *details]
                unnamed = line.coming - sum(part.quantity for part in line.customers)
                if unnamed > 0:
                    yield [sale, None, others, unnamed, *details]

    return Report(
        id="boxes",
        label=translate(language, "Orders of hubs elsewhere"),
        description=translate(
            language, "What each hub elsewhere gets, with the names of customers who agreed that you know them."
        ),
        columns=[
            Column(name="sale", label=translate(language, "Sale")),
            Column(name="done", label="", kind="tick"),
            Column(name="customer", label=translate(language, "Customer")),
            Column(name="pieces", label=translate(language, "Pieces"), kind="whole", summed=True),
            Column(name="product", label=translate(language, "Product")),
            Column(name="size", label=translate(language, "Size"), kind="quantity"),
            Column(name="day", label=translate(language, "Distribution"), kind="moment"),
        ],
        rows=lines,
        parameters=[Parameter(name="hub", label=translate(language, "Hub contains"), kind="text"), own_pages(language)],
        grouped_by=["sale"],
    )


def _upcoming(query: Query) -> Sequence[InstanceOrder]:
    since = query.tx.now - timedelta(days=_DAYS)
    conditions = [
        _order.role == "supplier",
        _order.enterprise_id == query.enterprise_id,
        _order.state != "Cancelled",
        or_(_order.begins_at.is_(None), _order.begins_at >= since),
    ]
    if query.given.get("hub"):
        conditions.append(contains_text(_order.other_name, query.given["hub"]))
    return orders_where(query.tx, *conditions)
