"""Lists by order: packing, pickup places, sign-in, labels, delivery round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from commensal import (
    Column,
    Filter,
    Line,
    Parameter,
    Quantity,
    Query,
    Report,
    columns_of,
    format_quantity,
    label_parameters,
    look,
    one_sale,
    own_pages,
    receipt_parameters,
    translate,
)

from .goods import AMOUNTS, CONFIRMED, amounts_parameter

_LINES = "order_lines"
_UNITS = {"Kilogram": "kg", "Gram": "g", "Litre": "L"}
_ICONS = ("■", "♢", "✻", "❄")  # of the zones in walking order: dry, fragile, chilled, frozen
_MOST_BOXES = 12  # crates that are drawn
_DETAILS = ("details", "customer_details")  # values of fields that plugins add to the order and the customer


def by_customer(language: str) -> Report:
    """The packing list: a heading for each order, its lines below."""
    pieces, product, size, supplier, zone, amount = columns_of(
        _LINES, language, "pieces", "product", "size", "supplier", "zone", "amount", summed=("pieces", "amount")
    )
    parcel = Column(name="parcel", label=translate(language, "Order"))
    tick = Column(name="done", label="", kind="tick")
    weight = Column(name="weight", label=translate(language, "To weigh"))

    def lines(query: Query) -> Iterator[Line]:
        heading = ("number", "customer", "collector", "place", "note", *_DETAILS, "crates")
        fields = (*heading, "pieces", "product", "size", "supplier", "walk", "zone", "by_weight", "weighed", "amount")
        order = ("place", "customer", "number", "supplier", "product", "size")
        rows = look(query, _LINES, *fields, where=_place_filter(query), order=order)
        for heading_cells, of_parcel in groupby(rows, key=lambda row: row[: len(heading)]):
            title = _title(language, *heading_cells)
            in_parcel = [row[len(heading) :] for row in of_parcel]
            for count, name, each, brought_by, _, zone_label, by_weight, weighed, charged in sorted(
                in_parcel, key=lambda row: row[4]
            ):
                to_weigh = _weight(weighed, each, language) if by_weight else ""
                yield [title, None, count, name, each, to_weigh, zone_label, brought_by, charged]

    return Report(
        id="by_customer",
        moment="pack",
        label=translate(language, "By customer"),
        description=translate(language, "What goes into each parcel: for packing."),
        columns=[parcel, tick, pieces, product, size, weight, zone, supplier, amount],
        rows=lines,
        parameters=[*_parameters(language), own_pages(language), amounts_parameter(language)],
        grouped_by=["parcel"],
        optional={"amount": AMOUNTS},
    )


def _title(
    language: str,
    number: int,
    customer: str,
    collector: str,
    place: str,
    note: str,
    of_order: str,
    of_customer: str,
    crates: int | None,
) -> str:
    """The heading of a parcel: a box for each crate, and on a line of its own what the customer has written."""
    boxes = "□" * min(crates or 1, _MOST_BOXES)
    parts = [f"{number}", _who(customer, collector, language), place, of_order, of_customer, boxes]
    return "\n".join([" · ".join(part for part in parts if part), *([" ".join(note.split())] if note else [])])


def _who(customer: object, collector: object, language: str) -> str:
    """Whose order it is, and who collects it instead."""
    instead = translate(language, "Collected by: {name}").format(name=collector) if collector else ""
    return _joined(customer, instead)


def _weight(weighed: Quantity | None, each: Quantity, language: str) -> str:
    """The weight, or a line to write it on."""
    return (
        f"______\N{NO-BREAK SPACE}{_UNITS.get(each.unit, '')}"
        if weighed is None
        else format_quantity(*weighed, language)
    )


def by_place(language: str) -> Report:
    """The parcels of each place and slot."""
    fields = ("place", "number", "customer", "phone", "pieces", "total", "due", "note")
    read = (*fields[:3], "collector", *fields[3:], *_DETAILS)
    columns = columns_of(_LINES, language, *fields, summed=("pieces", "total", "due"))
    tick = Column(name="done", label="", kind="tick")

    def lines(query: Query) -> Iterator[Line]:
        for place, number, customer, collector, *parcel, due, note, of_order, of_customer in _parcels(
            query, read, ("place", "number")
        ):
            who = _who(customer, collector, language)
            yield [place, None, number, who, *parcel, *_due_and_back(due), _joined(note, of_order, of_customer)]

    return Report(
        id="by_place",
        moment="hand out",
        label=translate(language, "By pickup place"),
        description=translate(language, "Which orders are handed out at each place and time, a page for each."),
        columns=[columns[0], tick, *columns[1:-1], _back_column(language), columns[-1]],
        rows=lines,
        parameters=[*_parameters(language), own_pages(language, default=True), amounts_parameter(language)],
        grouped_by=["place"],
        page_per_group=True,
        optional={"total": AMOUNTS, "due": AMOUNTS, "back": AMOUNTS},
    )


def sign_in(language: str) -> Report:
    """Names in alphabetical order, with the amount due and a box to sign."""
    fields = ("place", "customer", "number", "pieces", "due")
    columns = columns_of(_LINES, language, *fields, summed=("due",))
    signature = Column(name="signature", label=translate(language, "Signature"), kind="box")

    def lines(query: Query) -> Iterator[Line]:
        read = (*fields, "collector")
        for place, customer, *parcel, due, collector in _parcels(query, read, ("place", "customer", "number")):
            yield [place, _who(customer, collector, language), *parcel, *_due_and_back(due), None]

    return Report(
        id="sign_in",
        moment="hand out",
        label=translate(language, "Sign-in sheet"),
        description=translate(language, "Who comes, what is still to be paid, and a box to sign."),
        columns=[*columns, _back_column(language), signature],
        rows=lines,
        parameters=[*_parameters(language), own_pages(language)],
        grouped_by=["place"],
    )


def labels(language: str) -> Report:
    """A label for each crate, with the code that the camera reads at the hand-out, and the zones to look into."""
    number, name, place, crates, code = columns_of(_LINES, language, "number", "customer", "place", "crates", "code")
    zones = Column(name="zones", label=translate(language, "Packing zone"))

    def lines(query: Query) -> Iterator[Line]:
        fields = ("place", "customer", "number", "crates", "code", "collector", "walk", "zone")
        rows = look(query, _LINES, *fields, put_together=True, where=_place_filter(query), order=fields[:7])
        for parcel, in_zones in groupby(rows, key=lambda row: tuple(row[:6])):
            where, customer, order_number, count, content, collector = parcel
            zones_by_walk = {walk: zone for *_, walk, zone in in_zones}
            shown_zones = "   ".join(f"{_ICONS[walk - 1]} {zones_by_walk[walk]}" for walk in sorted(zones_by_walk))
            who = _who(customer, collector, language)
            for crate in range(1, (count or 1) + 1):
                count_of = f"{crate}/{count}" if count else ""
                yield [order_number, who, where, shown_zones, count_of, content]

    return Report(
        id="labels",
        moment="pack",
        label=translate(language, "Labels for crates"),
        description=translate(language, "A sticker for each crate, on sheets of A4."),
        columns=[number, name, place, zones, replace(crates, kind="text"), replace(code, kind="code")],
        rows=lines,
        parameters=[*_parameters(language), *label_parameters(language)],
        layout="labels",
    )


def receipts(language: str) -> Report:
    """A strip of paper for each parcel: what is in it, and what is left to pay."""
    product, amount = columns_of(_LINES, language, "product", "amount")
    parcel = Column(name="parcel", label=translate(language, "Order"))
    pieces = Column(name="pieces", label=translate(language, "Pieces"))

    def lines(query: Query) -> Iterator[Line]:
        heading = ("number", "customer", "total", "due")
        fields = (*heading, "product", "size", "pieces", "amount")
        rows = look(query, _LINES, *fields, where=_place_filter(query), order=("number", "product", "size"))
        for (number, customer, total, due), of_parcel in groupby(rows, key=lambda row: tuple(row[: len(heading)])):
            title, charged = f"{number} · {customer}", 0
            for *_, name, size, count, sum_of_line in of_parcel:
                charged += sum_of_line
                yield [title, f"{count} ×", f"{name} ({format_quantity(*size, language)})", sum_of_line]
            if total != charged:
                yield [title, "", translate(language, "Fees and deposits"), total - charged]
            yield [title, "", translate(language, "Total"), total]
            if total != due:
                yield [title, "", translate(language, "Paid"), total - due]
            is_owed = due < 0
            yield [title, "", translate(language, "To give back" if is_owed else "To pay"), abs(due)]

    return Report(
        id="receipts",
        label=translate(language, "Receipts"),
        description=translate(language, "A strip for each parcel with what is left to pay, for a receipt printer."),
        columns=[parcel, pieces, product, amount],
        rows=lines,
        parameters=[*_parameters(language), *receipt_parameters(language)],
        grouped_by=["parcel"],
        page_per_group=True,
        layout="receipts",
        scope="payments:take",
        moment="hand out",
    )


def driver(language: str) -> Report:
    """The addresses of deliveries, ordered by postcode."""
    fields = ("place", "number", "customer", "phone", "street", "postcode", "city", "address_note", "pieces", "due")
    columns = columns_of(_LINES, language, *fields, summed=("pieces", "due"))
    signature = Column(name="signature", label=translate(language, "Signature"), kind="box")

    def lines(query: Query) -> Iterator[Line]:
        with_address = [*_place_filter(query), Filter("street", "is_not", "")]
        order = ("place", "postcode", "city", "street", "number")
        rows = look(query, _LINES, *fields, *_DETAILS, put_together=True, where=with_address, order=order)
        for *parcel, way_in, pieces, due, of_order, of_customer in rows:
            way = _joined(way_in, of_order, of_customer)
            yield [*parcel, way, pieces, *_due_and_back(due), None]

    return Report(
        id="driver",
        moment="hand out",
        label=translate(language, "Delivery round"),
        description=translate(language, "Addresses and telephones of the orders that are brought to a door."),
        columns=[*columns, _back_column(language), signature],
        rows=lines,
        parameters=_parameters(language),
        grouped_by=["place"],
    )


def _back_column(language: str) -> Column:
    """What customers get back. It stands apart from what is due, which is the money that comes in."""
    return Column(name="back", label=translate(language, "To give back"), kind="money", summed=True)


def _due_and_back(due: object) -> tuple[int | None, int | None]:
    amount = due if isinstance(due, int) else 0
    return (None, -amount) if amount < 0 else (amount, None)


def _joined(*texts: object) -> str:
    return " · ".join(str(text) for text in texts if text)


def _parcels(query: Query, fields: tuple[str, ...], order: tuple[str, ...]) -> Iterator[Line]:
    """A line for each order, with the sum of its pieces."""
    return look(query, _LINES, *fields, put_together=True, where=_place_filter(query), order=order)


def _parameters(language: str) -> list[Parameter]:
    place = Parameter(name="place", label=translate(language, "Place contains"), kind="text")
    return [*one_sale(language), place]


def _place_filter(query: Query) -> list[Filter]:
    text = query.given.get("place")
    return [CONFIRMED, *([Filter("place", "contains", text)] if text else [])]
