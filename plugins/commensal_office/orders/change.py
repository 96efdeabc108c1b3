"""Changes one order for its customer: its goods and slot, a product instead of another, how it is paid, or its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from commensal import (
    Address,
    Conflict,
    Order,
    PaymentMethod,
    PricedLine,
    ShippingOption,
    Transaction,
    order_by_id,
    sale_by_id,
    translate,
)
from commensal.orders import cancel_order, change_order, locked_order, locked_together
from commensal.pages import Visit, on_refusal
from commensal.parts.order_corrections import merge_orders, revive_order, shipping_given_up, substitute
from commensal.payments import cancel_open, change_payment_method, choose_method, method_name, payment_methods_of_order

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show
from ..frame.sessions import slots_of_sale
from .effect import Asking, ask_or_do, show_effect, tell_suppliers
from .orders import post_mail, show_order
from .take import ITEM, ROWS, GoodsToOrder, goods_of, item_named, read_goods, read_pieces

_LONGEST_NOTE = 2000
_CONTACT = ("note", "phone", "collector")
_ADDRESS = ("street", "postcode", "city")


def order_of_path(tx: Transaction, visit: Visit, desk: Desk) -> Order:
    return order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)


def _goods(tx: Transaction, visit: Visit, order: Order) -> GoodsToOrder:
    """What the customer of the order can have."""
    return goods_of(tx, order.enterprise_id, order.session_id, visit.language, order.customer_id)


# ------------------------------------------------------------------------------------------------ goods and slot


def change_page(visit: Visit) -> Response:
    return _instead(visit) or _change_page(visit)


def _instead(visit: Visit) -> Response | None:
    """The page on which an order is corrected that can no longer be changed; None for one that can."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = order_of_path(tx, visit, desk)
    if order.state == "Cancelled":
        return visit.redirect(f"{desk.address}/orders/{order.id}")
    if order.fulfilment_state == "Fulfilled":
        return visit.redirect(f"{desk.address}/orders/{order.id}/correct")
    return None


def _change_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = order_of_path(tx, visit, desk)
        sale = sale_by_id(tx, order.session_id)
        goods = _goods(tx, visit, order)
        slots = slots_of_sale(tx, visit, desk, order.session_id)
    methods = payment_methods_of_order(visit.instance, order, visit.language)
    return show(
        visit,
        desk,
        "change",
        at="orders",
        order=order,
        sale=sale,
        goods=goods,
        slots=slots,
        methods=other_methods(methods, order),
        items=ordered_items(order),
        rows=range(1, ROWS + 1),
        typed={**_as_typed(order), **visit.form},
        delivers=any(option.needs_address for option in slots.values()),
    )


def other_methods(methods: Sequence[PaymentMethod], order: Order) -> list[PaymentMethod]:
    """The ways to pay that the order could have instead of its own."""
    return [method for method in methods if method.id != order.payment_method]


def ordered_items(order: Order) -> dict[str, list[PricedLine]]:
    """The order's lines by item, without substitutes, which are changed by substituting again."""
    items: dict[str, list[PricedLine]] = {}
    for line in order.lines:
        if line.substitutes_id is None and line.quantity:
            items.setdefault(line.item_id, []).append(line)
    return items


def _as_typed(order: Order) -> dict[str, str]:
    """The fields of the form as they stand in the order."""
    pieces = {
        f"{ITEM}{item}": str(sum(line.quantity for line in lines)) for item, lines in ordered_items(order).items()
    }
    address = order.address or Address()
    fields = {name: str(getattr(address, name)) for name in _ADDRESS}
    contact = {name: str(getattr(order, name)) for name in _CONTACT}
    return {**pieces, **fields, **contact, "shipping": order.shipping}


def post_change(visit: Visit) -> Response:
    """Changes goods, slot, note and telephone; the new total is shown first."""
    if visit.query.get("for") == "method":
        return _change_method(visit)

    def act(tx: Transaction, desk: Desk, order: Order) -> Order:
        goods = _goods(tx, visit, order)
        options = slots_of_sale(tx, visit, desk, order.session_id)
        return change_order(
            tx,
            visit.instance.hooks,
            order,
            by_hub=True,
            by=visit.actor.person_id,
            **read_changes(visit.form, order, goods, options),
        )

    asking = Asking(
        heading=translate(visit.language, "Change the order"), button=translate(visit.language, "Yes, change it")
    )
    return ask_or_do(visit, act, asking, _change_page, done="changed")


def read_changes(
    form: Mapping[str, str], order: Order, goods: GoodsToOrder, options: Mapping[str, ShippingOption]
) -> dict[str, Any]:
    """Arguments of `change_order`: only what differs from the order. Raises `Invalid`."""
    pieces = read_goods(goods, form)
    before = {item: sum(line.quantity for line in lines) for item, lines in ordered_items(order).items()}
    changes: dict[str, object] = {"items": {**before, **pieces} if {**before, **pieces} != before else None}
    shipping = form.get("shipping", order.shipping)
    if shipping != order.shipping:
        changes["shipping"] = shipping
    option = options.get(shipping)
    if option is not None and option.needs_address:
        changes["address"] = Address(**{name: form.get(name, "").strip()[:200] for name in _ADDRESS})
    for name in _CONTACT:
        text = form.get(name, getattr(order, name)).strip()[:_LONGEST_NOTE]
        if text != getattr(order, name):
            changes[name] = text
    return changes


def _change_method(visit: Visit) -> Response:
    """Changes the way in which the order is to be paid."""
    method = visit.form.get("method", "")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = order_of_path(tx, visit, desk)
    chosen = choose_method(visit.instance, order.id, method, visit.language)

    def act(tx: Transaction, desk: Desk, order: Order) -> Order:
        return change_payment_method(tx, visit.instance.hooks, order, chosen, by=visit.actor.person_id)

    labels = {each.id: each.label for each in payment_methods_of_order(visit.instance, order, visit.language)}
    then = translate(visit.language, "It will be paid this way: {method}.")
    asking = Asking(
        heading=translate(visit.language, "Pay another way"),
        button=translate(visit.language, "Yes, change it"),
        warnings=(then.format(method=labels.get(method) or method_name(method[:81], visit.language)),),
    )
    return ask_or_do(visit, act, asking, _change_page, done="changed")


# ------------------------------------------------------------------------------------------------ instead


def substitute_page(visit: Visit) -> Response:
    return _instead(visit) or _substitute_page(visit)


def _substitute_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = order_of_path(tx, visit, desk)
        sale = sale_by_id(tx, order.session_id)
        goods = _goods(tx, visit, order)
    lines = [line for line in order.lines if line.quantity]
    line_id = visit.query.get("line", visit.form.get("line_id", ""))
    shown = {"line_id": line_id, "replaced": "", "item": "", "quantity": "", **visit.form}
    return show(visit, desk, "substitute", at="orders", order=order, sale=sale, goods=goods, lines=lines, typed=shown)


def post_substitute(visit: Visit) -> Response:
    """Gives another product instead of one that is missing; both stay on the order."""
    form = visit.form

    def act(tx: Transaction, desk: Desk, order: Order) -> Order:
        item = item_named(_goods(tx, visit, order), form.get("item", ""), "item")
        replaced = read_pieces(form.get("replaced", ""), "replaced")
        line_id = form.get("line_id", "")
        missing = replaced or next((line.quantity for line in order.lines if line.id == line_id), 0)
        return substitute(
            tx,
            visit.instance.hooks,
            order,
            line_id=line_id,
            item_id=item,
            replaced=replaced or None,
            quantity=read_pieces(form.get("quantity", ""), "quantity") or missing,
            by=visit.actor.person_id,
        )

    asking = Asking(
        heading=translate(visit.language, "Give something else instead"),
        button=translate(visit.language, "Yes, replace it"),
    )
    return ask_or_do(visit, act, asking, _substitute_page, done="replaced")


# ------------------------------------------------------------------------------------------------ merging


@on_refusal(show_order, ())
def post_merge(visit: Visit) -> Response:
    """Moves the goods of another order of the same customer into this one, or this one into it."""
    if goes_back(visit):
        return visit.redirect(f"/office/{visit.path['enterprise']}/orders/{visit.path['order']}")
    typed, sure = dict(visit.form), is_sure(visit)
    agreed = bool(typed.get("agreed")) or not sure
    with visit.write() as tx, tx.attempt() as attempt:
        desk = open_desk(tx, visit, "orders:write")
        target, other = locked_together(
            tx,
            visit.path["order"],
            typed.get("other", ""),
            enterprise_id=desk.enterprise.id,
            version=visit.form_version,
        )
        merged = merge_orders(tx, visit.instance.hooks, target, other, vouched=agreed, by=visit.actor.person_id)
        cancel_open(tx, other.id)
        if not sure:
            attempt.rollback()
    if sure:
        return visit.redirect(f"{desk.address}/orders/{merged.id}?done=merged")
    ask = translate(visit.language, "I have asked {name}: both orders are theirs.")
    emptied = translate(visit.language, "Order {number} is then empty, and its place in the slot free.")
    warnings = [emptied.format(number=other.number)]
    if given_up := shipping_given_up(target, other):
        text = translate(visit.language, "“{given_up}” no longer holds: everything comes by “{kept}”.")
        warnings.append(text.format(given_up=given_up, kept=target.shipping_label))
    asking = Asking(
        heading=translate(visit.language, "Put two orders together"),
        button=translate(visit.language, "Yes, put them together"),
        warnings=tuple(warnings),
        agree="" if target.customer_id == other.customer_id else ask.format(name=target.name),
    )
    return show_effect(visit, desk, asking, target, merged, typed, moves_goods=True)


@on_refusal(show_order, ())
def post_revive(visit: Visit) -> Response:
    """Takes the cancellation of the order back, once the page has shown what the order takes again."""
    sure = is_sure(visit)
    with visit.write() as tx, tx.attempt() as attempt:
        desk = open_desk(tx, visit, "orders:write")
        order = locked_order(tx, visit.path["order"], enterprise_id=desk.enterprise.id, version=visit.form_version)
        revived = revive_order(tx, visit.instance.hooks, order, by=visit.actor.person_id)
        if not sure:
            attempt.rollback()
    if sure:
        suppliers = tell_suppliers(visit, order.session_id, {line.supplier_id for line in order.lines if line.quantity})
        return visit.redirect(f"{desk.address}/orders/{order.id}?done=revived{suppliers}")
    language = visit.language
    asking = Asking(
        heading=translate(language, "Take the cancellation back"),
        button=translate(language, "Yes, it stands again"),
        warnings=(translate(language, "It keeps its number, its prices and what was paid for it."),),
    )
    return show_effect(visit, desk, asking, None, revived, dict(visit.form))


def post_order(visit: Visit) -> Response:
    """Does what the pressed button of an order's page is for."""
    acts = {"mail": post_mail, "revive": post_revive}
    return acts.get(visit.query.get("then", ""), post_merge)(visit)


# ------------------------------------------------------------------------------------------------ cancelling


def cancel_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = order_of_path(tx, visit, desk)
        sale = sale_by_id(tx, order.session_id)
    return show(
        visit,
        desk,
        "cancel",
        at="orders",
        order=order,
        sale=sale,
        lines=[line for line in order.lines if line.quantity],
    )


@on_refusal(cancel_page, ())
def post_cancel(visit: Visit) -> Response:
    with visit.write() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = locked_order(tx, visit.path["order"], enterprise_id=desk.enterprise.id, version=visit.form_version)
        goods = visit.form.get("goods", "")
        if goods not in ("back", "lost"):
            raise Conflict("goods", "Say whether the goods go on sale again or are lost.")
        cancel_order(tx, visit.instance.hooks, order, restock=goods == "back", by_hub=True, by=visit.actor.person_id)
        cancel_open(tx, order.id)
    suppliers = tell_suppliers(visit, order.session_id, {line.supplier_id for line in order.lines if line.quantity})
    return visit.redirect(f"{desk.address}/orders/{order.id}?done=cancelled{suppliers}")
