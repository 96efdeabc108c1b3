"""Puts the right price into orders that were placed at a wrong one: at once where it is lower; where it is higher only
once the customer has agreed, since a price at which somebody has ordered binds the hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from starlette.responses import Response

from commensal import (
    Conflict,
    Invalid,
    Order,
    Problem,
    Stale,
    Transaction,
    format_money,
    order_by_id,
    read_amount,
    sale_by_id,
    translate,
)
from commensal.orders import locked_order
from commensal.pages import Visit, on_refusal
from commensal.parts.order_corrections import OtherPrice, orders_at_other_prices, reprice_order
from commensal.parts.supply import LineCorrection, correct_order, left_of_line

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show
from .effect import Asking, ask_or_do
from .take import read_pieces

Repriced = tuple[Order, Order]  # an order before and after


def prices_page(visit: Visit, repriced: Sequence[Repriced] | None = None, dearer: Sequence[Repriced] = ()) -> Response:
    """Goods that orders hold at another price than today's; of the item that the query names, these orders."""
    item_id = visit.query.get("item") or visit.form.get("item", "")
    with visit.read() as tx:
        desk = _desk(tx, visit)
        others = orders_at_other_prices(tx, desk.enterprise.id, [item_id] if item_id else None)
    goods = [list(lines) for _, lines in groupby(others, lambda line: line.item_id)]
    return show(
        visit,
        desk,
        "prices",
        at="orders",
        goods=goods,
        item_id=item_id,
        repriced=repriced,
        dearer=dearer,
        shown=_shown(repriced or ()),
        count_orders=_count,
        done=visit.query.get("done", ""),
    )


def _desk(tx: Transaction, visit: Visit) -> Desk:
    """The desk of who changes orders and sees what they cost. Raises `Forbidden`."""
    desk = open_desk(tx, visit, "orders:write")
    return desk if desk.sees_money else open_desk(tx, visit, "payments:read")


def _count(lines: Sequence[OtherPrice]) -> int:
    return len({line.order_id for line in lines})


@on_refusal(prices_page, ())
def post_prices(visit: Visit) -> Response:
    """Shows which orders get cheaper and by how much, and which would get dearer; the form of that page changes the
    first, all or none."""
    if goes_back(visit):
        return prices_page(visit)
    sure, item_id = is_sure(visit), visit.query.get("item", "")
    with visit.write() as tx, tx.attempt() as attempt:
        desk = _desk(tx, visit)
        repriced, dearer = _reprice(tx, visit, desk, item_id)
        if not sure:
            attempt.rollback()
        elif visit.form.get("shown", "") != _shown(repriced):
            raise Stale
    if not sure:
        return prices_page(visit, repriced=repriced, dearer=dearer)
    return visit.redirect(f"{desk.address}/orders/prices?item={item_id}&done={len(repriced)}")


def _shown(repriced: Sequence[Repriced]) -> str:
    """What the page has shown of the orders that get cheaper: how many, and their totals."""
    return f"{len(repriced)} {sum(before.total for before, _ in repriced)} {sum(after.total for _, after in repriced)}"


def _reprice(tx: Transaction, visit: Visit, desk: Desk, item_id: str) -> tuple[list[Repriced], list[Repriced]]:
    """Changes the orders that get cheaper. Returns them, and those that would get dearer, which stay as they are."""
    others = orders_at_other_prices(tx, desk.enterprise.id, [item_id])
    repriced, dearer = list[Repriced](), list[Repriced]()
    for order_id in sorted({line.order_id for line in others}):  # locked in one sequence everywhere
        before = locked_order(tx, order_id, enterprise_id=desk.enterprise.id)
        try:
            with tx.attempt():
                after = reprice_order(tx, visit.instance.hooks, before, item_id, by=visit.actor.person_id)
                repriced.append((before, after))
        except Conflict as error:
            if error.code != "dearer":
                raise
            dearer.append((before, _if_agreed(tx, visit, before, item_id)))
    return repriced, dearer


def _if_agreed(tx: Transaction, visit: Visit, before: Order, item_id: str) -> Order:
    """The order as it would be if its customer agreed. Nothing is changed."""
    with tx.attempt() as attempt:
        after = reprice_order(tx, visit.instance.hooks, before, item_id, agreed=True, by=visit.actor.person_id)
        attempt.rollback()
    return after


def _price_of(line: OtherPrice, language: str) -> str:
    """Of which goods the price changes: Carottes 1.80 → 2.40."""
    amounts = [format_money(price, line.currency, language) for price in (line.price, line.today) if price is not None]
    return f"{line.item} {' → '.join(amounts)}"


def post_price(visit: Visit) -> Response:
    """Puts today's price of an item into one order, which gets dearer: only if its customer has agreed."""
    item_id, agreed = visit.form.get("item", ""), bool(visit.form.get("agreed")) or not is_sure(visit)
    with visit.read() as tx:
        desk = _desk(tx, visit)
        others = orders_at_other_prices(tx, desk.enterprise.id, [item_id])
    lines = [line for line in others if line.order_id == visit.path["order"]]

    def act(tx: Transaction, desk: Desk, order: Order) -> Order:
        return reprice_order(tx, visit.instance.hooks, order, item_id, agreed=agreed, by=visit.actor.person_id)

    def again(visit: Visit) -> Response:
        return prices_page(visit) if visit.mistakes else visit.redirect(f"{desk.address}/orders/prices?item={item_id}")

    asking = Asking(
        heading=translate(visit.language, "Put the right price into this order"),
        button=translate(visit.language, "Yes, change the price"),
        warnings=tuple(_price_of(line, visit.language) for line in lines),
        agree=translate(visit.language, "I have asked the customer, who agrees to pay more."),
    )
    return ask_or_do(visit, act, asking, again, done="changed")


# Corrects an order after its hand-over: what was wrong with the goods, at whose cost, and what is given back.

LINE, AMOUNT, RETURNED = "lines/", "/amount", "/returned"  # fields are `lines/<id>/amount`, as in the core's errors


def correct_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        sale = sale_by_id(tx, order.session_id)
    left = {line.id: left_of_line(order, line) for line in order.lines}
    return show(
        visit,
        desk,
        "correct",
        at="orders",
        order=order,
        sale=sale,
        left=left,
        lines=[line for line in order.lines if left[line.id]],
        typed={"borne_by": "shop", "reason": "", **visit.form},
    )


def post_correct(visit: Visit) -> Response:
    form = visit.form

    def act(tx: Transaction, desk: Desk, order: Order) -> Order:
        return correct_order(
            tx,
            visit.instance.hooks,
            order,
            read_corrections(order, form),
            reason=form.get("reason", ""),
            borne_by="supplier" if form.get("borne_by") == "supplier" else "shop",
            by=visit.actor.person_id,
        )

    bearer = (
        translate(visit.language, "The producer bears it: you pay them less.")
        if form.get("borne_by") == "supplier"
        else translate(visit.language, "You bear it: the producer is paid in full.")
    )
    asking = Asking(
        heading=translate(visit.language, "Correct after the hand-over"),
        button=translate(visit.language, "Yes, correct it"),
        warnings=(bearer,),
    )
    return ask_or_do(visit, act, asking, correct_page, done="corrected")


def read_corrections(order: Order, form: Mapping[str, str]) -> dict[str, LineCorrection]:
    """What is given back by line, of the fields that are filled in. Raises `Invalid` with every mistake."""
    corrections, problems = dict[str, LineCorrection](), list[Problem]()
    for line in order.lines:
        names = (f"{LINE}{line.id}{AMOUNT}", f"{LINE}{line.id}{RETURNED}")
        texts = [form.get(name, "").strip() for name in names]
        if not any(texts):
            continue
        amount = read_amount(texts[0] or "0", order.currency)
        if isinstance(amount, Problem):
            problems.append(Problem(amount.code, amount.text, f"/{names[0]}", amount.values))
            continue
        try:
            corrections[line.id] = LineCorrection(amount=amount, returned=read_pieces(texts[1], names[1]))
        except Invalid as error:
            problems += error.problems
    if problems:
        raise Invalid(problems)
    return corrections
