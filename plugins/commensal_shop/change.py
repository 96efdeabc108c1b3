"""Changing an order: its quantities, its codes, and where it is brought."""

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
    Transaction,
    Visit,
    change_order,
    sale_by_id,
    say,
    start_payment,
)

from .choices import (
    ADDRESS_FIELDS,
    CODE,
    address_fields,
    address_typed,
    codes_typed,
    missing_of,
    sends_codes,
    with_codes,
)
from .orders import Door, may_change, show_order, sums
from .sale import FIELD, quantities
from .showing import NONE, Mistakes, mistakes, show, status_of


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the form says that the order shall be, seen at this version of it."""

    items: Mapping[str, int]
    address: Address | None
    version: int


def change_page(visit: Visit) -> Response:
    door = Door(visit)
    with visit.read() as tx:
        order = door.order(tx)
        sale = sale_by_id(tx, order.session_id)
        if not may_change(order, sale, tx):
            return visit.redirect(door.address)
    return _page(visit, door, order, {}, codes=order.codes)


def change_now(visit: Visit) -> Response:
    """First shows the new total, then, with that total, changes the order: nobody owes what they have not seen."""
    door = Door(visit)
    with visit.read() as tx:
        order = door.order(tx)
    typed = {name.removeprefix(FIELD): value for name, value in visit.form.items() if name.startswith(FIELD)}
    codes = codes_typed(visit.form) if sends_codes(visit.form) else order.codes
    try:
        wanted = Wanted(items=quantities(typed), address=_address(visit, order), version=_number(visit, "version"))
        tried = with_codes(visit, codes, lambda left: _changed(visit, door, wanted, left))
        if visit.form.get("then") != "change" or tried.refused:
            return _page(visit, door, order, typed, codes=tried.codes, preview=tried.value, refused=tried.refused)
        with visit.guessing(tried.codes):
            changed = _changed(visit, door, wanted, tried.codes, shown=_number(visit, "total"))
    except Refused as error:
        if error.code == "closed":  # there is nothing to change any more
            return show_order(visit, door, mistakes(visit, error), status_of(error))
        wrong = mistakes(visit, error, lambda name: name.startswith(FIELD) or name in ADDRESS_FIELDS)
        return _page(visit, door, order, typed, codes=codes, wrong=wrong, status=status_of(error))
    _ask_for_new_amount(visit, door, changed)
    return visit.redirect(door.address)


def _changed(visit: Visit, door: Door, wanted: Wanted, codes: Sequence[str], shown: int | None = None) -> Order:
    """The order as it is after the change; where no total was `shown` yet, it is then as if nothing had happened."""

    def act(tx: Transaction) -> Order:
        with tx.attempt() as attempt:
            order = door.locked(tx, wanted.version)
            changed = change_order(
                tx, visit.instance.hooks, order, items=wanted.items, codes=codes, address=wanted.address, total=shown,
                by=visit.actor.person_id,
            )  # fmt: skip
            if shown is None:
                attempt.rollback()
        return changed

    return visit.instance.store.transact(act)


def _page(
    visit: Visit,
    door: Door,
    order: Order,
    typed: Mapping[str, str],
    *,
    codes: Sequence[str],
    preview: Order | None = None,
    refused: Sequence[Problem] = (),
    wrong: Mistakes = NONE,
    status: int = 200,
) -> Response:
    fields = {CODE: "", **address_fields(order.address)}
    fields |= {name: visit.form[name] for name in ADDRESS_FIELDS if name in visit.form}
    if refused:
        said = " ".join(say(visit.language, one) for one in refused)
        wrong, status = replace(wrong, fields={**wrong.fields, CODE: said}), 422
        fields[CODE] = visit.form.get(CODE, "")
    with visit.read() as tx:
        sale = sale_by_id(tx, order.session_id)
    return show(
        visit,
        "change",
        sale=sale,
        basket=None,
        status=status,
        order=order,
        ordered=ordered_items(order),
        door=door,
        typed=typed,
        fields=fields,
        codes=codes,
        preview=preview,
        preview_sums=sums(preview) if preview else None,
        mistakes=wrong,
    )


def ordered_items(order: Order) -> list[list[PricedLine]]:
    """The lines of each item, in the order's sequence: several where pieces were ordered at different prices."""
    items: dict[str, list[PricedLine]] = {}
    for line in order.lines:
        if line.substitutes_id is None:
            items.setdefault(line.item_id, []).append(line)
    return list(items.values())


def _address(visit: Visit, order: Order) -> Address | None:
    """Raises `Invalid` where an order that is brought would not say where."""
    if order.address is None:
        return None
    address = address_typed(visit.form)
    if problems := missing_of(address):
        raise Invalid(problems)
    return address


def _ask_for_new_amount(visit: Visit, door: Door, order: Order) -> None:
    """What was asked of the payer was the old amount."""
    if not order.payment_method:
        return
    try:
        start_payment(
            visit.instance, order.id, order.payment_method, f"order:{order.id}:v{order.version}", visit.language,
            return_url=visit.address(door.address),
        )  # fmt: skip
    except Conflict:
        return  # nothing is due any more


def _number(visit: Visit, name: str) -> int:
    text = visit.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
