"""A hub of an instance: it follows catalogues, leases stock, orders, and follows producers that move."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from .instance import CONTEXT, ROOM, Instance, Message, Peer, Refused
from .signing import check_proof, write_time

DFC_CONTEXT = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"
TERM = f"{CONTEXT}#"  # of a member that DFC does not define, in a DFC graph
Node = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """What a producer offers. `takes` is in units of the lot, for one piece. Of what was withdrawn, only `rev`."""

    iri: str
    rev: int
    digest: str = ""
    name: str = ""
    offer: str = ""
    price: str = ""
    currency_unit: str = ""
    lot: str = ""
    unit: str = ""
    takes: Decimal = Decimal(0)
    statement: str = ""  # as the seller's instance signed it


@dataclass
class Lease:
    """Units of a lot that the hub may sell, as counts since the epoch began."""

    lot: str
    unit: str
    epoch: int = 1
    granted: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    report: int = 0


@dataclass
class Order:
    """What the hub orders of a producer in one sale, by items' addresses; and what the producer answers."""

    iri: str
    session: str
    rev: int = 0
    state: str = "Held"
    pieces: dict[str, int] = field(default_factory=dict)
    answers: dict[str, tuple[str, int]] = field(default_factory=dict)  # ("shortened", 3)
    answer_number: int = 0


@dataclass
class Grant:
    """What a producer lets the hub sell. `home` is the instance that speaks for the producer."""

    producer: str
    home: str
    currency: str
    accepted: bool = False
    authority_epoch: int = 1
    items: dict[str, Item] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    order: Order | None = None

    def offered(self) -> list[Item]:
        """The items that are not withdrawn."""
        return [item for item in self.items.values() if item.offer]


class Hub:
    def __init__(self, instance: Instance, id: str) -> None:
        self.instance, self.iri = instance, f"{instance.base}/api/dfc/enterprises/{id}"
        self.grants: dict[str, Grant] = {}  # by the producer's address
        self.moves: dict[str, Node] = {}  # of producers of which we have heard that they move
        instance.handlers |= {
            "GrantOffer": self._take_offer,
            "GrantEnd": self._take_end,
            "CatalogueUpsert": self._take_items,
            "CatalogueWithdraw": self._take_withdrawals,
            "LeaseGrant": self._take_lease,
            "LeaseRecall": self._take_recall,
            "LeaseForced": self._take_forced,
            "OrderAnswer": self._take_answer,
            "StateDigest": self._take_digest,
            "Move": self._take_move,
        }

    # -------------------------------------------------------------------------------------------- catalogue

    def accept(self, grant: Grant) -> None:
        answer = {"type": "GrantAnswer", "grantor": grant.producer, "hub": self.iri, "accepted": True}
        self._send(grant, "GrantAnswer", "catalogue", answer)
        grant.accepted = True

    def _take_offer(self, peer: Peer, message: Message) -> None:
        (enterprise,) = message["object"]["@graph"]
        if enterprise[f"{TERM}hub"] != self.iri:
            raise Refused(422, "hub", "There is no such hub here.")
        iri = enterprise["@id"]
        self.grants.setdefault(iri, Grant(iri, peer.document["id"], enterprise[f"{TERM}currency"]))

    def _take_end(self, peer: Peer, message: Message) -> None:
        self._grant_of(peer, message["object"]["grantor"]).accepted = False

    def _take_items(self, peer: Peer, message: Message) -> None:
        nodes = {node["@id"]: node for node in message["object"]["@graph"]}
        for node in nodes.values():
            if node["@type"] == "dfc-b:CatalogItem":
                grant = self._grant_of(peer, node["dfc-b:managedBy"])
                if not peer.has(node["@id"]):
                    raise Refused(403, "item", "This item is not yours to speak of.")
                item = _read_item(nodes, node)
                if item.statement:
                    self._check_statement(peer, grant, item)
                _keep(grant, item)

    def _check_statement(self, peer: Peer, grant: Grant, item: Item) -> None:
        """The seller's statement is signed by its instance, and says what its message says."""
        statement = json.loads(item.statement)
        check_proof(statement, peer.keys)
        values = [statement[name] for name in ("actor", "seller", "soldTo", "item", "rev", "price", "currency")]
        cents = int(Decimal(item.price) * 100)
        if values != [peer.document["id"], grant.producer, self.iri, item.iri, item.rev, cents, grant.currency]:
            raise Refused(422, "statement", "The statement of this item is not about it.")

    def _take_withdrawals(self, peer: Peer, message: Message) -> None:
        grant = self._grant_of(peer, message["object"]["grantor"])
        for withdrawn in message["object"]["items"]:
            _keep(grant, Item(withdrawn["id"], withdrawn["rev"]))

    def _take_digest(self, peer: Peer, message: Message) -> None:
        """Asks for everything once more where the producer's sum is another than ours."""
        name = message["object"]["name"]
        grant = self._grant_of(peer, name.split()[0])
        if message["object"]["digest"] != self.digest(grant):
            request = {"type": "StateRequest", "room": "catalogue", "name": name}
            self._send(grant, "StateRequest", "catalogue", request)

    def digest(self, grant: Grant) -> str:
        """The XOR of the hashes of all items that are not withdrawn."""
        total = 0
        for item in grant.offered():
            total ^= int.from_bytes(sha256(f"{item.iri}|{item.rev}|{item.digest}".encode()).digest())
        return f"{total:064x}"

    # -------------------------------------------------------------------------------------------- stock

    def lease(self, grant: Grant, item: Item, pieces: int) -> Decimal:
        """Asks for units for so many pieces that a customer waits for. Returns what was granted, perhaps nothing."""
        lease = grant.leases.setdefault(item.lot, Lease(item.lot, item.unit))
        before, units = lease.granted, pieces * item.takes
        request = self._lot(lease, "LeaseRequest", units, least=str(units), ordered=str(self._ordered(grant, lease)))
        expires = self.instance.now() + timedelta(minutes=1)
        self.instance.ask(self._home(grant), "LeaseRequest", "order", request, expires=expires)
        return lease.granted - before

    def report(self, grant: Grant, lease: Lease) -> None:
        """Tells the producer what we hold, have sold and give back."""
        lease.report += 1
        held = lease.granted - lease.returned - lease.sold
        report = self._lot(
            lease,
            "LeaseReport",
            held,
            leaseEpoch=lease.epoch,
            report=lease.report,
            seen=str(lease.granted),
            returned=str(lease.returned),
            sold=str(lease.sold),
            ordered=str(self._ordered(grant, lease)),
        )
        self._send(grant, "LeaseReport", "order", report)

    def hand_over(self, grant: Grant, item: Item, pieces: int) -> None:
        """So many pieces have gone to customers."""
        lease = grant.leases[item.lot]
        lease.sold += pieces * item.takes
        self.report(grant, lease)

    def give_back(self, grant: Grant, lease: Lease, most: Decimal | None = None) -> None:
        """Returns what nobody has ordered: all of it, or no more than `most`. Reports in any case."""
        idle = max(Decimal(0), lease.granted - lease.returned - lease.sold - self._ordered(grant, lease))
        lease.returned += idle if most is None else min(idle, most)
        self.report(grant, lease)

    def _take_lease(self, peer: Peer, message: Message) -> None:
        lot = message["object"]
        for grant in self.grants.values():
            lease = grant.leases.get(lot["@id"])
            if lease and grant.home == peer.document["id"] and lease.epoch == lot["leaseEpoch"]:
                lease.granted = max(lease.granted, _quantity(lot))

    def _take_recall(self, peer: Peer, message: Message) -> None:
        for grant in self.grants.values():
            lease = grant.leases.get(message["object"]["@id"])
            if lease and grant.home == peer.document["id"]:
                self.give_back(grant, lease, _quantity(message["object"]))

    def _take_forced(self, peer: Peer, message: Message) -> None:
        lot, epoch = message["object"]["@id"], message["object"]["leaseEpoch"]
        for grant in self.grants.values():
            lease = grant.leases.get(lot)
            if lease and grant.home == peer.document["id"] and epoch > lease.epoch:
                grant.leases[lot] = Lease(lot, lease.unit, epoch=epoch)

    def _ordered(self, grant: Grant, lease: Lease) -> Decimal:
        pieces = grant.order.pieces if grant.order else {}
        items = [item for item in grant.items.values() if item.lot == lease.lot]
        return sum((item.takes * pieces.get(item.iri, 0) for item in items), Decimal(0)) - lease.sold

    def _lot(self, lease: Lease, type: str, units: Decimal, **more: Any) -> Node:
        quantity = {"@type": "dfc-b:QuantitativeValue", "dfc-b:hasUnit": {"@id": lease.unit}, "dfc-b:value": str(units)}
        types = ["dfc-b:TheoriticalStock", type]
        return {
            "@context": [DFC_CONTEXT, CONTEXT],
            "@id": lease.lot,
            "@type": types,
            "dfc-b:hasQuantity": quantity,
            **more,
        }

    # -------------------------------------------------------------------------------------------- orders

    def order(self, grant: Grant, pieces: dict[str, int], state: str = "Held") -> Order:
        """Says the whole order as it is now; 0 pieces leave an item out."""
        if grant.order is None:
            base, id = f"{self.instance.base}/api/dfc", secrets.token_hex(8)
            grant.order = Order(f"{base}/orders/{id}", f"{base}/sale_sessions/{id}")
        grant.order.pieces = {item: count for item, count in pieces.items() if count}
        grant.order.state = state
        grant.order.rev += 1
        self._send(grant, "OrderUpdate", "order", self._order_document(grant, grant.order))
        return grant.order

    def _take_answer(self, peer: Peer, message: Message) -> None:
        nodes = {node["@id"]: node for node in message["object"]["@graph"]}
        (answer,) = (node for node in nodes.values() if node["@type"] == "dfc-b:Order")
        (grant,) = (grant for grant in self.grants.values() if grant.order and grant.order.iri == answer["@id"])
        number = int(answer[f"{TERM}answerNumber"])
        assert grant.order is not None
        if grant.home == peer.document["id"] and number > grant.order.answer_number:
            lines = [node for node in nodes.values() if node["@type"] == "dfc-b:OrderLine"]
            grant.order.answer_number = number
            grant.order.answers = {
                line[f"{TERM}item"]["@id"]: (line[f"{TERM}answer"], int(line["dfc-b:quantity"])) for line in lines
            }

    def accept_answer(self, grant: Grant) -> None:
        """Orders no more than will come, and gives the units of the rest back."""
        assert grant.order is not None
        coming = {item: count for item, (_, count) in grant.order.answers.items()}
        pieces = {item: min(count, coming.get(item, count)) for item, count in grant.order.pieces.items()}
        self.order(grant, pieces, grant.order.state)
        for lease in grant.leases.values():
            self.give_back(grant, lease)

    def _order_document(self, grant: Grant, order: Order) -> Node:
        session = {
            "@id": order.session,
            "@type": "dfc-b:SaleSession",
            "dfc-b:name": "Thursday",
            "dfc-b:holds": order.iri,
            "dfc-b:endDate": write_time(self.instance.now() + timedelta(days=1)),
            f"{TERM}distribution": write_time(self.instance.now() + timedelta(days=2)),
        }
        parts, graph = [], list[Node]()
        for position, (iri, count) in enumerate(order.pieces.items(), 1):
            item, line = grant.items[iri], f"{order.iri}/lines/{position}"
            quantity, price = f"_:quantity{position}", f"_:price{position}"
            parts.append(line)
            graph += [
                {
                    "@id": line,
                    "@type": "dfc-b:OrderLine",
                    "dfc-b:partOf": order.iri,
                    "dfc-b:concerns": item.offer,
                    "dfc-b:quantity": str(count),
                    "dfc-b:hasQuantity": quantity,
                    "dfc-b:hasPrice": price,
                    f"{TERM}name": item.name,
                    f"{TERM}rev": str(item.rev),
                },
                {
                    "@id": item.offer,
                    "@type": "dfc-b:Offer",
                    "dfc-b:offers": iri,
                    "dfc-b:concernedBy": line,
                    "dfc-b:offeredItem": {"@id": iri},
                },
                {
                    "@id": quantity,
                    "@type": "dfc-b:QuantitativeValue",
                    "dfc-b:hasUnit": "dfc-m:Piece",
                    "dfc-b:value": str(count),
                },
                {"@id": price, "@type": "dfc-b:Price", "dfc-b:hasUnit": item.currency_unit, "dfc-b:value": item.price},
            ]
        head = {
            "@id": order.iri,
            "@type": "dfc-b:Order",
            "dfc-b:belongsTo": order.session,
            "dfc-b:orderedBy": self.iri,
            "dfc-b:soldBy": grant.producer,
            "dfc-b:hasOrderStatus": f"dfc-v:{order.state}",
            "dfc-b:hasPart": parts,
            f"{TERM}currency": grant.currency,
            f"{TERM}rev": str(order.rev),
        }
        return {"@context": DFC_CONTEXT, "@graph": [head, session, *graph]}

    # -------------------------------------------------------------------------------------------- moving

    def _take_move(self, peer: Peer, message: Message) -> None:
        """Notes where the producer has gone; `follow` asks both homes."""
        grant = self._grant_of(peer, message["object"]["enterprise"])
        if message["object"]["authorityEpoch"] <= grant.authority_epoch:
            raise Refused(409, "old_epoch", "We know of this or of a later move.")
        self.moves[grant.producer] = message["object"]

    def follow(self, move: Node) -> Grant:
        """Deals with the new home from now on, if both homes agree that the producer has moved there."""
        old, new, epoch = move["enterprise"], move["movedTo"], move["authorityEpoch"]
        (home,) = (peer for peer in self.instance.peers.values() if peer.has(new))
        grant = self.grants[old]
        before, after = self._authority(self._home(grant), old), self._authority(home, new)
        if (before["movedTo"], before["authorityEpoch"]) != (new, epoch):
            raise Refused(403, "old_home", "The old home says nothing of this move.")
        if old not in after["alsoKnownAs"] or after["authorityEpoch"] != epoch:
            raise Refused(403, "new_home", "The new home says nothing of this move.")
        del self.grants[old]
        moved = self.grants[new] = _moved(grant, move, home)
        followed = {"type": "MoveFollowed", "enterprise": old, "movedTo": new}
        self._send(moved, "MoveFollowed", "order", followed)
        for lease in moved.leases.values():
            self.report(moved, lease)
        if moved.order:
            self.order(moved, moved.order.pieces, moved.order.state)
        return moved

    def _authority(self, home: Peer, enterprise: str) -> Message:
        """The document in which an instance says whether it speaks for an enterprise."""
        document = self.instance.fetch(home, f"{ROOM}/enterprises/{enterprise.rpartition('/')[2]}")
        check_proof(document, home.keys)
        if document["id"] != enterprise or document["actor"] != home.document["id"]:
            raise Refused(403, "authority", "This is the document of another enterprise.")
        return document

    # -------------------------------------------------------------------------------------------- ways

    def _send(self, grant: Grant, type: str, lane: str, object: Node) -> None:
        self.instance.send(self._home(grant), type, lane, object)

    def _home(self, grant: Grant) -> Peer:
        return self.instance.peers[grant.home]

    def _grant_of(self, peer: Peer, producer: str) -> Grant:
        grant = self.grants.get(producer)
        if grant is None or grant.home != peer.document["id"]:
            raise Refused(403, "producer", "You do not speak for this producer, or it has granted us nothing.")
        return grant


def _keep(grant: Grant, item: Item) -> None:
    known = grant.items.get(item.iri)
    if known is None or known.rev < item.rev:
        grant.items[item.iri] = item


def _read_item(nodes: dict[str, Node], node: Node) -> Item:
    product = nodes[node["dfc-b:references"]]
    lot = nodes[product[f"{TERM}takenFrom"]["@id"]]
    price = nodes[nodes[node["dfc-b:offeredThrough"]]["dfc-b:hasPrice"]]
    return Item(
        iri=node["@id"],
        rev=int(node[f"{TERM}rev"]),
        digest=node[f"{TERM}digest"],
        name=node["dfc-b:name"],
        offer=node["dfc-b:offeredThrough"],
        price=price["dfc-b:value"],
        currency_unit=price["dfc-b:hasUnit"],
        lot=lot["@id"],
        unit=nodes[lot["dfc-b:hasQuantity"]]["dfc-b:hasUnit"],
        takes=Decimal(product[f"{TERM}takes"]) / Decimal(lot[f"{TERM}perUnit"]),
        statement=node.get(f"{TERM}statement", ""),
    )


def _quantity(lot: Node) -> Decimal:
    return Decimal(lot["dfc-b:hasQuantity"]["dfc-b:value"])


def _moved(grant: Grant, move: Node, home: Peer) -> Grant:
    """The grant as it stands at the new home: all counts and numbers go on, under new addresses."""
    old_base, new_base = (move[name].partition("/api/")[0] for name in ("enterprise", "movedTo"))

    def new(iri: str) -> str:
        place, _, id = iri.replace(old_base, new_base, 1).rpartition("/")
        return f"{place}/{move['renamed'].get(id, id)}"

    items = [
        replace(item, iri=new(item.iri), lot=new(item.lot), offer=new(item.offer)) for item in grant.items.values()
    ]
    leases = [replace(lease, lot=new(lease.lot)) for lease in grant.leases.values()]
    if grant.order:
        grant.order.pieces = {new(item): count for item, count in grant.order.pieces.items()}
        grant.order.answers = {new(item): answer for item, answer in grant.order.answers.items()}
    return replace(
        grant,
        producer=move["movedTo"],
        home=home.document["id"],
        authority_epoch=move["authorityEpoch"],
        items={item.iri: item for item in items},
        leases={lease.lot: lease for lease in leases},
    )
