"""Writes the evidence file of an order: what buyer, supplier and producers signed, with their keys, and a seal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from commensal import Conflict, Row, Transaction

from ..identity import InstanceDocument, current_key, fingerprint_of, read_document
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.envelope import CONTEXT
from ..orders.kept_messages import kept_messages
from ..orders.questions import order_of
from ..provenance.keeping import statements_by_name
from ..provenance.signers import own_signer
from ..provenance.tables import federation_signer
from ..runtime import Federation
from ..signing import canonical, read_json, sign
from ..signing.moments import write_moment

_LARGEST = 1024 * 1024  # bytes of a message


def evidence_of(federation: Federation, tx: Transaction, enterprise_id: str, order_id: str) -> bytes:
    """Returns the file as canonical JSON. Raises `NotFound`, and `Conflict` if no message about the order is kept."""
    order = order_of(tx, enterprise_id, order_id, locked=False)
    messages = kept_messages(tx, order.id)
    if not any(row["type"] == "OrderUpdate" for row in messages):
        raise Conflict("no_evidence", "No signed message about this order is kept: it was placed by an older version.")
    statements = statements_by_name(tx, {line.statement for line in order.lines})
    document = {
        "@context": CONTEXT,
        "id": f"{federation.base}/-/federation/evidence/{order.id}",
        "type": "OrderEvidence",
        "actor": federation.iri,
        "order": order.iri,
        "published": write_moment(tx.now),
        "messages": [_signed(row["body"], row["key_version"], row["at"]) for row in messages],
        "statements": [
            {"name": name, **_signed(row["text"], row["key_version"], row["verified_at"])}
            for name, row in sorted(statements.items())
        ],
        "lines": [{"item": line.item_iri, "statement": line.statement} for line in _stated(order, statements)],
        "signers": list(_signers(federation, tx, messages, statements.values())),
    }
    return canonical(sign(document, current_key(federation, tx), tx.now))


def _signed(text: str, key_version: int, at: datetime) -> dict[str, Any]:
    return {"text": text, "keyVersion": key_version, "verifiedAt": write_moment(at)}


def _stated(order: InstanceOrder, statements: Mapping[str, Row]) -> Iterator[Line]:
    """Yields the lines whose item is still that of the statement: an enterprise that has moved has other addresses."""
    for line in order.lines:
        statement = statements.get(line.statement)
        if statement is not None and statement["item_iri"] == line.item_iri:
            yield line


def _signers(
    federation: Federation, tx: Transaction, messages: Sequence[Row], statements: Iterable[Row]
) -> Iterator[dict[str, Any]]:
    """Yields the document of each signer, in the version of its key set by which something was verified."""
    needed = {(str(read_json(row["body"].encode(), _LARGEST)["actor"]), row["key_version"]) for row in messages}
    needed |= {(row["actor"], row["key_version"]) for row in statements}
    own = own_signer(federation, tx)
    if (federation.iri, own.document.version) not in needed:
        yield _signer(own.document, own.text, own.at, own.bound)
    table = federation_signer.c
    query = select(federation_signer).where(table.iri.in_(sorted({iri for iri, _ in needed})))
    for row in tx.all(query.order_by(table.iri, table.version)):
        if (row["iri"], row["version"]) in needed:
            document = read_document(row["document"].encode(), row["iri"], row["verified_at"])
            yield _signer(document, row["document"], row["verified_at"], row["bound"])


def _signer(document: InstanceDocument, text: str, at: datetime, bound: str) -> dict[str, Any]:
    return {
        "instance": document.iri,
        "keyVersion": document.version,
        "document": text,
        "verifiedAt": write_moment(at),
        "bound": bound,
        "fingerprint": fingerprint_of(document.iri, document.root.multikey),
    }
