"""A hub's instance that lies in ways that its signatures allow: honest instances believe none of it automatically."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from commensal import Transaction
from commensal_federation.catalogue.tables import federation_item
from commensal_federation.delivery import post
from commensal_federation.dfc.iris import enterprise_iri, order_iri, session_iri
from commensal_federation.grants.tables import federation_grant, federation_lease
from commensal_federation.messages.leases import LeaseReport
from commensal_federation.messages.order_update import OrderUpdate, UpdateLine
from commensal_federation.orders.questions import orders_of

from .nodes import Node
from .worlds import Stall

if TYPE_CHECKING:
    from .simulation import Simulation

PRODUCED = 100  # pieces; no farm of a world has more
LIE = "lie-"  # in the IRIs of orders that nobody has placed
_item, _grant, _lease = federation_item.c, federation_grant.c, federation_lease.c
_OFFERED = (
    select(*federation_item.c, _grant.peer_id, _grant.other_iri)
    .join(federation_grant, _grant.id == _item.grant_id)
    .where(_item.gone_at.is_(None), _grant.state == "accepted", _item.rev > 0)
    .order_by(_item.grant_id, _item.iri)
)
_HELD = select(federation_lease).where(_lease.role == "holder", _lease.granted > 0).order_by(_lease.id)
Lie = Callable[["Liar", Transaction], str]


class Liar:
    """One stall's instance. Its own books stay true; only its messages lie."""

    def __init__(self, simulation: Simulation, node: Node, stall: Stall) -> None:
        self.simulation, self.node, self.stall = simulation, node, stall
        self.chance, self.count = simulation.chance, 0
        self.lied_about_counts = False

    def lie(self) -> str:
        name = self.chance.choice(sorted(LIES))
        with self.node.instance.store.write() as tx:
            result = LIES[name](self, tx)
        self.simulation.figures["lies"] += result != "nothing"
        return f"{name}: {result}"

    def order(self, tx: Transaction, *states: str, **line: Any) -> str:
        """Sends an order of one item that no customer has placed."""
        items = tx.all(_OFFERED)
        if not items:
            return "nothing"
        item = self.chance.choice(items)
        self.count += 1
        base, id = self.node.federation.base, f"{LIE}{self.count}"
        hub = enterprise_iri(base, self.stall.id)
        said_line = UpdateLine(
            item_iri=item["iri"],
            offer_iri=item["offer_iri"],
            rev=item["rev"],
            name="a lie",
            price=item["price"],
            quantity=5000,
        )
        lines = {name: value(item) if callable(value) else value for name, value in line.items()}
        body = OrderUpdate(
            iri=order_iri(base, id),
            buyer=hub,
            supplier=item["other_iri"],
            session_iri=session_iri(base, id),
            session_name=id,
            closes_at=None,
            begins_at=None,
            currency="EUR",
            state="Held",
            rev=1,
            lines=(replace(said_line, **{name: value for name, value in lines.items() if name != "grows"}),),
        )
        for rev, state in enumerate(states, 1):
            if rev == 2 and "grows" in lines:
                body = replace(body, lines=(replace(body.lines[0], quantity=lines["grows"]),))
            post(
                self.node.federation,
                tx,
                item["peer_id"],
                "OrderUpdate",
                replace(body, rev=rev, state=state),
                on_behalf_of=hub,
            )
        return f"{body.lines[0].quantity} of {item['iri']}"

    def report(self, tx: Transaction, **counts: int) -> str:
        """Reports false counts of a lease under the next number."""
        leases = tx.all(_HELD)
        if not leases:
            return "nothing"
        row = self.chance.choice(leases)
        self.lied_about_counts = True
        true_counts = {name: Decimal(row[name]) for name in ("seen", "returned", "held", "sold")} | {
            "seen": row["granted"]
        }
        body = LeaseReport(
            lot=row["lot_iri"],
            unit="Piece",
            epoch=row["epoch"],
            report=row["report"] + 1,
            **{name: Decimal(true_counts[name] + counts.get(name, 0)) for name in true_counts},
        )
        post(self.node.federation, tx, row["peer_id"], "LeaseReport", body)
        return f"{counts} of {row['lot_iri']}"


LIES: Mapping[str, Lie] = {
    "orders more than it holds": lambda liar, tx: liar.order(tx, "Held", "Complete"),
    "orders at once what it does not hold": lambda liar, tx: liar.order(tx, "Complete"),
    "grows after the sale": lambda liar, tx: liar.order(tx, "Complete", "Complete", quantity=0, grows=9000),
    "names a price of its own": lambda liar, tx: liar.order(tx, "Complete", quantity=1, price=1),
    "names a revision that never was": lambda liar, tx: liar.order(tx, "Complete", quantity=1, rev=999_999),
    "has sold more than it leased": lambda liar, tx: liar.report(tx, sold=1000),
    "gives back what it never had": lambda liar, tx: liar.report(tx, returned=1000),
    "has seen more than was granted": lambda liar, tx: liar.report(tx, seen=1000),
}


def is_lie(iri: str) -> bool:
    return f"/{LIE}" in iri


def lies_of(orders: list[Any]) -> Iterator[Any]:
    return (order for order in orders if is_lie(order.iri))


def confirmed_beyond(simulation: Simulation) -> Iterator[str]:
    """No producer has confirmed, without a person, what no lease covers, or anything of an order that is a lie."""
    for farm in simulation.people.farms:
        node = simulation.nodes[farm.node]
        with node.disk.read() as tx:
            for order in lies_of(orders_of(tx, farm.id, limit=500)):
                if order.iri in simulation.people.by_hand:
                    continue
                for line in order.lines:
                    if line.answer and line.confirmed and line.confirmed > PRODUCED:
                        yield f"{farm.id} has confirmed {line.confirmed} of the lie {order.iri} by itself"
