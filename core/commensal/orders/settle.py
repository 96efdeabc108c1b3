"""Asks plugins about a priced order: does anything speak against it, and what do its adjustments use up?"""

from __future__ import annotations

from collections.abc import Sequence

from ..base.errors import Conflict, Invalid, Problem
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import ChangedBy
from ..pricing.values import Adjustment
from ..storage.database import Transaction
from .questions import order_by_id
from .values import Order, Quote, SaleContext


def refuse_problems(
    tx: Transaction, hooks: Hooks, shop: SaleContext, quote: Quote, before: Order | None, by: ChangedBy
) -> None:
    """Raises `Invalid` with every problem that the shop's plugins report. `before` is the order until now, None for a
    new one. What is a problem for customers alone does not stop the hub and its scales."""
    draft, plugins = quote.draft, shop.plugins
    answers = hooks.each(specifications.order_changing, plugins, tx=tx, order=draft, before=before, by=by)
    if by == "customer":
        total_before = before.total if before is not None else 0
        answers += hooks.each(
            specifications.order_problems, plugins, tx=tx, order=draft, total=quote.totals.total, before=total_before
        )
    problems = [problem for answer in answers for problem in answer.value or ()]
    if problems:
        raise Invalid(problems)


def settle_with_plugins(
    tx: Transaction,
    hooks: Hooks,
    shop: SaleContext,
    quote: Quote,
    before: Sequence[Adjustment],
    after: Sequence[Adjustment],
) -> None:
    """Lets each plugin take or give back what its adjustments use up, such as the balance of a voucher.

    A plugin that the shop or the instance has switched off meanwhile is not asked.
    """
    for plugin in sorted({adjustment.plugin for adjustment in (*before, *after)} - {""}):
        given_before = [adjustment for adjustment in before if adjustment.plugin == plugin]
        given_now = [adjustment for adjustment in after if adjustment.plugin == plugin]
        if hooks.implementing(specifications.settle_adjustments, {plugin}) and plugin in shop.plugins:
            hooks.tell(
                specifications.settle_adjustments,
                plugin,
                shop.plugins,
                tx=tx,
                order=quote.draft,
                before=given_before,
                after=given_now,
            )


def pay_rest_from_credit(tx: Transaction, hooks: Hooks, shop: SaleContext, order: Order) -> Order:
    """Lets plugins pay what is due for the locked, placed `order` from what they hold for its customer, such as an
    account. Returns the order as it is now."""
    if order.total <= order.paid_total:
        return order
    answers = hooks.each(specifications.pay_from_credit, shop.plugins, tx=tx, order=order)
    if not any(answer.value for answer in answers):
        return order
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def refuse_unclaimed(codes: Sequence[str], claimed: set[str]) -> None:
    """Raises `Invalid` for codes that no plugin claimed: they must not look as if they had counted."""
    unknown = [
        Problem("code_unknown", "The code {code} is not known here.", f"/codes/{place}", {"code": code[:40]})
        for place, code in enumerate(codes)
        if code not in claimed
    ]
    if unknown:
        raise Invalid(unknown)


MOST_CODES = 5  # of one order


def read_codes(codes: Sequence[str]) -> tuple[str, ...]:
    """Returns codes as they are stored: stripped, in capitals, each once. Raises `Conflict` for too many."""
    unique_codes = tuple(dict.fromkeys(code.strip().upper() for code in codes if code.strip()))
    if len(unique_codes) > MOST_CODES:
        raise Conflict("too_many_codes", "At most {most} codes can be used for one order.", most=MOST_CODES)
    return unique_codes
