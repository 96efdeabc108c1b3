"""A producer of an instance with one product: it grants its catalogue, lends its stock and answers orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from .hub import DFC_CONTEXT, TERM, Node
from .instance import CONTEXT, Instance, Message, Peer, Refused
from .signing import prove, write_json, write_time

UNIT = "dfc-m:Piece"


@dataclass
class Lent:
    """What one hub's instance was granted of the lot, and its newest report."""

    granted: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    report: int = 0


@dataclass
class Ordered:
    """What a hub has ordered, and how many answers it has had."""

    rev: int
    state: str
    pieces: int
    price: str
    answer_number: int = 0


@dataclass
class Producer:
    """Sells crates of pears, one a piece of its lot, at the same price to each hub."""

    instance: Instance
    id: str
    on_hand: Decimal = Decimal(100)
    price: str = "12.5"
    rev: int = 1
    hubs: dict[str, Peer] = field(default_factory=dict)  # that have accepted, with their instances
    lent: dict[str, Lent] = field(default_factory=dict)  # by the peer's address
    orders: dict[str, Ordered] = field(default_factory=dict)
    statements: dict[tuple[str, int], str] = field(default_factory=dict)  # by hub and revision, as they were signed

    def __post_init__(self) -> None:
        base = f"{self.instance.base}/api/dfc"
        self.iri, self.item, self.offer = (
            f"{base}/{place}/{self.id}" for place in ("enterprises", "catalog_items", "offers")
        )
        self.product, self.lot = (f"{base}/{place}/{self.id}" for place in ("supplied_products", "stocks"))
        self.instance.handlers |= {
            "GrantAnswer": self._take_answer,
            "StateRequest": self._take_state_request,
            "LeaseRequest": self._take_lease_request,
            "LeaseReport": self._take_report,
            "OrderUpdate": self._take_order,
        }

    # -------------------------------------------------------------------------------------------- catalogue

    def grant(self, peer: Peer, hub: str) -> None:
        """Lets a hub of the peer's list and sell the pears."""
        enterprise = {
            "@id": self.iri,
            "@type": "dfc-b:Enterprise",
            "dfc-b:name": "Pear farm",
            f"{TERM}hub": hub,
            f"{TERM}currency": "EUR",
            f"{TERM}language": "en",
            f"{TERM}timezone": "Europe/Paris",
            f"{TERM}pricesIncludeVAT": "true",
            f"{TERM}resell": "false",
        }
        self.instance.send(peer, "GrantOffer", "catalogue", {"@context": DFC_CONTEXT, "@graph": [enterprise]})

    def change_price(self, price: str) -> None:
        self.price, self.rev = price, self.rev + 1
        for hub in self.hubs:
            self._tell(hub)

    def say_digest(self, hub: str) -> None:
        """Tells a hub what its copy of the catalogue must add up to, which is done once a day."""
        total = sha256(f"{self.item}|{self.rev}|{self._digest()}".encode()).hexdigest()
        digest = {"type": "StateDigest", "room": "catalogue", "name": f"{self.iri} {hub}", "digest": total}
        self.instance.send(self.hubs[hub], "StateDigest", "catalogue", digest)

    def _take_answer(self, peer: Peer, message: Message) -> None:
        hub = message["object"]["hub"]
        if message["object"]["accepted"]:
            self.hubs[hub] = peer
            self.instance.reply(peer, message, "CatalogueUpsert", self._catalogue(hub))
        else:
            self.hubs.pop(hub, None)

    def _take_state_request(self, peer: Peer, message: Message) -> None:
        for hub, home in self.hubs.items():
            if home is peer:
                self.instance.reply(peer, message, "CatalogueUpsert", self._catalogue(hub))

    def _tell(self, hub: str) -> None:
        self.instance.send(self.hubs[hub], "CatalogueUpsert", "catalogue", self._catalogue(hub))

    def _digest(self) -> str:
        """Of all that is said of the item but for the stock."""
        return sha256(write_json([self.item, self.product, self.price])).hexdigest()

    def _catalogue(self, hub: str) -> Node:
        graph: list[Node] = [
            {
                "@id": self.iri,
                "@type": "dfc-b:Enterprise",
                "dfc-b:manages": self.item,
                "dfc-b:supplies": self.product,
                f"{TERM}hub": hub,
            },
            {
                "@id": self.item,
                "@type": "dfc-b:CatalogItem",
                "dfc-b:name": "Pears, a crate",
                "dfc-b:managedBy": self.iri,
                "dfc-b:references": self.product,
                "dfc-b:offeredThrough": self.offer,
                f"{TERM}rev": str(self.rev),
                f"{TERM}digest": self._digest(),
                f"{TERM}cameThrough": f"0 {self.iri} Pear farm",
                f"{TERM}statement": self._statement(hub),
            },
            {
                "@id": self.product,
                "@type": "dfc-b:SuppliedProduct",
                "dfc-b:name": "Pears",
                "dfc-b:hasType": "dfc-pt:pear",
                "dfc-b:hasQuantity": "_:content",
                "dfc-b:suppliedBy": self.iri,
                f"{TERM}VATrate": "5.5",
                f"{TERM}takenFrom": {"@id": self.lot},
                f"{TERM}takes": "1",
            },
            {
                "@id": self.lot,
                "@type": "dfc-b:TheoriticalStock",
                "dfc-b:name": "Pears",
                "dfc-b:hasQuantity": "_:stock",
                f"{TERM}heldBy": {"@id": self.iri},
                f"{TERM}perUnit": "1",
            },
            {
                "@id": self.offer,
                "@type": "dfc-b:Offer",
                "dfc-b:offers": self.item,
                "dfc-b:hasPrice": "_:price",
                "dfc-b:offeredItem": {"@id": self.item},
            },
            {"@id": "_:content", **_quantity(Decimal(1))},
            {"@id": "_:stock", **_quantity(self.free)},
            {
                "@id": "_:price",
                "@type": "dfc-b:Price",
                "dfc-b:value": self.price,
                "dfc-b:hasUnit": "dfc-m:Euro",
                "dfc-b:VATrate": "5.5",
            },
        ]
        return {"@context": DFC_CONTEXT, "@graph": graph}

    def _statement(self, hub: str) -> str:
        """What we offer to this hub, signed apart from the message, once for each revision."""
        if (hub, self.rev) not in self.statements:
            now = self.instance.now()
            cents = int(Decimal(self.price) * 100)
            statement = {
                "@context": [CONTEXT],
                "id": f"{self.instance.base}/-/federation/statements/{len(self.statements)}",
                "type": "OfferStatement",
                "actor": self.instance.iri,
                "seller": self.iri,
                "sellerName": "Pear farm",
                "soldTo": hub,
                "item": self.item,
                "rev": self.rev,
                "product": {"dfc-b:name": ["Pears, a crate"], "dfc-b:hasQuantity": ["1 Piece"]},
                "price": cents,
                "currency": "EUR",
                "includesVat": True,
                "published": write_time(now),
            }
            self.statements[hub, self.rev] = write_json(prove(statement, self.instance.key, now)).decode()
        return self.statements[hub, self.rev]

    # -------------------------------------------------------------------------------------------- stock

    @property
    def free(self) -> Decimal:
        return self.on_hand - sum(lent.granted - lent.returned for lent in self.lent.values())

    def _take_lease_request(self, peer: Peer, message: Message) -> None:
        """Grants what is hoped for as far as it is there, or nothing where that is less than the least."""
        request = message["object"]
        if request["@id"] != self.lot:
            raise Refused(403, "not_granted", "There is no such lot.")
        if self.free < Decimal(request["least"]):
            refusal = self._lot("LeaseRefusal", self.free, reason="There is not enough.")
            self.instance.reply(peer, message, "LeaseRefusal", refusal)
            return
        lent = self.lent.setdefault(peer.document["id"], Lent())
        lent.granted += min(self.free, Decimal(request["dfc-b:hasQuantity"]["dfc-b:value"]))
        until = write_time(self.instance.now() + timedelta(days=1))
        grant = self._lot("LeaseGrant", lent.granted, leaseEpoch=1, until=until, beyond=str(self.free))
        self.instance.reply(peer, message, "LeaseGrant", grant)

    def _take_report(self, peer: Peer, message: Message) -> None:
        lent, report = self.lent[peer.document["id"]], message["object"]
        if report["report"] > lent.report:
            lent.report, lent.returned = report["report"], Decimal(report["returned"])

    def _lot(self, type: str, units: Decimal, **more: Any) -> Node:
        quantity = {**_quantity(units), "dfc-b:hasUnit": {"@id": UNIT}}
        types = ["dfc-b:TheoriticalStock", type]
        return {
            "@context": [DFC_CONTEXT, CONTEXT],
            "@id": self.lot,
            "@type": types,
            "dfc-b:hasQuantity": quantity,
            **more,
        }

    # -------------------------------------------------------------------------------------------- orders

    def _take_order(self, peer: Peer, message: Message) -> None:
        nodes = {node["@id"]: node for node in message["object"]["@graph"]}
        (order,) = (node for node in nodes.values() if node["@type"] == "dfc-b:Order")
        known, rev = self.orders.get(order["@id"]), int(order[f"{TERM}rev"])
        if known and known.rev >= rev:
            return
        lines = [node for node in nodes.values() if node["@type"] == "dfc-b:OrderLine"]
        self.orders[order["@id"]] = Ordered(
            rev,
            order["dfc-b:hasOrderStatus"].removeprefix("dfc-v:"),
            sum(int(line["dfc-b:quantity"]) for line in lines),
            nodes[lines[0]["dfc-b:hasPrice"]]["dfc-b:value"] if lines else "",
            known.answer_number if known else 0,
        )

    def answer(self, peer: Peer, iri: str, pieces: int) -> None:
        """Says how many pieces of an order will come."""
        order = self.orders[iri]
        order.answer_number += 1
        line = f"{iri}/answers/1"
        graph: list[Node] = [
            {
                "@id": iri,
                "@type": "dfc-b:Order",
                "dfc-b:hasPart": line,
                f"{TERM}rev": str(order.rev),
                f"{TERM}answerNumber": str(order.answer_number),
            },
            {
                "@id": line,
                "@type": "dfc-b:OrderLine",
                "dfc-b:partOf": iri,
                "dfc-b:quantity": str(pieces),
                "dfc-b:hasQuantity": "_:pieces",
                f"{TERM}item": {"@id": self.item},
                f"{TERM}reason": "Hail.",
                f"{TERM}answer": "confirmed" if pieces == order.pieces else "shortened" if pieces else "refused",
            },
            {"@id": "_:pieces", **_quantity(Decimal(pieces))},
        ]
        self.instance.send(peer, "OrderAnswer", "order", {"@context": DFC_CONTEXT, "@graph": graph})


def _quantity(value: Decimal) -> Node:
    return {"@type": "dfc-b:QuantitativeValue", "dfc-b:hasUnit": UNIT, "dfc-b:value": str(value)}
