"""Verifies the statements of an offer that a peer has sent: its own, and the producer's where that is another.

Each check is a function of its own (`_refuse_…`), so that a test can take it away and see the lie succeed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from commensal import Transaction

from ..dfc.described import facts_of
from ..dfc.iris import local_id
from ..identity import current_key
from ..messages.catalogue import OfferedItem
from ..messages.envelope import CONTEXT
from ..messages.offer_statement import Facts, OfferStatement, name_of, read_statement, write_statement
from ..peers.peers import WELL_KNOWN, Peer
from ..runtime import Federation
from ..signing import BadProof, SigningKey, Unreadable, verify
from .signers import KeysMissing, NotProved, Signer, VerifiedStatement, own_signer, signer_of, statements_by_name


@dataclass(frozen=True)
class OfferCheck:
    """Checks the offers of one message of `peer`, by which `grantor` sells to `hub` (IRIs)."""

    federation: Federation
    tx: Transaction
    peer: Peer
    grantor: str
    hub: str

    def verified(self, offered: OfferedItem, known: str) -> list[VerifiedStatement]:
        """Returns the statements of this offer, the seller's first; none where an older instance sends none.

        `known` names the statement of the item's last revision here, if there was one. Raises `NotProved` for an offer
        that contradicts its statements, and `KeysMissing` where the producer's instance has to be asked first.
        """
        _refuse_other_seller(offered, self.grantor)
        statements = list(self._statements(offered))
        self._refuse_older(offered, statements, known)
        return statements

    def _statements(self, offered: OfferedItem) -> Iterator[VerifiedStatement]:
        if not offered.statement:
            if offered.origin:
                raise NotProved("it has the producer's statement, and none of its seller")
            return
        own = self._prove(offered.statement)
        if own.content.actor != self.peer.iri:
            raise NotProved("its seller's statement is signed by another instance")
        _refuse_other_offer(offered, own.content, self.hub)
        if own.content.origin != (name_of(offered.origin) if offered.origin else ""):
            raise NotProved("its seller's statement is based on another statement than the one beside it")
        yield own
        if offered.origin:
            origin = self._prove(offered.origin)
            _refuse_other_origin(offered, origin.content)
            yield origin

    def _prove(self, signed: str) -> VerifiedStatement:
        """Verifies a statement by keys that this instance knows itself."""
        try:
            content, document = read_statement(signed)
        except Unreadable as error:
            raise NotProved(f"a statement cannot be read: {error.text}") from error
        _refuse_foreign_seller(content)
        signer = signer_of(self.federation, self.tx, content.actor)
        if signer is None:
            raise KeysMissing(content.actor)
        try:
            verify(document, signer.keys, self.tx.now, context=CONTEXT)
        except BadProof as error:
            if error.code == "unknown_key" and content.actor != self.peer.iri:
                raise KeysMissing(content.actor) from error
            raise NotProved(f"the statement of {content.seller} is not its own: {error.text}") from error
        return VerifiedStatement(signed, content, signer)

    def _refuse_older(self, offered: OfferedItem, statements: list[VerifiedStatement], known: str) -> None:
        """What was proved once is not believed without proof, nor by an older statement of the producer."""
        before = statements_by_name(self.tx, [known])
        last = before.get(known)
        origin = before.get(last["origin"]) if last is not None else None
        if origin is None or len(offered.provenance) == 1:
            return
        if len(statements) < 2:
            raise NotProved("it was proved by the producer's statement before, and comes without one now")
        content = statements[1].content
        if content.item == origin["item_iri"] and content.rev < origin["rev"]:
            raise NotProved(f"the producer's statement is of revision {content.rev}, after {origin['rev']}")


def _refuse_other_seller(offered: OfferedItem, grantor: str) -> None:
    """The last hand that goods came through is the one that sells them now."""
    if offered.provenance[-1].iri != grantor:
        raise NotProved("the last enterprise that it came through is not its seller")


def _refuse_foreign_seller(content: OfferStatement) -> None:
    """An instance speaks for enterprises and items of its own host only."""
    base = content.actor.removesuffix(WELL_KNOWN)
    is_own = local_id(base, content.seller, "enterprises") and local_id(base, content.item, "catalog_items")
    if base == content.actor or not is_own:
        raise NotProved(f"a statement of {content.actor} is about an enterprise of another instance")


def _refuse_other_offer(offered: OfferedItem, content: OfferStatement, hub: str) -> None:
    """The seller's statement says what its message says."""
    price = offered.offer.price
    assert price is not None
    pairs = {
        "seller": (content.seller, offered.provenance[-1].iri),
        "name of the seller": (content.seller_name, offered.provenance[-1].name),
        "buyer": (content.sold_to, hub),
        "item": (content.item, offered.item.iri),
        "revision": (content.rev, offered.rev),
        "price": ((content.price, content.currency), (price.amount, price.currency)),
        **_facts(content, offered, offered.item.name or offered.product.name),
    }
    _refuse_difference("its seller's statement", pairs)


def _refuse_other_origin(offered: OfferedItem, content: OfferStatement) -> None:
    """The producer's statement names the first two enterprises that goods came through, and the same product."""
    if len(offered.provenance) == 1:
        raise NotProved("it has another producer's statement, and says that its seller is the producer")
    if content.origin:
        raise NotProved("the statement that it is based on is not the producer's")
    producer, buyer = offered.provenance[:2]
    pairs = {
        "producer": (content.seller, producer.iri),
        "name of the producer": (content.seller_name, producer.name),
        "buyer": (content.sold_to, buyer.iri),
        **_facts(content, offered, offered.product.name),
    }
    _refuse_difference("the producer's statement", pairs)


def _facts(content: OfferStatement, offered: OfferedItem, name: str) -> dict[str, tuple[object, object]]:
    """Pairs of what the statement says of the product and what the offer says. What only we know does not differ."""
    shown: Facts = facts_of(offered.product, name)
    return {
        property.replace("#", ":").rpartition(":")[2]: (list(content.facts[property]), list(shown[property]))
        for property in shown
        if property in content.facts
    }


def _refuse_difference(whose: str, pairs: dict[str, tuple[object, object]]) -> None:
    for what, (stated, shown) in pairs.items():
        if stated != shown:
            raise NotProved(f"{whose} says another {what}: {stated}, not {shown}"[:400])


# Signs what an enterprise of ours offers to one hub.


@dataclass(frozen=True)
class Offering:
    """Signs the offers of one grant: `seller` is ours, `sold_to` the hub's IRI, `label` the grant's id."""

    federation: Federation
    tx: Transaction
    label: str
    seller: str
    seller_name: str
    sold_to: str
    includes_vat: bool
    key: SigningKey
    signer: Signer

    @classmethod
    def begin(
        cls,
        federation: Federation,
        tx: Transaction,
        *,
        label: str,
        seller: str,
        seller_name: str,
        sold_to: str,
        includes_vat: bool,
    ) -> Offering:
        """Reads the key in use, once for all offers. Raises `Conflict` if this instance has none."""
        key, signer = current_key(federation, tx), own_signer(federation, tx)
        return cls(federation, tx, label, seller, seller_name, sold_to, includes_vat, key, signer)

    def sign(self, offered: OfferedItem) -> VerifiedStatement:
        """Returns the statement of this item in its revision, based on the producer's statement that it carries."""
        price = offered.offer.price
        assert price is not None
        content = OfferStatement(
            id=f"{self.federation.base}/-/federation/statements/{self.label}.{self.tx.new_id()}",
            actor=self.federation.iri,
            seller=self.seller,
            seller_name=self.seller_name,
            sold_to=self.sold_to,
            item=offered.item.iri,
            rev=offered.rev,
            facts=facts_of(offered.product, offered.item.name or offered.product.name),
            price=price.amount,
            currency=price.currency,
            includes_vat=self.includes_vat,
            origin=name_of(offered.origin) if offered.origin else "",
            published=self.tx.now,
        )
        return VerifiedStatement(write_statement(content, self.key), content, self.signer)
