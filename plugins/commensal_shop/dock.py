"""The dock at the bottom of a sale: how much is in the basket, and what it costs with everything that is added."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from commensal import Adjustment, Threshold, plural
from commensal.pages import Visit
from commensal.pricing import Totals

from .cart import ShownCart, waiting_at_checkout


@dataclass(frozen=True, kw_only=True)
class Dock:
    """What the dock shows.

    pieces:  how many pieces are in the basket, in words; "" if it is empty
    total:   what they cost with fees and deposits, in minor units of `currency`; None if nothing can be ordered
    about:   whether the scales decide about a part of it
    at_most: what it costs then at most, in minor units; None if nobody knows
    problem: whether not everything can be ordered as it is
    threshold: the next sum of goods from which it would cost less
    waiting: what costs something at the checkout though no goods are in the basket, such as a gift card
    """

    session_id: str
    currency: str
    pieces: str = ""
    total: int | None = None
    about: bool = False
    at_most: int | None = None
    problem: bool = False
    threshold: Threshold | None = None
    waiting: tuple[Adjustment, ...] = ()


def dock_of(visit: Visit, cart: ShownCart, *, joins: bool) -> Dock:
    """The dock for this cart. If it `joins` an order, fees are those of that order, so the total is of goods alone."""
    shop, pieces = cart.sale.shop, sum(cart.items.values())
    text = plural(visit.language, "{number} item", "{number} items", pieces).format(number=pieces) if pieces else ""
    draft = cart.priced.quote.draft if cart.priced else None
    return Dock(
        session_id=cart.sale.session.id,
        currency=shop.currency,
        pieces=text,
        total=_total(cart.priced.quote.totals, joins) if cart.priced else None,
        about=draft is not None and draft.awaits_scales,
        at_most=None if joins or cart.priced is None else cart.priced.quote.totals.at_most,
        problem=bool(cart.problem) or any(row.problem for row in cart.rows),
        threshold=None if joins else cart.threshold,
        waiting=() if cart.rows else waiting_at_checkout(visit, cart),
    )


def _total(totals: Totals, joins: bool) -> int:
    return totals.products + totals.deposits if joins else totals.total


def render_dock(visit: Visit, dock: Dock) -> Markup:
    """The content of the dock as HTML, for the page of the sale and for its script."""
    return visit.pieces("shop/dock.html", "dock")([dock])
