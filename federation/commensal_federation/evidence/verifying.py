"""Verifies an evidence file from its bytes alone: no instance, no database, no network.

What the file cannot show by itself is whose the root keys are; `ProvedSigner.fingerprint` is for comparing that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from ..identity import InstanceDocument, fingerprint_of, read_document
from ..identity.read import BadDocument
from ..messages.envelope import CONTEXT, INSIDE, read_envelope
from ..messages.members import moment, number, text
from ..messages.offer_statement import OfferStatement, name_of, read_statement
from ..messages.order_answer import ORDER_ANSWER, OrderAnswer
from ..messages.order_update import ORDER_UPDATE, OrderUpdate, UpdateLine
from ..messages.types import MessageType, Reading
from ..peers.peers import WELL_KNOWN
from ..provenance.signers import Bound
from ..signing import BadProof, JsonObject, Unreadable, read_json, verify
from .writing import LARGEST, BadEvidence, ProvedLine, ProvedOrder, ProvedSigner

_TEXT = 1024 * 1024  # characters of a signed text
_BOUNDS: Mapping[str, Bound] = {bound: bound for bound in get_args(Bound)}


def verify_evidence(body: bytes) -> ProvedOrder:
    """Returns what the file proves. Raises `BadEvidence`, which names the part that is altered or missing."""
    try:
        document = read_json(body, LARGEST)
    except Unreadable as error:
        raise BadEvidence("the file", f"it is cut off, or no evidence file: {error.text}") from error
    if document.get("type") != "OrderEvidence":
        raise BadEvidence("the file", "it is not an OrderEvidence")
    try:
        reader = _Reader(document)
        order = reader.order()
        answer = reader.answer(order)
        lines = tuple(reader.line(line, order, answer) for line in order.lines)
        reader.refuse_other_seal()
    except Unreadable as error:  # of a part that its signer has filled with something else
        raise BadEvidence("the file", error.text) from error
    return ProvedOrder(
        exporter=str(document["actor"]),
        order=order.iri,
        state=order.state,
        rev=order.rev,
        answer=None if answer is None else answer.answer,
        buyer=order.buyer,
        supplier=order.supplier,
        currency=order.currency,
        lines=lines,
        signers=tuple(reader.shown_signers()),
    )


@dataclass(frozen=True)
class _Signer:
    document: InstanceDocument
    shown: ProvedSigner


class _Reader:
    """Verifies a file part by part: documents of signers first, then what they have signed."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self._signers = {
            (signer.shown.iri, version): signer for signer, version in map(_signer, self._parts("signers"))
        }
        self._messages = dict(self._read_messages())
        self._statements = dict(self._read_statements())
        self._named = {text(line, "item"): text(line, "statement") for line in self._parts("lines")}

    def order(self) -> OrderUpdate:
        """The buyer's newest message about the order."""
        object, actor = self._message(ORDER_UPDATE)
        update: OrderUpdate = ORDER_UPDATE.read(object, Reading("", ""))
        if update.iri != self._document.get("order"):
            raise BadEvidence("the buyer's order", "it is another order than the one that the file is about")
        _refuse_other_host("the buyer's order", actor, update.buyer)
        return update

    def answer(self, order: OrderUpdate) -> OrderAnswer | None:
        """The supplier's newest message about the order; None if it has not answered."""
        if ORDER_ANSWER.name not in self._messages:
            return None
        object, actor = self._message(ORDER_ANSWER)
        answer: OrderAnswer = ORDER_ANSWER.read(object, Reading("", ""))
        if answer.iri != order.iri:
            raise BadEvidence("the supplier's answer", "it is about another order")
        _refuse_other_host("the supplier's answer", actor, order.supplier)
        return answer

    def line(self, line: UpdateLine, order: OrderUpdate, answer: OrderAnswer | None) -> ProvedLine:
        """A line of the order, with the statements of the supplier and of the producer."""
        answered = {entry.item_iri: entry.confirmed for entry in answer.lines} if answer is not None else {}
        statement = self._statement_of(line, order)
        producer = self._producer_of(line, statement)
        return ProvedLine(
            item=line.item_iri,
            name=line.name,
            ordered=line.quantity,
            confirmed=answered.get(line.item_iri),
            price=line.price,
            stated=statement is not None,
            producer=producer.seller if producer else "",
            producer_name=producer.seller_name if producer else "",
            producer_price=producer.price if producer else None,
            producer_currency=producer.currency if producer else "",
        )

    def shown_signers(self) -> Iterator[ProvedSigner]:
        """Each instance once for each root key and way in which it was known."""
        yield from dict.fromkeys(self._signers[key].shown for key in sorted(self._signers))

    def refuse_other_seal(self) -> None:
        """The exporter has signed the whole file, so nothing of it can be left out or changed."""
        part = "the seal of the exporter"
        try:
            actor, at = text(self._document, "actor"), moment(self._document, "published")
        except Unreadable as error:
            raise BadEvidence(part, error.text) from error
        versions = {version: signer for (iri, version), signer in self._signers.items() if iri == actor}
        if not versions:
            raise BadEvidence(part, f"the keys of {actor} are missing")
        _verify(part, self._document, versions[max(versions)].document, at)

    def _read_messages(self) -> Iterator[tuple[str, tuple[Mapping[str, object], str]]]:
        for number_in_file, entry in enumerate(self._parts("messages"), 1):
            part = f"message {number_in_file}"
            document, at = self._signed(part, entry)
            try:
                envelope = read_envelope(document, b"")
            except Unreadable as error:
                raise BadEvidence(part, error.text) from error
            _verify(f"{part} ({envelope.type})", document, self._signer(part, envelope.actor, entry), at)
            yield envelope.type, (envelope.object, envelope.actor)

    def _read_statements(self) -> Iterator[tuple[str, OfferStatement]]:
        for entry in self._parts("statements"):
            part = f"statement {str(entry.get('name'))[:100]}"
            document, at = self._signed(part, entry)
            signed = str(entry["text"])
            if name_of(signed) != entry.get("name"):
                raise BadEvidence(part, "its text is not the one of that name: it was altered")
            try:
                content, _ = read_statement(signed)
            except Unreadable as error:
                raise BadEvidence(part, error.text) from error
            _refuse_other_host(part, content.actor, content.seller)
            _verify(part, document, self._signer(part, content.actor, entry), at)
            yield name_of(signed), content

    def _statement_of(self, line: UpdateLine, order: OrderUpdate) -> OfferStatement | None:
        """The supplier's statement of a line; None where the supplier's instance signs none."""
        name = self._named.get(line.item_iri, "")
        if not name:
            return None
        part = f"the line {line.name} ({line.item_iri})"
        statement = self._statements.get(name)
        if statement is None:
            raise BadEvidence(part, f"its statement {name} is missing")
        shown = (statement.seller, statement.sold_to, statement.item, statement.price, statement.currency)
        if shown != (order.supplier, order.buyer, line.item_iri, line.price, order.currency):
            raise BadEvidence(part, f"its statement {name} is of another offer")
        if statement.rev > line.rev:
            raise BadEvidence(part, f"its statement {name} is of a later revision than was ordered")
        return statement

    def _producer_of(self, line: UpdateLine, statement: OfferStatement | None) -> OfferStatement | None:
        if statement is None or not statement.origin:
            return statement
        producer = self._statements.get(statement.origin)
        part = f"the line {line.name} ({line.item_iri})"
        if producer is None:
            raise BadEvidence(part, f"the producer's statement {statement.origin} is missing")
        if producer.origin or _differ(producer, statement):
            raise BadEvidence(part, f"the producer's statement {statement.origin} is of other goods")
        return producer

    def _message(self, type: MessageType) -> tuple[Mapping[str, object], str]:
        if type.name not in self._messages:
            raise BadEvidence("the file", f"it has no {type.name}")
        return self._messages[type.name]

    def _signer(self, part: str, actor: str, entry: Mapping[str, object]) -> InstanceDocument:
        signer = self._signers.get((actor, number(entry, "keyVersion")))
        if signer is None:
            raise BadEvidence(part, f"the keys of {actor} by which it was verified are missing")
        return signer.document

    def _signed(self, part: str, entry: Mapping[str, object]) -> tuple[dict[str, object], datetime]:
        try:
            return read_json(text(entry, "text", _TEXT).encode(), _TEXT), moment(entry, "verifiedAt")
        except Unreadable as error:
            raise BadEvidence(part, f"it cannot be read: {error.text}") from error

    def _parts(self, name: str) -> list[Mapping[str, object]]:
        entries = self._document.get(name)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BadEvidence("the file", f"{name} must be a list of objects")
        return entries


def _signer(entry: Mapping[str, object]) -> tuple[_Signer, int]:
    """The document of an instance, valid when it was kept: its root key has signed its keys."""
    part = f"the keys of {str(entry.get('instance'))[:200]}"
    try:
        iri, version, bound = text(entry, "instance"), number(entry, "keyVersion"), _BOUNDS.get(text(entry, "bound"))
        document = read_document(text(entry, "document", _TEXT).encode(), iri, moment(entry, "verifiedAt"))
    except (Unreadable, BadDocument) as error:
        raise BadEvidence(part, error.text) from error
    fingerprint = fingerprint_of(iri, document.root.multikey)
    if bound is None or document.version != version:
        raise BadEvidence(part, "it is not said of which version they are, or how they were known")
    if entry.get("fingerprint") != fingerprint:
        raise BadEvidence(part, "their fingerprint is another one than the file says")
    return _Signer(document, ProvedSigner(iri=iri, fingerprint=fingerprint, bound=bound)), version


def _verify(part: str, document: JsonObject, signer: InstanceDocument, at: datetime) -> None:
    try:
        verify(document, signer.keys, at, context=CONTEXT, inside=INSIDE)
    except (BadProof, Unreadable) as error:
        raise BadEvidence(part, f"it is not what {signer.iri} has signed: {error.text}") from error


def _differ(producer: OfferStatement, seller: OfferStatement) -> bool:
    """Whether two statements are about different products. A seller may give goods another name."""
    shared = producer.facts.keys() & seller.facts.keys() - {"dfc-b:name"}
    return any(list(producer.facts[name]) != list(seller.facts[name]) for name in shared)


def _refuse_other_host(part: str, actor: str, enterprise: str) -> None:
    """An instance speaks for enterprises of its own host only."""
    if not enterprise.startswith(actor.removesuffix(WELL_KNOWN) + "/"):
        raise BadEvidence(part, f"{actor} does not speak for {enterprise}")
