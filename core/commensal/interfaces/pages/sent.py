"""Forms that make something: sent twice by a double click, they make it once.

Such a form has a key of its own in a hidden field (`Visit.form_key`). The transaction that does what the form is for
also stores where it leads; the same form with the same content, sent again, is led there without doing it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from ...storage.database import Transaction
from ...storage.idempotency.answers import StoredAnswer, claim_key, request_hash, store_answer

if TYPE_CHECKING:
    from .visit import Visit

FIELD = "form_key"


def act_once(tx: Transaction, visit: Visit, act: Callable[[], str]) -> str:
    """Calls `act`, which returns the address of the next page, unless this form was sent before: then the address of
    the first time is returned. A form without a key, or changed since (sent again after going back), acts.

    Ask first whether the visitor may do it: a repeated form is not checked by `act`. What `act` raises takes the key
    back with the transaction.
    """
    if not visit.form.get(FIELD):
        return act()
    url = visit.request.url
    content = msgspec.json.encode(sorted(visit.form.items()))
    digest = request_hash("POST", f"{url.path}?{url.query}", content + hashlib.sha256(visit.body).digest())
    stored = claim_key(tx, visit.actor.key, digest, digest)
    if stored is not None:
        return stored.headers["location"]
    address = act()
    store_answer(tx, visit.actor.key, digest, StoredAnswer(303, {"location": address}, ""))
    return address
