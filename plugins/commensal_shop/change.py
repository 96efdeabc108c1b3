"""Changing an order: its quantities, place and hour, codes, delivery address, note and telephone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.responses import Response

from commensal import (
    Address,
    Conflict,
    Invalid,
    Order,
    PricedLine,
    Problem,
    Refused,
    Sale,
    Transaction,
    enterprises_by_id,
    read_phone,
    read_text,
    read_whole,
    sale_by_id,
    say,
    start_payment,
)
from commensal.orders import asks_for_codes, change_order, names_of_lines, offered_shipping
from commensal.pages import Visit, any_field, status_of
from commensal.parts.mail import shown_code

from .choices import (
    ADDRESS_FIELDS,
    CODE,
    ShippingGroup,
    address_fields,
    group_by_place,
    missing_fields,
    sends_codes,
    try_codes,
    typed_address,
    typed_codes,
)
from .orders import OrderAccess, may_change, show_order, totals_of
from .quantities import FIELD, read_quantities, typed_quantities
from .showing import NONE, Mistakes, mistakes, show, with_mistakes

_OWN_CODE = "own/"  # with its place on the order: the page does not tell what others could spend
_FIELDS = ("note", "phone", "collector", "shipping")


@dataclass(frozen=True, kw_only=True)
class OrderChange:
    """The changes in the form.

    shipping: None if there was nothing to choose
    version:  of the order when its page was shown
    """

    items: Mapping[str, int]
    shipping: str | None
    address: Address | None
    note: str
    phone: str
    collector: str
    version: int


def change_page(visit: Visit) -> Response:
    access = OrderAccess(visit)
    with visit.read() as tx:
        order = access.order(tx)
        sale = sale_by_id(tx, order.session_id)
        if not may_change(order, sale, tx):
            return visit.redirect(access.address)
    return _page(visit, access, order, {}, codes=order.codes)


def post_change(visit: Visit) -> Response:
    """Shows the new total first; changes the order only with a total that the customer has seen."""
    access = OrderAccess(visit)
    with visit.read() as tx:
        order = access.order(tx)
    typed = typed_quantities(visit.form)
    codes = _codes(visit, order) if sends_codes(visit.form) else order.codes
    try:
        change = _read_change(visit, order, typed)
        result = try_codes(visit, codes, lambda accepted: _apply_change(visit, access, change, accepted))
        if visit.form.get("then") != "change" or result.refused:
            return _page(visit, access, order, typed, codes=result.codes, preview=result.value, refused=result.refused)
        with visit.guessing(result.codes):
            new_order = _apply_change(visit, access, change, result.codes, shown_total=typed_number(visit, "total"))
    except Refused as error:
        if error.code == "closed":  # the order can no longer be changed
            return show_order(with_mistakes(visit, error, any_field))
        errors = mistakes(visit, error, lambda name: name.startswith(FIELD) or name in (*ADDRESS_FIELDS, *_FIELDS))
        return _page(visit, access, order, typed, codes=codes, errors=errors, status=status_of(error))
    ask_for_new_amount(visit, access.address, new_order)
    return visit.redirect(access.address)


def _codes(visit: Visit, order: Order) -> list[str]:
    """The codes in the form. It names those that are on the order by their places there."""
    own = {f"{_OWN_CODE}{place}": code for place, code in enumerate(order.codes)}
    return [own.get(code, code) for code in typed_codes(visit.form)]


def _apply_change(
    visit: Visit, access: OrderAccess, change: OrderChange, codes: Sequence[str], shown_total: int | None = None
) -> Order:
    """Changes the order and returns it. Without `shown_total` it is a preview: the change is rolled back."""

    def act(tx: Transaction) -> Order:
        with tx.attempt() as attempt:
            order = access.locked(tx, change.version)
            new_order = change_order(
                tx,
                visit.instance.hooks,
                order,
                items=change.items,
                codes=codes,
                shipping=change.shipping,
                address=change.address,
                note=change.note,
                phone=change.phone,
                collector=change.collector,
                total=shown_total,
                by=visit.actor.person_id,
            )
            if shown_total is None:
                attempt.rollback()
        return new_order

    return visit.instance.store.transact(act)


def _page(
    visit: Visit,
    access: OrderAccess,
    order: Order,
    typed: Mapping[str, str],
    *,
    codes: Sequence[str],
    preview: Order | None = None,
    refused: Sequence[Problem] = (),
    errors: Mistakes = NONE,
    status: int = 200,
) -> Response:
    fields = {CODE: "", **address_fields(order.address)}
    fields |= {"note": order.note, "phone": order.phone, "collector": order.collector, "shipping": order.shipping}
    fields |= {name: visit.form[name] for name in (*ADDRESS_FIELDS, *_FIELDS) if name in visit.form}
    if refused:
        message = " ".join(say(visit.language, problem) for problem in refused)
        errors, status = replace(errors, fields={**errors.fields, CODE: message}), 422
        fields[CODE] = visit.form.get(CODE, "")
    with visit.read() as tx:
        sale = sale_by_id(tx, order.session_id)
        places = _other_places(tx, visit, order, sale)
        lines = (*order.lines, *(preview.lines if preview else ()))
        line_names = names_of_lines(tx, lines, reader=visit.language, own=sale.shop.language)
        producers = enterprises_by_id(tx, {line.supplier_id for line in order.lines})
        has_codes = asks_for_codes(tx, visit.instance.hooks, sale.shop.id)
    return show(
        visit,
        "change",
        asks_for_codes=has_codes,
        sale=sale,
        places=places,
        basket=None,
        status=status,
        order=order,
        line_names=line_names,
        producers=producers,
        ordered=ordered_items(order),
        access=access,
        typed=typed,
        fields=fields,
        codes=codes,
        own_codes={code: (f"{_OWN_CODE}{place}", shown_code(code)) for place, code in enumerate(order.codes)},
        preview=preview,
        preview_sums=totals_of(preview) if preview else None,
        mistakes=errors,
    )


def _read_change(visit: Visit, order: Order, typed: Mapping[str, str]) -> OrderChange:
    """Reads the form. Raises `Invalid` with every mistake."""
    problems: list[Problem] = []
    note = read_text(visit.form.get("note", order.note), "/note", problems, most=2000, lines=True)
    phone = read_phone(visit.form.get("phone", order.phone), "/phone", problems, stored=order.phone)
    collector = read_text(visit.form.get("collector", order.collector), "/collector", problems)
    if problems:
        raise Invalid(problems)
    return OrderChange(
        items=read_quantities(typed),
        shipping=visit.form.get("shipping") or None,
        address=_address(visit, order),
        note=note,
        phone=phone,
        collector=collector,
        version=typed_number(visit, "version"),
    )


def _other_places(tx: Transaction, visit: Visit, order: Order, sale: Sale) -> Sequence[ShippingGroup]:
    """The places and hours to choose from. Who ordered a delivery chooses among deliveries, since there is an address;
    the booked one is among them, also if it is full by now."""
    offered = offered_shipping(tx, visit.instance.hooks, order.enterprise_id, order.session_id, visit.language)
    options = {
        id: replace(option, left=None) if id == order.shipping else option
        for id, option in offered.items()
        if option.needs_address == (order.address is not None)
    }
    return group_by_place(options, sale.shop.timezone, visit.language) if len(options) > 1 else ()


def ordered_items(order: Order) -> list[list[PricedLine]]:
    """The order's lines by item, in their sequence. An item has several if pieces were ordered at different prices."""
    items: dict[str, list[PricedLine]] = {}
    for line in order.lines:
        if line.substitutes_id is None:
            items.setdefault(line.item_id, []).append(line)
    return list(items.values())


def _address(visit: Visit, order: Order) -> Address | None:
    """The typed address, for an order with delivery. Raises `Invalid` naming missing fields."""
    if order.address is None:
        return None
    address = typed_address(visit.form)
    if problems := missing_fields(address):
        raise Invalid(problems)
    return address


def ask_for_new_amount(visit: Visit, order_url: str, order: Order) -> None:
    """Starts a payment of the new amount, since the former payment request was for the old one."""
    if not order.payment_method:
        return
    try:
        start_payment(
            visit.instance,
            order.id,
            order.payment_method,
            f"order:{order.id}:v{order.version}",
            visit.language,
            return_url=visit.address(order_url),
        )
    except Conflict:
        return  # nothing is due any more


def typed_number(visit: Visit, name: str) -> int:
    """A number that the page itself has written into its form; 0 for what somebody has made of it."""
    return read_whole(visit.form.get(name, ""), 15) or 0
