"""Judges a peer's answer to a push for each message: delivered, refused, or to be sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ...signing import JsonObject, Unreadable, read_json
from ...transport import Answer
from ..values import Receipt
from .breaker import retry_after

_LARGEST = 256 * 1024
# Of a whole request these say something about the caller, the moment or the place, and nothing about its messages.
_OF_THE_CALL = {401, 403, 404, 408, 425, 429}
# Of a single message: it came too early, or the peer has no room for it now.
_LATER = {408, 425, 429}


@dataclass(frozen=True)
class Verdict:
    """answered: the peer has read the request and said what it thinks of its messages
    delivered:  it has taken them
    known:      it had taken them before, or took them and will not do what they say: it may have told so already
    not_before: it asks not to be called before (Retry-After, at most an hour)
    status:     of the whole answer; 0 where there was none
    """

    answered: bool
    delivered: Sequence[str] = ()
    known: Sequence[str] = ()
    refused: Sequence[Receipt] = ()
    again: Sequence[str] = ()
    error: str = ""
    status: int = 0
    not_before: datetime | None = None
    said: Mapping[str, object] = field(default_factory=dict)


def judge(answer: Answer | None, ids: Sequence[str], error: str, now: datetime) -> Verdict:
    """Judges the answer to a request that carried the messages `ids`, in this order. None: nothing came back."""
    if answer is None:
        return Verdict(False, again=ids, error=error)
    document = _read(answer.body)
    wait = retry_after(answer.header("retry-after"), now)
    if answer.status in (200, 202):
        receipts = _receipts(document, ids)
        if receipts is not None:
            return _each(receipts, wait)
        return Verdict(False, again=ids, error="an answer that says nothing", status=answer.status)
    code, text = str(document.get("code", ""))[:100], str(document.get("detail") or document.get("title") or "")[:500]
    error_text = f"{answer.status} {code} {text}".strip()
    final = 400 <= answer.status < 500 and answer.status not in _OF_THE_CALL
    if final and len(ids) == 1:  # of several, it is not said which: they are sent one by one then
        return Verdict(True, refused=[Receipt(answer.status, ids[0], code, text)], status=answer.status, said=document)
    return Verdict(False, again=ids, error=error_text, status=answer.status, not_before=wait, said=document)


def _each(receipts: Sequence[Receipt], wait: datetime | None) -> Verdict:
    already_known = [receipt for receipt in receipts if receipt.taken and receipt.code in ("known", "dead")]
    later = [receipt for receipt in receipts if receipt.status in _LATER or receipt.status >= 500]
    return Verdict(
        True,
        delivered=[receipt.id for receipt in receipts if receipt.taken and receipt not in already_known],
        known=[receipt.id for receipt in already_known],
        refused=[receipt for receipt in receipts if not receipt.taken and receipt not in later],
        again=[receipt.id for receipt in later],
        error="; ".join(sorted({f"{receipt.status} {receipt.code}" for receipt in later})),
        status=202,
        not_before=wait,
    )


def _receipts(document: JsonObject, ids: Sequence[str]) -> Sequence[Receipt] | None:
    """Returns one receipt for each message, in their order; None for an answer that does not cover them all."""
    entries = document.get("messages")
    if not isinstance(entries, list) or len(entries) != len(ids):
        return None
    receipts = []
    for id, entry in zip(ids, entries, strict=True):
        status = entry.get("status") if isinstance(entry, dict) else None
        if type(status) is not int or not 100 <= status < 600:
            return None
        code, text = str(entry.get("code", ""))[:100], str(entry.get("text", ""))[:500]
        receipts.append(Receipt(status, id, code, text))
    return receipts


def _read(body: bytes) -> Mapping[str, object]:
    try:
        return read_json(body, _LARGEST)
    except Unreadable:
        return {}
