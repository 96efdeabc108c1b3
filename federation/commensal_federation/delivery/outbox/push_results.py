"""What a peer's answer to a push means for each message: delivered, refused, or to be sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...signing import Unreadable, read_json
from ...transport import Answer
from ..values import Receipt
from .backoff import retry_after

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
    said: Mapping[str, Any] = field(default_factory=dict)


def judge(answer: Answer | None, ids: Sequence[str], error: str, now: datetime) -> Verdict:
    """Judges the answer to a request that carried the messages `ids`, in this order. None: nothing came back."""
    if answer is None:
        return Verdict(False, again=ids, error=error)
    said = _read(answer.body)
    wait = retry_after(answer.header("retry-after"), now)
    if answer.status in (200, 202):
        receipts = _receipts(said, ids)
        if receipts is not None:
            return _each(receipts, wait)
        return Verdict(False, again=ids, error="an answer that says nothing", status=answer.status)
    code, text = str(said.get("code", ""))[:100], str(said.get("detail") or said.get("title") or "")[:500]
    told = f"{answer.status} {code} {text}".strip()
    final = 400 <= answer.status < 500 and answer.status not in _OF_THE_CALL
    if final and len(ids) == 1:  # of several, it is not said which: they are sent one by one then
        return Verdict(True, refused=[Receipt(answer.status, ids[0], code, text)], status=answer.status, said=said)
    return Verdict(False, again=ids, error=told, status=answer.status, not_before=wait, said=said)


def _each(receipts: Sequence[Receipt], wait: datetime | None) -> Verdict:
    known = [one for one in receipts if one.taken and one.code in ("known", "dead")]
    later = [one for one in receipts if one.status in _LATER or one.status >= 500]
    return Verdict(
        True,
        delivered=[one.id for one in receipts if one.taken and one not in known],
        known=[one.id for one in known],
        refused=[one for one in receipts if not one.taken and one not in later],
        again=[one.id for one in later],
        error="; ".join(sorted({f"{one.status} {one.code}" for one in later})),
        status=202,
        not_before=wait,
    )


def _receipts(said: Mapping[str, Any], ids: Sequence[str]) -> Sequence[Receipt] | None:
    """One for each message, in their order; None for an answer that is not about them all."""
    told = said.get("messages")
    if not isinstance(told, list) or len(told) != len(ids):
        return None
    found = []
    for id, one in zip(ids, told, strict=True):
        status = one.get("status") if isinstance(one, dict) else None
        if type(status) is not int or not 100 <= status < 600:
            return None
        code, text = str(one.get("code", ""))[:100], str(one.get("text", ""))[:500]
        found.append(Receipt(status, id, code, text))
    return found


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        return read_json(body, _LARGEST)
    except Unreadable:
        return {}
