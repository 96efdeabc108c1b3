"""Sends e-mails of plugins to customers about their orders: capped and logged like those of the core."""

from __future__ import annotations

from collections.abc import Mapping

from ...orders.values import Order
from ...people.fingerprint import fingerprint
from ...storage.database import Transaction
from ...storage.jobs import NewJob
from ...storage.jobs.enqueue import enqueue_once


def mail_customer(
    tx: Transaction, order: Order, kind: str, values: Mapping[str, object], *, key: str, consent: str = ""
) -> None:
    """Enqueues an e-mail about `order` to its customer, in the language of the order.

    The plugin has the templates ``templates/mail/<kind>.txt`` and ``.html``; name the kind after the plugin. They may
    extend ``mail/order.txt`` and ``mail/order.html``, and get `values` (what JSON can encode) beside what those use:
    `order`, `view` and `link`, as they are when the e-mail is sent. Then they fill the block ``subject`` of the text
    and the block ``title`` of the HTML, and in both ``opening``, which stands above what was ordered. The office shows
    the e-mail on the page of the order.

    `key` says what the e-mail is about, such as the id of an event: for the same order, kind and key it is sent once.
    Without a consent write only what concerns the order itself. Everything else needs the customer's `consent`,
    "<plugin>:<id>" of a `ConsentRequest`: the e-mail is sent if it was given with this order and stands when it leaves.
    A mailbox whose owner has not proved it gets no more such e-mails than the instance's limit; an order without an
    address, which was taken by telephone, gets none.
    """
    if not order.email:
        return
    payload = {
        "kind": kind,
        "order_id": order.id,
        "to": order.email,
        "language": order.language,
        "values": {**values},
        **({"consent": consent} if consent else {}),
    }
    enqueue_once(tx, f"mail-{fingerprint(f'{kind} {order.id} {key}')}", NewJob("mail", payload))
