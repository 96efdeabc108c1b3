"""Every unsafe request leaves a trace, whichever tables its command writes; so does every export of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...storage.database import Transaction
from .endpoint import Call, Endpoint, File, Stream


def trace_request(tx: Transaction, endpoint: Endpoint, given: Mapping[str, Any]) -> None:
    """Adds an entry where the command has changed no traced row: what it wrote has a journal of its own, or is seen
    only outside. Not for endpoints that say why they are `untraced`.
    """
    if tx.trail is None or tx.trail.changes or endpoint.untraced:
        return
    kind, named = _object(given)
    tx.trace("done", kind, named)


def trace_export(call: Call, endpoint: Endpoint, given: Mapping[str, Any], value: Any) -> None:
    """A file that somebody took away: a report, a list, a journal. Pictures are no export."""
    if not isinstance(value, File | Stream) or (isinstance(value, File) and value.unchanging):
        return
    if call.actor.person_id is None:
        return
    kind, named = _object(given)
    with call.instance.store.write() as tx:
        tx.trace("exported", kind, named, file=value.filename)


def _object(given: Mapping[str, Any]) -> tuple[str, str]:
    """What a path is about: its last parameter, by its name. Secrets of links are not written down."""
    named = [(name, one) for name, one in given.items() if name not in ("query", "body", "secret")]
    return (named[-1][0], str(named[-1][1])) if named else ("", "")
