"""Lists by order: packing, pickup places, sign-in, labels, delivery round."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import (
    Column,
    Filter,
    Line,
    Parameter,
    Query,
    Report,
    columns_of,
    label_parameters,
    look,
    one_sale,
    own_pages,
    translate,
)

_LINES = "order_lines"
_DETAILS = ("details", "customer_details")  # values of fields that plugins add to the order and the customer


def by_customer(language: str) -> Report:
    """The packing list: a heading for each order, its lines below."""
    pieces, product, size, supplier, weighed, amount = columns_of(
        _LINES, language, "pieces", "product", "size", "supplier", "weighed", "amount", summed=("pieces", "amount")
    )
    parcel = Column(name="parcel", label=translate(language, "Order"))
    tick = Column(name="done", label="", kind="tick")

    def lines(query: Query) -> Iterator[Line]:
        heading = ("number", "customer", "place", "note", *_DETAILS)
        fields = (*heading, "pieces", "product", "size", "supplier", "weighed", "amount")
        order = ("number", "supplier", "product", "size")
        rows = look(query, _LINES, *fields, where=_place_filter(query), order=order)
        for number, name, place, note, of_order, of_customer, *line in rows:
            parts = [f"{number}", name, place, f"« {note} »" if note else "", of_order, of_customer]
            yield [" · ".join(str(part) for part in parts if part), None, *line]

    return Report(
        id="by_customer",
        moment="pack",
        label=translate(language, "By customer"),
        description=translate(language, "What goes into each parcel: for packing."),
        columns=[parcel, tick, pieces, product, size, supplier, weighed, amount],
        rows=lines,
        parameters=[*_parameters(language), own_pages(language)],
        grouped_by=["parcel"],
    )


def by_place(language: str) -> Report:
    """The parcels of each place and slot."""
    fields = ("place", "number", "customer", "phone", "pieces", "total", "due", "note")
    columns = columns_of(_LINES, language, *fields, summed=("pieces", "total", "due"))
    tick = Column(name="done", label="", kind="tick")

    def lines(query: Query) -> Iterator[Line]:
        for place, *parcel, note, of_order, of_customer in _parcels(query, (*fields, *_DETAILS), ("place", "number")):
            yield [place, None, *parcel, _joined(note, of_order, of_customer)]

    return Report(
        id="by_place",
        moment="hand out",
        label=translate(language, "By pickup place"),
        description=translate(language, "Which orders are handed out at each place and time, a page for each."),
        columns=[columns[0], tick, *columns[1:]],
        rows=lines,
        parameters=[*_parameters(language), own_pages(language, default=True)],
        grouped_by=["place"],
        page_per_group=True,
    )


def sign_in(language: str) -> Report:
    """Names in alphabetical order, with the amount due and a box to sign."""
    fields = ("place", "customer", "number", "pieces", "due")
    columns = columns_of(_LINES, language, *fields, summed=("due",))
    signature = Column(name="signature", label=translate(language, "Signature"), kind="box")

    def lines(query: Query) -> Iterator[Line]:
        for parcel in _parcels(query, fields, ("place", "customer", "number")):
            yield [*parcel, None]

    return Report(
        id="sign_in",
        moment="hand out",
        label=translate(language, "Sign-in sheet"),
        description=translate(language, "Who comes, what is still to be paid, and a box to sign."),
        columns=[*columns, signature],
        rows=lines,
        parameters=[*_parameters(language), own_pages(language)],
        grouped_by=["place"],
    )


def labels(language: str) -> Report:
    """A label for each parcel."""
    fields = ("customer", "number", "place", "pieces", "due")

    def lines(query: Query) -> Iterator[Line]:
        for name, number, place, pieces, due in _parcels(query, fields, ("number",)):
            yield [f"{number} · {name}", place, pieces, due or None]

    _, _, place, pieces, due = columns_of(_LINES, language, *fields)
    return Report(
        id="labels",
        moment="pack",
        label=translate(language, "Labels"),
        description=translate(language, "A sticker for each parcel, on sheets of A4."),
        columns=[Column(name="parcel", label=translate(language, "Order")), place, pieces, due],
        rows=lines,
        parameters=[*_parameters(language), *label_parameters(language)],
        layout="labels",
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
            yield [*parcel, _joined(way_in, of_order, of_customer), pieces, due, None]

    return Report(
        id="driver",
        moment="hand out",
        label=translate(language, "Delivery round"),
        description=translate(language, "Addresses and telephones of the orders that are brought to a door."),
        columns=[*columns, signature],
        rows=lines,
        parameters=_parameters(language),
        grouped_by=["place"],
    )


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
    return [Filter("place", "contains", text)] if text else []
