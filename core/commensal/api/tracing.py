"""Adds an entry to the audit trail for every unsafe request, whichever tables it changes, and for every export."""

from __future__ import annotations

from collections.abc import Mapping

from ..storage.database import Transaction
from .endpoint import Call, Endpoint, File, Stream


def trace_request(tx: Transaction, endpoint: Endpoint, arguments: Mapping[str, object]) -> None:
    """Adds an entry if the command has changed no traced row, because it writes a journal of its own or acts only
    outside. Skips endpoints that are `untraced`.
    """
    if tx.trail is None or tx.trail.changes or endpoint.untraced:
        return
    kind, object_id = _object(arguments)
    tx.trace("done", kind, object_id)


def trace_export(call: Call, endpoint: Endpoint, arguments: Mapping[str, object], value: object) -> None:
    """Adds an entry to the audit trail for a downloaded file: a report, a list, a journal. Pictures are no export."""
    if not isinstance(value, File | Stream) or (isinstance(value, File) and value.unchanging):
        return
    if call.actor.person_id is None:
        return
    kind, object_id = _object(arguments)
    with call.instance.store.write() as tx:
        tx.trace("exported", kind, object_id, file=value.filename)


def _object(arguments: Mapping[str, object]) -> tuple[str, str]:
    """The name and value of the last path parameter, which is what the request is about. Skips secrets of links."""
    parameters = [(name, value) for name, value in arguments.items() if name not in ("query", "body", "secret")]
    return (parameters[-1][0], str(parameters[-1][1])) if parameters else ("", "")
