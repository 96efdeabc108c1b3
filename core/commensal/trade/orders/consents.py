"""What customers agree to beyond buying (GDPR, art. 6(1)(a) and 7): asked by plugins, and kept with the order.

A box that nobody ticked is a no. Who agreed may take it back at any time, as easily as it was given; what was agreed
to, and when, stays on record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from ...base.errors import Invalid, Problem
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import ConsentRequest
from ...storage.database import Transaction, insert_rows
from ...storage.jobs import promise_all
from ..events.announce import promised
from ..pricing.values import OrderDraft
from .price import quote_of
from .proof import known_of
from .selling import closed, selling
from .tables import order_consent
from .values import Order, Selling

_row = order_consent.c
_STANDS = _row.withdrawn_at.is_(None)


@dataclass(frozen=True, kw_only=True)
class OrderConsent:
    """What an order's customer is asked, or has agreed to: `request` is "plugin:id". `given_at` is UTC; None: no."""

    request: str
    text: str
    given_at: datetime | None


def asked(
    tx: Transaction, hooks: Hooks, shop: Selling, draft: OrderDraft, language: str
) -> Mapping[str, ConsentRequest]:
    """What the shop's plugins would like to be allowed with this order, by "plugin:id"."""
    answers = hooks.each(specifications.consent_requests, shop.plugins, tx=tx, order=draft, language=language)
    return {f"{answer.plugin}:{one.id}": one for answer in answers for one in answer.value or ()}


def keep_consents(
    tx: Transaction, hooks: Hooks, shop: Selling, draft: OrderDraft, wanted: Collection[str], language: str
) -> None:
    """The customer says yes to these. Raises `Invalid` for what is not asked."""
    if not wanted:
        return
    requests = asked(tx, hooks, shop, draft, language)
    unknown = [
        Problem("consent_unknown", "This is not asked any more. Please look once more.", f"/consents/{place}")
        for place, request in enumerate(wanted)
        if request not in requests
    ]
    if unknown:
        raise Invalid(unknown)
    given = {"order_id": draft.id, "given_at": tx.now, "withdrawn_at": None}
    rows = [
        {"id": tx.new_id(), "request": request, "text": requests[request].text, **given}
        for request in dict.fromkeys(wanted)
    ]
    insert_rows(tx, order_consent, rows)


def consents_of(tx: Transaction, hooks: Hooks, order: Order, language: str) -> list[OrderConsent]:
    """What the customer has agreed to and, as long as the order can be changed, what else is asked."""
    stands = [
        OrderConsent(request=row["request"], text=row["text"], given_at=row["given_at"])
        for row in tx.all(select(order_consent).where(_row.order_id == order.id, _STANDS).order_by(_row.id))
    ]
    known = {one.request for one in stands}
    more = _asked_of(tx, hooks, order, language)
    return stands + [
        OrderConsent(request=request, text=one.text, given_at=None)
        for request, one in more.items()
        if request not in known
    ]


def set_consents(tx: Transaction, hooks: Hooks, order: Order, wanted: Collection[str], language: str) -> None:
    """From now on the customer of the locked `order` agrees to these, and to nothing else.

    Taking back is always possible; agreeing, while the order can be changed. Raises `Conflict` after that, `Invalid`
    for what is not asked.
    """
    stands = {row["request"] for row in tx.all(select(_row.request).where(_row.order_id == order.id, _STANDS))}
    new = [request for request in wanted if request not in stands]
    shop = selling(tx, order.session_id)
    if new:
        if not _changeable(tx, order, shop):
            raise closed(shop)
        keep_consents(tx, hooks, shop, _draft(tx, order, shop), new, language)
    if gone := stands.difference(wanted):
        _withdraw(tx, _row.order_id == order.id, _row.request.in_(sorted(gone)))
    if new or gone:
        told = promised(tx, specifications.order_changed, shop.enterprise_id, order.id, shop.plugins)
        promise_all(tx, told)


def withdraw_all(tx: Transaction, order_ids: Collection[str]) -> None:
    """Whoever is forgotten agrees to nothing any more."""
    _withdraw(tx, _row.order_id.in_(sorted(order_ids)))


def _asked_of(tx: Transaction, hooks: Hooks, order: Order, language: str) -> Mapping[str, ConsentRequest]:
    if order.state != "Held" or not hooks.implementing(specifications.consent_requests, hooks.plugins()):
        return {}
    shop = selling(tx, order.session_id)
    return asked(tx, hooks, shop, _draft(tx, order, shop), language) if _changeable(tx, order, shop) else {}


def _draft(tx: Transaction, order: Order, shop: Selling) -> OrderDraft:
    return quote_of(order, shop, known_of(tx, order)).draft


def _changeable(tx: Transaction, order: Order, shop: Selling) -> bool:
    return order.state == "Held" and order.fulfilment_state != "Fulfilled" and shop.is_open(tx.now)


def _withdraw(tx: Transaction, *which: ColumnElement[bool]) -> None:
    tx.execute(update(order_consent).where(*which, _STANDS).values(withdrawn_at=tx.now))
