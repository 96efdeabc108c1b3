"""What an act would do to an order, shown on a page of its own before it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from commensal import Order, Refused, Transaction, format_quantity
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.trade import locked_order, offered_shipping

from .desk import Desk, open_desk
from .handing import due_of
from .showing import show
from .week import slot_label

Act = Callable[[Transaction, Desk, Order], Order]
Again = Callable[[Mapping[str, str], Mistakes, int], Response]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """The page that asks: its heading, the word on the button that does it, and what people should know before."""

    heading: str
    button: str
    warnings: tuple[str, ...] = ()
    agree: str = ""  # a box that must be ticked, named "agreed"


@dataclass(frozen=True, kw_only=True)
class LineChange:
    """Pieces of one product before and after; `size` is its net content as people read it."""

    name: str
    size: str
    before: int
    after: int


def ask_or_do(visit: Visit, act: Act, asking: Asking, again: Again, *, done: str) -> Response:
    """Shows what the act would do to the order of the path; the form of that page does it.

    Only with the version of the order that was shown. A refusal shows the form `again`, and so does
    going back: what was typed stays.
    """
    typed, sure = dict(visit.form), is_sure(visit)
    if goes_back(visit):
        return again(typed, NO_MISTAKES, 200)
    try:
        desk, before, after = _try(visit, act, keep=sure)
    except Refused as error:
        return again(typed, mistakes(visit, error, typed.__contains__), status_of(error))
    if sure:
        return visit.redirect(f"{desk.address}/orders/{after.id}?done={done}")
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


def goes_back(visit: Visit) -> bool:
    """Whether the page that asks was left by "No, go back": the form comes again with what was typed."""
    return bool(visit.form.get("back"))


def is_sure(visit: Visit) -> bool:
    """Whether the form comes from the page that told what would happen."""
    return visit.form.get("sure") == "1"


def show_effect(
    visit: Visit, desk: Desk, asking: Asking, before: Order | None, after: Order, typed: Mapping[str, str],
    **context: Any,
) -> Response:  # fmt: skip
    """The page that tells what changes; its form repeats what was `typed`. Without `before` the order is new."""
    with visit.read() as tx:
        offered = offered_shipping(tx, visit.instance.hooks, desk.enterprise.id, after.session_id, visit.language)
    return show(
        visit, desk, "effect", at="orders", asking=asking, before=before, order=after,
        changes=line_changes(before, after, visit.language), amounts=amount_changes(before, after),
        typed=typed, slot=slot_label(after, offered), due_before=due_of(before) if before else 0,
        due=due_of(after), action=f"{visit.request.url.path}?{visit.request.url.query}", **context,
    )  # fmt: skip


def amount_changes(before: Order | None, after: Order) -> list[tuple[str, int]]:
    """By how much fees, reductions and corrections change the total, by label; of a new order what they are."""
    sums: dict[str, int] = {}
    for sign, order in ((-1, before), (1, after)):
        for adjustment in order.adjustments if order else ():
            sums[adjustment.label] = sums.get(adjustment.label, 0) + sign * adjustment.amount
    return [(label, amount) for label, amount in sums.items() if amount]


def line_changes(before: Order | None, after: Order, language: str) -> list[LineChange]:
    """The products of which the pieces differ, in the order of the lines."""
    counts: dict[tuple[str, str], list[int]] = {}
    for place, order in enumerate((before, after)):
        for line in order.lines if order else ():
            key = (line.name, format_quantity(line.unit_quantity, line.unit, language))
            counts.setdefault(key, [0, 0])[place] += line.quantity
    return [
        LineChange(name=name, size=size, before=then, after=now)
        for (name, size), (then, now) in counts.items()
        if then != now
    ]
