"""OfferStatement: what an enterprise offers to one hub, signed by its instance apart from any message.

    {"@context": ["https://commensal.example/ns/federation/v1"],
     "id": "https://farm.example/-/federation/statements/5.4.3", "type": "OfferStatement",
     "actor": "https://farm.example/.well-known/commensal",
     "seller": "https://farm.example/api/dfc/enterprises/1", "sellerName": "The farm",
     "soldTo": "https://hub.example/api/dfc/enterprises/2",
     "item": "https://farm.example/api/dfc/catalog_items/4", "rev": 3,
     "product": {"dfc-b:name": ["Apples"], "dfc-b:hasQuantity": ["5 Kilogram"], …},
     "price": 1250, "currency": "EUR", "includesVat": true, "origin": "zQm…",
     "published": "2026-06-04T10:00:00Z", "proof": {…eddsa-jcs-2022…}}

A message carries it as a text, so it can be kept with an order, passed on, and shown to anybody. Of goods that come
through others, `origin` is the multihash of the producer's own statement, which travels beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..signing import JsonObject, SigningKey, Unreadable, canonical, read_json, sign
from ..signing.profile import write_moment
from .envelope import CONTEXT, multihash
from .members import flag, moment, number, text, texts

LARGEST = 8 * 1024  # bytes
_MOST_FACTS = 40  # properties of a product
_LONGEST_FACT = 500  # characters

Facts = Mapping[str, Sequence[str]]  # what is said of a product: texts by DFC property


@dataclass(frozen=True, kw_only=True)
class OfferStatement:
    """The content of a statement.

    actor:        the instance that signed it, by the IRI of its document
    sold_to:      the hub that the offer is for
    item, rev:    the seller's item, and the revision of it for this hub
    facts:        the name, size, labels … of the product; see `dfc.described.facts_of`
    price:        of one piece, in minor units of `currency` (ISO 4217), with VAT where `includes_vat`
    origin:       the multihash of the producer's statement; empty where the seller is the producer, or has none
    """

    id: str
    actor: str
    seller: str
    seller_name: str
    sold_to: str
    item: str
    rev: int
    facts: Facts
    price: int
    currency: str
    includes_vat: bool
    origin: str
    published: datetime


def write_statement(statement: OfferStatement, key: SigningKey) -> str:
    """Returns the signed statement as canonical JSON. Raises `Unreadable` if it is too large."""
    document = {
        "@context": CONTEXT,
        "id": statement.id,
        "type": "OfferStatement",
        "actor": statement.actor,
        "seller": statement.seller,
        "sellerName": statement.seller_name,
        "soldTo": statement.sold_to,
        "item": statement.item,
        "rev": statement.rev,
        "product": {property: list(values) for property, values in statement.facts.items()},
        "price": statement.price,
        "currency": statement.currency,
        "includesVat": statement.includes_vat,
        **({"origin": statement.origin} if statement.origin else {}),
        "published": write_moment(statement.published),
    }
    signed = canonical(sign(document, key, statement.published))
    if len(signed) > LARGEST:
        raise Unreadable("too_large", f"a statement has at most {LARGEST} bytes")
    return signed.decode()


def read_statement(signed: str) -> tuple[OfferStatement, dict[str, Any]]:
    """Returns the content of a statement, and its document. Whether it is true, its proof must show.

    Raises `Unreadable`.
    """
    document = read_json(signed.encode(), LARGEST)
    if document.get("type") != "OfferStatement":
        raise Unreadable("statement", "this is not an OfferStatement")
    statement = OfferStatement(
        id=text(document, "id"),
        actor=text(document, "actor"),
        seller=text(document, "seller"),
        seller_name=text(document, "sellerName", least=0),
        sold_to=text(document, "soldTo"),
        item=text(document, "item"),
        rev=number(document, "rev"),
        facts=_facts(document),
        price=number(document, "price"),
        currency=text(document, "currency", 3, least=3),
        includes_vat=flag(document, "includesVat"),
        origin=text(document, "origin", 100) if "origin" in document else "",
        published=moment(document, "published"),
    )
    return statement, document


def name_of(signed: str) -> str:
    """The name of a statement by its bytes: their multihash, as for messages."""
    return multihash(signed.encode())


def _facts(document: JsonObject) -> Facts:
    facts = document.get("product")
    if not isinstance(facts, dict) or len(facts) > _MOST_FACTS:
        raise Unreadable("product", f"product must have at most {_MOST_FACTS} properties")
    values = {property: texts(facts, property) for property in facts}
    if any(len(value) > _LONGEST_FACT for entries in values.values() for value in entries):
        raise Unreadable("product", f"a value of product has at most {_LONGEST_FACT} characters")
    return values
