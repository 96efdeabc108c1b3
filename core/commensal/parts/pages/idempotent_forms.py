"""Forms that act once, however often they are sent: a double click makes one thing.

A page that is rendered with `keyed` has a key of its own in each of its forms. The first transaction that writes for a
form claims its key; when the handler has answered with a redirect, the address is stored. The same form with the same
content, sent again, writes nothing and is led there. Any other answer, such as a page of mistakes, frees the key.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from ...base.errors import CommensalError, Conflict
from ...storage.database import Transaction
from ...storage.idempotency.answers import StoredAnswer, claim_key, free_key, request_hash, store_answer, stored_answer

if TYPE_CHECKING:
    from .visit import Visit

FIELD = "form_key"
_FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')
_LASTS, _PAUSE = 2.0, 0.02  # seconds to wait for the answer to the first click


class SentBefore(CommensalError):
    """The form was sent before, and that has written."""


class SentForm:
    """A form with its key, while it is answered."""

    def __init__(self, actor: str, path: str, form: Mapping[str, str], file: bytes) -> None:
        content = msgspec.json.encode(sorted(form.items()))
        self.actor = actor
        self.digest = request_hash("POST", path, content + hashlib.sha256(file).digest())
        self.is_claimed = False  # by a transaction that is committed

    def claim(self, tx: Transaction) -> None:
        """Claims the key. Waits while another transaction does so. Raises `SentBefore`."""
        if claim_key(tx, self.actor, self.digest, self.digest) is not None:
            raise SentBefore


def keyed_forms(html: str, key: str) -> str:
    """The page with the key in a hidden field of each form that is posted."""
    return _FORM.sub(rf'\g<0><input type="hidden" name="{FIELD}" value="{key}">', html)


def answer_once(visit: Visit, handler: Callable[[Visit], Response]) -> Response:
    """What `handler` answers to a form without a key, or one that was not sent before; else the redirect of the first
    time. Raises `Conflict` while the first is still being answered after two seconds."""
    if visit.request.method != "POST" or not visit.form.get(FIELD):
        return handler(visit)
    url = visit.request.url
    sent = SentForm(visit.actor.key, f"{url.path}?{url.query}", visit.form, visit.body)
    leads_to = ""
    try:
        answer = handler(replace(visit, sent=sent))
        leads_to = answer.headers.get("location", "")
    except SentBefore:
        address = _first_address(visit, sent)
        return visit.redirect(address) if address else answer_once(visit, handler)
    finally:
        if sent.is_claimed:
            _settle(visit, sent, leads_to)
    return answer


def _settle(visit: Visit, sent: SentForm, leads_to: str) -> None:
    """Stores where the form leads; without an address it may be sent again. What was done stands if that fails."""
    with suppress(CommensalError), visit.instance.store.write() as tx:
        if leads_to:
            store_answer(tx, sent.actor, sent.digest, StoredAnswer(303, {"location": leads_to}, ""))
        else:
            free_key(tx, sent.actor, sent.digest)


def _first_address(visit: Visit, sent: SentForm) -> str:
    """Where the form led the first time; "" if that has written nothing that stays."""
    until = time.monotonic() + _LASTS
    while time.monotonic() < until:
        with visit.read() as tx:
            answer = stored_answer(tx, sent.actor, sent.digest)
        if answer is None:
            return ""
        if answer.headers:
            return answer.headers["location"]
        time.sleep(_PAUSE)  # the other thread, or process, is about to answer
    raise Conflict("being_done", "This is being done already. Look again in a moment.")
