"""A shop's order to a supplier as a report, so that it can be written in every format of reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...base.languages.catalogs import translate
from ...base.languages.formats import format_span
from ...enterprises.enterprises import Enterprise
from ...storage.database import Store
from ..distribution.packing import CollectionPlace
from ..supply.purchase_orders import PurchaseOrder
from .formats import find_format
from .run import print_report
from .values import Column, Line, Quantity, Query, Report


def print_purchase_order(
    store: Store,
    shop: Enterprise,
    order: PurchaseOrder,
    places: Sequence[CollectionPlace],
    *,
    format: str,
    language: str,
    amounts: bool = True,
) -> bytes:
    """Returns the file of an order in one of `FORMATS`, without prices and sums unless the reader may see `amounts`.

    It names the `places` where customers collect the goods, or the address of the shop if there is none.

    Raises what the format raises (`NoTypesetter` for "pdf").
    """
    report = _report(order, language, amounts)
    about = _about(shop, order, places, language)
    report = report if amounts else report.without_amounts()
    return b"".join(print_report(store, shop, report, {}, format=find_format(format), language=language, about=about))


def _about(shop: Enterprise, order: PurchaseOrder, places: Sequence[CollectionPlace], language: str) -> Sequence[str]:
    """The sale, when it is handed out, and where."""
    when = format_span(order.begins_at, order.ends_at, shop.timezone, language)
    own_address = ", ".join(filter(None, (shop.name, shop.street, f"{shop.postcode} {shop.city}".strip())))
    lines = [place.line for place in places] or [own_address]
    return [order.sale, translate(language, "Distribution: {when}").format(when=when), *lines]


def _report(order: PurchaseOrder, language: str, amounts: bool) -> Report:
    def lines(query: Query) -> Iterator[Line]:
        for line in order.lines:
            if line.coming:
                size = Quantity(line.unit_quantity, line.unit)
                yield [None, line.coming, line.name, size, line.price, line.vat_rate, line.price * line.coming]
        extra = {"Fees for this supplier": order.fees_total, "VAT": order.added_vat, "Deposits": order.deposits}
        for label, amount in extra.items():
            if amount and amounts:
                yield [None, None, translate(language, label), None, None, None, amount]

    return Report(
        id=f"order-{order.number}-{order.revision}",
        label=translate(language, "Order {number} to {supplier}").format(number=order.number, supplier=order.supplier),
        description=order.sale,
        columns=[
            Column(name="done", label="", kind="tick"),
            Column(name="pieces", label=translate(language, "Pieces"), kind="whole", summed=True),
            Column(name="product", label=translate(language, "Product")),
            Column(name="size", label=translate(language, "Size"), kind="quantity"),
            Column(name="price", label=translate(language, "Price"), kind="money"),
            Column(name="vat_rate", label=translate(language, "VAT rate"), kind="percent"),
            Column(name="amount", label=translate(language, "Amount"), kind="money", summed=True),
        ],
        rows=lines,
    )
