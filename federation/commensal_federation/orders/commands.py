"""Orders between instances on the command line: ``commensal federation order …``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from commensal import HERE, Folder, Transaction, format_money, named_enterprise, open_instance, order_by_id, spoken
from commensal.parts.terminal import console

from ..arguments import OurEnterprise
from ..messages.bodies.orders import Cut, InstanceOrder, Line
from ..messages.order_answer import AnswerLine
from ..runtime import federation_of
from .cutting import settle_cut
from .producer_names import with_customers
from .questions import cuts_of, order_of, orders_of
from .statement import StatementLine, statement_of
from .supplier import answer_order

_MOST = 1_000
OrderId = Annotated[str, typer.Argument(help="The id that `commensal federation order list` shows.")]


def add_order_commands(app: typer.Typer) -> None:
    """Adds ``order`` to the plugin's commands."""
    order = typer.Typer(help="Orders of hubs elsewhere, and orders to producers elsewhere.", no_args_is_help=True)
    app.add_typer(order, name="order")
    order.command("list")(list_command)
    order.command("show")(show_command)
    order.command("answer")(answer_command)
    order.command("settle")(settle_command)


def list_command(enterprise: OurEnterprise, instance: Folder = HERE) -> None:
    """Lists the enterprise's orders with other instances, the newest first."""
    with open_instance(instance) as opened, opened.store.read() as tx:
        for row in orders_of(tx, named_enterprise(tx, enterprise).id, limit=_MOST):
            console.print(f"{row.id}  {_headline(row)}", markup=False)


def show_command(enterprise: OurEnterprise, order: OrderId, instance: Folder = HERE) -> None:
    """Prints the statement of an order, which is the same on both sides, and what a hub still has to settle."""
    with open_instance(instance) as opened, opened.store.read() as tx:
        (order_shown,) = with_customers(tx, [order_of(tx, named_enterprise(tx, enterprise).id, order, locked=False)])
        for text in (*_statement(order_shown, opened.settings.language), *_named(order_shown)):
            console.print(text, markup=False)
        for cut in cuts_of(tx, [order_shown.id]):
            console.print(_cut(tx, cut, order_shown, opened.settings.language), markup=False)


def answer_command(
    enterprise: OurEnterprise,
    order: OrderId,
    line: Annotated[list[str] | None, typer.Option(help="How many pieces of an item you deliver: 'Apples=4'.")] = None,
    weighed: Annotated[
        list[str] | None, typer.Option(help="The weight of all pieces of an item: 'Apples=5.2'.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why you deliver less; the hub reads it.")] = "",
    sellable: Annotated[
        bool, typer.Option("--sellable", help="Pieces that you do not deliver can be sold to others.")
    ] = False,
    instance: Folder = HERE,
) -> None:
    """Confirms a hub's order except for the lines that you shorten. Name items as the order names them."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        producer = named_enterprise(tx, enterprise).id
        changes = _changes(
            order_of(tx, producer, order, role="supplier"), _pairs(line or ()), _pairs(weighed or ()), reason
        )
        answered = answer_order(federation_of(opened), tx, producer, order, changes, lost=not sellable)
        for text in _statement(answered, opened.settings.language):
            console.print(text, markup=False)


def settle_command(
    enterprise: OurEnterprise,
    cut: Annotated[str, typer.Argument(help="The id that `commensal federation order show` prints.")],
    instance: Folder = HERE,
) -> None:
    """Marks a cut as settled: the customer was paid back, or a person has found another way."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        settle_cut(tx, named_enterprise(tx, enterprise).id, cut)
        console.print(spoken("Settled."))


def _pairs(texts: Sequence[str]) -> dict[str, Decimal]:
    """Reads texts like 'Apples=4'. Raises `BadParameter` that quotes a text of another form."""
    values = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            values[name.strip()] = Decimal(number.strip().replace(",", "."))
        except InvalidOperation:
            raise typer.BadParameter(spoken("{said} is not written like 'Apples=4'", said=text)) from None
    return values


def _changes(
    order: InstanceOrder, pieces: Mapping[str, Decimal], weights: Mapping[str, Decimal], reason: str
) -> dict[str, AnswerLine]:
    changes = {}
    for name in [*pieces, *(name for name in weights if name not in pieces)]:
        line = _line(order, name)
        comes = pieces.get(name, Decimal(line.coming))
        if not (comes.is_finite() and comes == int(comes) and comes >= 0):
            raise typer.BadParameter(spoken("{name} comes in whole pieces, not in {count}", name=name, count=comes))
        changes[line.item_iri] = AnswerLine(
            item_iri=line.item_iri,
            answer="confirmed",
            confirmed=int(comes),
            final_quantity=weights.get(name),
            reason=reason if comes < line.quantity else "",
        )
    return changes


def _line(order: InstanceOrder, name: str) -> Line:
    """Returns the only line with this name or item IRI. Raises `BadParameter` that lists the choices."""
    matches = [line for line in order.lines if name in (line.name, line.item_iri)]
    if len(matches) == 1:
        return matches[0]
    choices = "; ".join(line.item_iri if matches else line.name for line in matches or order.lines)
    text = (
        "{name} is the name of several items: {there}" if matches else "{name} is not in this order, which has: {there}"
    )
    raise typer.BadParameter(spoken(text, name=name, there=choices))


def _progress(order: InstanceOrder) -> str:
    """Returns the state of the order in words."""
    match order.state:
        case "Held":
            return spoken("it may still grow")
        case "Cancelled":
            return spoken("it is cancelled")
    waits = any(line.quantity and not line.answer for line in order.lines)
    return spoken("it is complete, and waits for an answer" if waits else "it is complete")


def _headline(order: InstanceOrder) -> str:
    from_them = order.role == "supplier"
    return spoken(
        "{sale}, from {name}: {progress}" if from_them else "{sale}, to {name}: {progress}",
        sale=order.session_name,
        name=order.other_name,
        progress=_progress(order),
    )


def _statement(order: InstanceOrder, language: str) -> Iterator[str]:
    statement = statement_of(order)
    yield _headline(order)
    yield f"  {statement.order_iri}"
    for line in statement.lines:
        yield f"  {_stated(line, order, language)}"
    for order_line in order.lines:
        if order_line.quantity and not order_line.coming:
            yield "  " + spoken("0 of {count} {product}", count=order_line.quantity, product=order_line.name)
        if order_line.doubt:
            yield "  " + _doubt(order_line)
        if order_line.reason:
            yield f"  {order_line.name}: {order_line.reason}"
    for rate, vat in statement.vat.items():
        yield "  " + spoken("VAT at {rate} %: {amount}", rate=rate, amount=_money(vat, order, language))
    yield "  " + spoken("In all: {amount}", amount=_money(statement.total, order, language))


def _doubt(line: Line) -> str:
    """Returns why a person has to confirm the line."""
    text = "{count} {product}: its leases do not cover that; confirm it by hand, or shorten it"
    if line.doubt == "complete":
        text = "{count} {product}: that came when the order was complete; confirm it by hand, or shorten it"
    elif line.doubt == "price":
        text = "{count} {product}: at a price that had been replaced; confirm it by hand, or refuse it"
    return spoken(text, count=line.quantity, product=line.name)


def _stated(line: StatementLine, order: InstanceOrder, language: str) -> str:
    """Returns the delivered pieces of a line, their price and the amount, in words."""
    short = line.quantity < line.ordered
    text = "{count} {product} at {price}: {amount}"
    if line.weighed is not None and short:
        text = "{count} of {ordered} {product} at {price}, weighed {weight:f} {unit}: {amount}"
    elif line.weighed is not None:
        text = "{count} {product} at {price}, weighed {weight:f} {unit}: {amount}"
    elif short:
        text = "{count} of {ordered} {product} at {price}: {amount}"
    amount, price = (_money(value, order, language) for value in (line.amount, line.price))
    return spoken(
        text,
        count=line.quantity,
        ordered=line.ordered,
        product=line.name,
        price=price,
        weight=line.weighed,
        unit=line.unit,
        amount=amount,
    )


def _named(order: InstanceOrder) -> Iterator[str]:
    for line in order.lines:
        for part in line.customers:
            yield "  " + spoken("{count} {product} for {name}", count=part.quantity, product=line.name, name=part.name)


def _cut(tx: Transaction, cut: Cut, order: InstanceOrder, language: str) -> str:
    values = {"count": cut.pieces, "product": next(line.name for line in order.lines if line.item_iri == cut.item_iri)}
    unsettled = cut.settled_at is None
    if cut.customer_order_id is None:
        text = "orders of your choice lose {count} {product}"
        if unsettled:
            text = "orders of your choice lose {count} {product}, to be settled"
        return f"  {cut.id}  {spoken(text, **values)}"
    customer_order = order_by_id(tx, cut.customer_order_id, enterprise_id=order.enterprise_id)
    text = "order {number}, {name}, loses {count} {product}"
    if unsettled and cut.owed:
        text = "order {number}, {name}, loses {count} {product}, {amount} to be paid back"
    described = spoken(
        text, number=customer_order.number, name=customer_order.name, amount=_money(cut.owed, order, language), **values
    )
    return f"  {cut.id}  {described}"


def _money(amount: int, order: InstanceOrder, language: str) -> str:
    return format_money(amount, order.currency, language)
