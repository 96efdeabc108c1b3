"""Webhooks: what happens at your enterprise is told to other software, by signed messages to addresses that you set.

Switch the plugin on, then name the addresses, and which events each of them wants, in the office (Settings, Webhooks)
or by the API; the secret with which messages are signed is shown once:

    POST /api/-/webhooks/enterprises/{enterprise}/hooks
    {"url": "https://example.org/commensal", "events": ["order_placed", "order_cancelled"]}

Every message is one POST of JSON, signed as Standard Webhooks 1.0.0 has it (https://www.standardwebhooks.com), so that
its libraries verify it: the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`. The body is

    {"id": …, "kind": "order_placed", "at": "2026-06-04T10:00:00Z", "enterprise": …, "data": {"order": {…}}}

`id` is that of the event and the same however often it is sent: act once by it. `data` is what the event is about as it
was when the message was made (see `data.py`); fields may be added, none will change its meaning. Names and addresses of
customers are left out unless the hook says `personal`.

The kind "notice" is a short message to one customer, for software that passes it on: an SMS, Matrix. An address gets it
if it names this kind and is told who the customers are; then they are asked at the checkout whether they want such
messages.

Answer with any 2xx within 15 seconds. Everything else is tried again for about a day, then parked; you may send it
again. An address that answers nothing good for three days, or says 410, is switched off, and you get an e-mail. One
address that is slow or dead does not hold up the others.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from commensal import Periodic, Work, hookimpl

from .deliveries import DELIVER, erase_person, forget_old, person_data
from .delivering import deliver
from .endpoints import endpoints
from .events import (
    consent_requests,
    customer_created,
    order_cancelled,
    order_changed,
    order_fulfilled,
    order_paid,
    order_placed,
    payment_failed,
    payment_received,
    payment_refunded,
    product_changed,
    sale_cancelled,
    sale_completed,
    sale_opened,
    sale_planned,
    send_notice,
    sold_out,
    stock_changed,
    stock_low,
)
from .office import office_pages, page_parts

__all__ = [
    "consent_requests",
    "customer_created",
    "endpoints",
    "erase_person",
    "jobs",
    "migrations",
    "office_pages",
    "order_cancelled",
    "order_changed",
    "order_fulfilled",
    "order_paid",
    "order_placed",
    "page_parts",
    "payment_failed",
    "payment_received",
    "payment_refunded",
    "person_data",
    "product_changed",
    "sale_cancelled",
    "sale_completed",
    "sale_opened",
    "sale_planned",
    "send_notice",
    "sold_out",
    "stock_changed",
    "stock_low",
]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def jobs() -> Work:
    return Work({DELIVER: deliver}, (Periodic("webhooks.forget", timedelta(days=1), forget_old, irreversible=True),))
