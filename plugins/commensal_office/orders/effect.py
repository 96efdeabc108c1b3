"""What an act would do to an order, shown on a page of its own before it is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from commensal import Order, PricedLine, Refused, Transaction, format_quantity
from commensal.orders import locked_order
from commensal.pages import Visit, with_mistakes
from commensal.parts.supply import late_suppliers, tell_of_late_goods

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show
from ..frame.sessions import due_of, slot_label, slots_of_sale

Act = Callable[[Transaction, Desk, Order], Order]
Again = Callable[[Visit], Response]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """The page that asks: its heading, the word on the button that does it, and what people should know before."""

    heading: str
    button: str
    warnings: tuple[str, ...] = ()
    agree: str = ""  # a box that must be ticked, named "agreed"


@dataclass(frozen=True, kw_only=True)
class LineChange:
    """Pieces of one product before and after; `size` is its net content as people read it.

    amount: what those after cost, without deposits, in minor units; `about`: until they are weighed
    """

    name: str
    size: str
    before: int
    after: int
    amount: int
    about: bool

    @property
    def is_more(self) -> bool:
        return self.after > self.before


def ask_or_do(visit: Visit, act: Act, asking: Asking, again: Again, *, done: str) -> Response:
    """Shows what the act would do to the order of the path; the form of that page does it.

    Only with the version of the order that was shown. A refusal shows the form `again`, and so does
    going back: what was typed stays.
    """
    typed, sure = dict(visit.form), is_sure(visit)
    if goes_back(visit):
        return again(visit)
    try:
        desk, before, after = _try(visit, act, keep=sure)
    except Refused as error:
        return again(with_mistakes(visit, error))
    if sure:
        changed = goods_of_suppliers(before, after, visit.language)
        suppliers = tell_suppliers(visit, after.session_id, changed)
        return visit.redirect(f"{desk.address}/orders/{after.id}?done={done}{suppliers}")
    return show_effect(visit, desk, asking, before, after, typed)


def _try(visit: Visit, act: Act, *, keep: bool) -> tuple[Desk, Order, Order]:
    """Runs the act on the locked order. Unless it is to `keep`, everything is rolled back."""
    with visit.write() as tx, tx.attempt() as attempt:
        desk = open_desk(tx, visit, "orders:write")
        version = visit.form_version
        before = locked_order(tx, visit.path["order"], enterprise_id=desk.enterprise.id, version=version)
        after = act(tx, desk, before)
        if not keep:
            attempt.rollback()
    return desk, before, after


def show_effect(
    visit: Visit,
    desk: Desk,
    asking: Asking,
    before: Order | None,
    after: Order,
    typed: Mapping[str, str],
    *,
    moves_goods: bool = False,
    **context: Any,
) -> Response:
    """The page that tells what changes, and which suppliers hear of it, unless it only moves goods from one order to
    another. Its form repeats what was `typed`. Without `before` the order is new."""
    goods = {} if moves_goods else goods_of_suppliers(before, after, visit.language)
    with visit.read() as tx:
        late = late_suppliers(tx, visit.instance.hooks, after.session_id, goods)
        offered = slots_of_sale(tx, visit, desk, after.session_id)
        now = tx.now
    return show(
        visit,
        desk,
        "effect",
        at="orders",
        asking=asking,
        before=before,
        order=after,
        typed=typed,
        changes=line_changes(before, after, visit.language),
        amounts=amount_changes(before, after),
        slot=slot_label(after, offered),
        late=late,
        late_goods=goods,
        now=now,
        due_before=due_of(before) if before else 0,
        due=due_of(after),
        action=f"{visit.request.url.path}?{visit.request.url.query}",
        **context,
    )


def amount_changes(before: Order | None, after: Order) -> list[tuple[str, int]]:
    """By how much fees, reductions and corrections change the total, by label; of a new order what they are."""
    sums: dict[str, int] = {}
    for sign, order in ((-1, before), (1, after)):
        for adjustment in order.adjustments if order else ():
            sums[adjustment.label] = sums.get(adjustment.label, 0) + sign * adjustment.amount
    return [(label, amount) for label, amount in sums.items() if amount]


def line_changes(before: Order | None, after: Order, language: str) -> list[LineChange]:
    """The products of which the pieces differ, by supplier."""
    return [change for changes in goods_of_suppliers(before, after, language).values() for change in changes]


def goods_of_suppliers(before: Order | None, after: Order, language: str) -> dict[str, list[LineChange]]:
    """The products of which the pieces differ, in the order of the lines, by the id of their supplier."""
    lines: dict[tuple[str, str, str], tuple[list[PricedLine], list[PricedLine]]] = {}
    for place, order in enumerate((before, after)):
        for line in order.lines if order else ():
            key = (line.supplier_id, line.name, format_quantity(line.unit_quantity, line.unit, language))
            lines.setdefault(key, ([], []))[place].append(line)
    changes: dict[str, list[LineChange]] = {}
    for (supplier_id, name, size), (old, new) in lines.items():
        then, now = (sum(line.quantity for line in each) for each in (old, new))
        if then != now:
            change = LineChange(
                name=name,
                size=size,
                before=then,
                after=now,
                amount=sum(line.amount for line in new),
                about=any(line.awaits_scales for line in new),
            )
            changes.setdefault(supplier_id, []).append(change)
    return changes


def tell_suppliers(visit: Visit, session_id: str, supplier_ids: Collection[str]) -> str:
    """Tells suppliers whose cut-off has passed that an order has changed. Returns which, as the end of a query."""
    with visit.write() as tx:
        late = late_suppliers(tx, visit.instance.hooks, session_id, supplier_ids)
        tell_of_late_goods(tx, visit.instance.hooks, session_id, [each.supplier_id for each in late])
    return f"&suppliers={','.join(each.supplier_id for each in late)}" if late else ""
