"""Writes the evidence file of an order: what buyer, supplier and producers signed, with their keys, and a seal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from commensal import Row, Transaction

from ..identity import InstanceDocument, current_key, fingerprint_of, read_document
from ..messages.envelope import CONTEXT
from ..orders.signed_orders import SignedMessage, SignedOrder, signed_order
from ..provenance.signers import Bound, own_signer, statements_by_name
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


# The parts of an evidence file, and what a verified one shows.

LARGEST = 32 * 1024 * 1024  # bytes of a file


class BadEvidence(Exception):
    """The file is not what the exporter has signed, or a part of it is not proved. `part` names the part."""

    def __init__(self, part: str, text: str) -> None:
        super().__init__(f"{part}: {text}")
        self.part, self.text = part, text


@dataclass(frozen=True, kw_only=True)
class ProvedSigner:
    """An instance by whose keys something in the file is signed.

    fingerprint: of its root key, to be compared with the instance itself: the file alone cannot show whose key it is
    bound:       how the exporter says that it knew the key as the instance's: it is the exporter itself ("own"), two
                 operators had compared the fingerprint ("peer"), or it was fetched from the address ("fetched")
    """

    iri: str
    fingerprint: str
    bound: Bound


@dataclass(frozen=True, kw_only=True)
class ProvedLine:
    """A line as the buyer signed it, with what the sellers had signed of it.

    ordered, confirmed: pieces; confirmed is None where the supplier has not answered
    price:              of one piece, in minor units of the order's currency
    stated:             whether the supplier had signed this price for this item
    producer:           the IRI of the first seller whose statement is proved; empty where none is
    producer_price:     minor units of `producer_currency`, that the producer asked of the first hand
    """

    item: str
    name: str
    ordered: int
    confirmed: int | None
    price: int
    stated: bool
    producer: str
    producer_name: str
    producer_price: int | None
    producer_currency: str


@dataclass(frozen=True, kw_only=True)
class ProvedOrder:
    """What a verified file shows. `answer` is the number of the supplier's last answer; None if it has not answered."""

    exporter: str
    order: str
    state: str
    rev: int
    answer: int | None
    buyer: str
    supplier: str
    currency: str
    lines: tuple[ProvedLine, ...]
    signers: tuple[ProvedSigner, ...]
