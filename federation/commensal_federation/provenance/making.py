"""Signs what an enterprise of ours offers to one hub."""

from __future__ import annotations

from dataclasses import dataclass

from commensal import Transaction

from ..dfc.described import facts_of
from ..identity import current_key
from ..messages.catalogue import OfferedItem
from ..messages.offer_statement import OfferStatement, name_of, write_statement
from ..runtime import Federation
from ..signing import SigningKey
from .signers import Signer, VerifiedStatement, own_signer


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
