"""Writes the evidence file of an order: what buyer, supplier and producers signed, with their keys, and a seal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from commensal import Row, Transaction

from ..identity import InstanceDocument, current_key, fingerprint_of, read_document
from ..messages.envelope import CONTEXT
from ..orders.signed_orders import SignedMessage, SignedOrder, signed_order
from ..provenance.signers import own_signer, statements_by_name
from ..provenance.tables import federation_signer
from ..runtime import Federation
from ..signing import canonical, read_json, sign
from ..signing.profile import write_moment

_LARGEST = 1024 * 1024  # bytes of a message


def evidence_of(federation: Federation, tx: Transaction, enterprise_id: str, order_id: str) -> bytes:
    """Returns the file as canonical JSON. Raises `NotFound`, and `Conflict` if no message about the order is kept."""
    order = signed_order(federation, tx, enterprise_id, order_id)
    statements = statements_by_name(tx, {name for _, name in order.items})
    document = {
        "@context": CONTEXT,
        "id": f"{federation.base}/-/federation/evidence/{order_id}",
        "type": "OrderEvidence",
        "actor": federation.iri,
        "order": order.iri,
        "published": write_moment(tx.now),
        "messages": [_signed(message.body, message.key_version, message.at) for message in order.messages],
        "statements": [
            {"name": name, **_signed(row["text"], row["key_version"], write_moment(row["verified_at"]))}
            for name, row in sorted(statements.items())
        ],
        "lines": [{"item": item, "statement": name} for item, name in _stated(order, statements)],
        "signers": list(_signers(federation, tx, order.messages, statements.values())),
    }
    return canonical(sign(document, current_key(federation, tx), tx.now))


def _signed(text: str, key_version: int, at: str) -> dict[str, object]:
    return {"text": text, "keyVersion": key_version, "verifiedAt": at}


def _stated(order: SignedOrder, statements: Mapping[str, Row]) -> Iterator[tuple[str, str]]:
    """Yields the lines whose item is still that of the statement: an enterprise that has moved has other addresses."""
    for item, name in order.items:
        if name in statements and statements[name]["item_iri"] == item:
            yield item, name


def _signers(
    federation: Federation, tx: Transaction, messages: Sequence[SignedMessage], statements: Iterable[Row]
) -> Iterator[dict[str, object]]:
    """Yields the document of each signer, in the version of its key set by which something was verified."""
    needed = {(str(read_json(signed.body.encode(), _LARGEST)["actor"]), signed.key_version) for signed in messages}
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


def _signer(document: InstanceDocument, text: str, at: datetime, bound: str) -> dict[str, object]:
    return {
        "instance": document.iri,
        "keyVersion": document.version,
        "document": text,
        "verifiedAt": write_moment(at),
        "bound": bound,
        "fingerprint": fingerprint_of(document.iri, document.root.multikey),
    }
