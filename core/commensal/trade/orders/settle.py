"""What plugins have to say once an order's price stands: does anything stand against it, and what does it use up?"""

from __future__ import annotations

from collections.abc import Sequence

from ...base.errors import Conflict, Invalid, Problem
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ..pricing.values import Adjustment
from .values import Quote, Selling


def refuse_problems(tx: Transaction, hooks: Hooks, shop: Selling, quote: Quote, *, before: int = 0) -> None:
    """Raises `Invalid` with everything that the shop's plugins have against the order; `before` was its total."""
    answers = hooks.each(
        specifications.order_problems, shop.plugins, tx=tx, order=quote.draft, total=quote.totals.total, before=before
    )
    problems = [one for answer in answers for one in answer.value or ()]
    if problems:
        raise Invalid(problems)


def settle(
    tx: Transaction,
    hooks: Hooks,
    shop: Selling,
    quote: Quote,
    before: Sequence[Adjustment],
    after: Sequence[Adjustment],
) -> None:
    """Lets each plugin take what its adjustments use up, or give it back.

    What a plugin gave that the shop or the instance has switched off meanwhile stays as it is.
    """
    for plugin in sorted({one.plugin for one in (*before, *after)} - {""}):
        had = [one for one in before if one.plugin == plugin]
        has = [one for one in after if one.plugin == plugin]
        if hooks.implementing(specifications.settle_adjustments, {plugin}) and plugin in shop.plugins:
            hooks.tell(
                specifications.settle_adjustments, plugin, shop.plugins,
                tx=tx, order=quote.draft, before=had, after=has,
            )  # fmt: skip


def refuse_unclaimed(codes: Sequence[str], claimed: set[str]) -> None:
    """A code that nobody knows is said to the customer: it must not look as if it had counted."""
    unknown = [
        Problem("code_unknown", "The code {code} is not known here.", f"/codes/{place}", {"code": code[:40]})
        for place, code in enumerate(codes)
        if code not in claimed
    ]
    if unknown:
        raise Invalid(unknown)


MOST_CODES = 5  # of one order


def read_codes(codes: Sequence[str]) -> tuple[str, ...]:
    """Codes as they are kept: without blanks around, each once, in capitals. Raises `Conflict` for too many."""
    read = tuple(dict.fromkeys(code.strip().upper() for code in codes if code.strip()))
    if len(read) > MOST_CODES:
        raise Conflict("too_many_codes", "At most {most} codes can be used for one order.", most=MOST_CODES)
    return read
