"""Consents that plugins ask of customers beyond buying (GDPR, art. 6(1)(a) and 7), stored with the order.

An unticked box means no. Customers may withdraw a consent at any time, as easily as they gave it; the text and the
moments stay on record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from ..base.errors import Invalid, Problem
from ..events.announce import event_jobs
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import ConsentRequest
from ..pricing.values import OrderDraft
from ..storage.database import Transaction, insert_rows
from ..storage.jobs import enqueue_all
from .price import quote_of
from .proof import known_customer_of
from .sale_context import sale_closed, sale_context
from .tables import order_consent
from .values import Order, SaleContext

_row = order_consent.c
_STANDS = _row.withdrawn_at.is_(None)


@dataclass(frozen=True, kw_only=True)
class OrderConsent:
    """A consent that an order's customer is asked for or has given. `request` is "plugin:id".

    `given_at` is in UTC; None: not given.
    """

    request: str
    text: str
    given_at: datetime | None


def consent_requests(
    tx: Transaction, hooks: Hooks, shop: SaleContext, draft: OrderDraft, language: str
) -> Mapping[str, ConsentRequest]:
    """Returns the consents that the shop's plugins ask for with this order, by "plugin:id"."""
    answers = hooks.each(specifications.consent_requests, shop.plugins, tx=tx, order=draft, language=language)
    return {f"{answer.plugin}:{request.id}": request for answer in answers for request in answer.value or ()}


def keep_consents(
    tx: Transaction, hooks: Hooks, shop: SaleContext, draft: OrderDraft, agreed: Collection[str], language: str
) -> None:
    """Stores the customer's consent to the requests in `agreed`. Raises `Invalid` for one that is not asked."""
    if not agreed:
        return
    requests = consent_requests(tx, hooks, shop, draft, language)
    unknown = [
        Problem("consent_unknown", "This is not asked any more. Please look once more.", f"/consents/{place}")
        for place, request in enumerate(agreed)
        if request not in requests
    ]
    if unknown:
        raise Invalid(unknown)
    values = {"order_id": draft.id, "given_at": tx.now, "withdrawn_at": None}
    rows = [
        {"id": tx.new_id(), "request": request, "text": requests[request].text, **values}
        for request in dict.fromkeys(agreed)
    ]
    insert_rows(tx, order_consent, rows)


def consents_of(tx: Transaction, hooks: Hooks, order: Order, language: str) -> list[OrderConsent]:
    """Returns the consents that the customer has given and, while the order can be changed, those still asked for."""
    agreed = [
        OrderConsent(request=row["request"], text=row["text"], given_at=row["given_at"])
        for row in tx.all(select(order_consent).where(_row.order_id == order.id, _STANDS).order_by(_row.id))
    ]
    agreed_requests = {consent.request for consent in agreed}
    open_requests = _open_requests(tx, hooks, order, language)
    return agreed + [
        OrderConsent(request=request, text=consent_request.text, given_at=None)
        for request, consent_request in open_requests.items()
        if request not in agreed_requests
    ]


def stands(tx: Transaction, order_id: str, request: str) -> bool:
    """Whether the order's customer has agreed to the request ("plugin:id") and has not withdrawn it."""
    return tx.first(select(_row.id).where(_row.order_id == order_id, _row.request == request, _STANDS)) is not None


def set_consents(tx: Transaction, hooks: Hooks, order: Order, agreed: Collection[str], language: str) -> None:
    """Makes the consents of the locked `order` exactly `agreed`: withdraws the others and stores the new ones.

    Withdrawing is always possible; agreeing, only while the order can be changed. Raises `Conflict` after that,
    `Invalid` for a request that is not asked.
    """
    standing = {row["request"] for row in tx.all(select(_row.request).where(_row.order_id == order.id, _STANDS))}
    added = [request for request in agreed if request not in standing]
    shop = sale_context(tx, order.session_id)
    if added:
        if not _can_change(tx, order, shop):
            raise sale_closed(shop)
        keep_consents(tx, hooks, shop, _draft(tx, order, shop), added, language)
    if withdrawn := standing.difference(agreed):
        _withdraw(tx, _row.order_id == order.id, _row.request.in_(sorted(withdrawn)))
    if added or withdrawn:
        jobs = event_jobs(tx, specifications.order_changed, shop.enterprise_id, order.id, shop.plugins)
        enqueue_all(tx, jobs)


def withdraw_all(tx: Transaction, order_ids: Collection[str]) -> None:
    """Withdraws all consents of these orders, because their customer is being forgotten."""
    _withdraw(tx, _row.order_id.in_(sorted(order_ids)))


def _open_requests(tx: Transaction, hooks: Hooks, order: Order, language: str) -> Mapping[str, ConsentRequest]:
    if order.state != "Held" or not hooks.implementing(specifications.consent_requests, hooks.plugins()):
        return {}
    shop = sale_context(tx, order.session_id)
    return consent_requests(tx, hooks, shop, _draft(tx, order, shop), language) if _can_change(tx, order, shop) else {}


def _draft(tx: Transaction, order: Order, shop: SaleContext) -> OrderDraft:
    return quote_of(order, shop, known_customer_of(tx, order)).draft


def _can_change(tx: Transaction, order: Order, shop: SaleContext) -> bool:
    return order.state == "Held" and order.fulfilment_state != "Fulfilled" and shop.is_open(tx.now)


def _withdraw(tx: Transaction, *conditions: ColumnElement[bool]) -> None:
    tx.execute(update(order_consent).where(*conditions, _STANDS).values(withdrawn_at=tx.now))
