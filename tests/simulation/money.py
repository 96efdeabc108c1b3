"""Money paid over the counter: the real payments are counted here, and must equal what the instances have recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from commensal import Transaction
from commensal.orders.tables import customer_order
from commensal.payments.payments import receive_payment
from commensal.payments.refunds import refund
from commensal.payments.tables import payment_journal

from .nodes import Node

if TYPE_CHECKING:
    from .simulation import Simulation

_order = customer_order.c
_BALANCES = (
    select(_order.id, _order.enterprise_id, _order.paid_total, _order.state, _order.total)
    .where(_order.number.is_not(None))
    .order_by(_order.id)
)
_NOTED = select(payment_journal.c.order_id, func.sum(payment_journal.c.amount).label("amount")).group_by(
    payment_journal.c.order_id
)


@dataclass(frozen=True)
class Passing:
    """Money that changes hands, in minor units; negative: a customer gets it back. `key` is its name for good."""

    node: Node
    enterprise_id: str
    order_id: str
    amount: int
    key: str

    def note(self) -> None:
        """The hub writes it down; once more where it does not know whether it has."""
        with self.node.instance.store.write() as tx:
            about: dict[str, Any] = {
                "enterprise_id": self.enterprise_id,
                "order_id": self.order_id,
                "method": "cash:cash",
                "idempotency_key": self.key,
                "person_id": None,
            }
            if self.amount > 0:
                receive_payment(tx, amount=self.amount, **about)
            else:
                refund(tx, amount=-self.amount, anyway=True, **about)


class Till:
    """What went over the counters, and what perhaps was not written down: the instance may have died over it."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.passed: list[Passing] = []
        self.open: list[Passing] = []

    def settle_one(self, node: Node) -> str:
        """A customer pays an order or gets back an overpayment; sometimes it is recorded twice."""
        self._note_again(node)
        with node.instance.store.read() as tx:
            balances = [row for row in tx.all(_BALANCES) if _due(row)]
        if not balances:
            return "nothing"
        amount_text = self._pass(node, self._simulation.chance.choice(balances))
        if self._simulation.chance.random() < 0.2:
            self.passed[-1].note()
        return amount_text

    def settle_all(self, node: Node) -> str:
        self._note_again(node)
        with node.instance.store.read() as tx:
            balances = [row for row in tx.all(_BALANCES) if _due(row)]
        for balance in balances:
            self._pass(node, balance)
        return f"{len(balances)} settled"

    def wrong(self, node: Node) -> Iterator[str]:
        """Every payment over the counter is recorded once; every standing order is paid, and no other."""
        with node.disk.read() as tx:
            for row in tx.all(_BALANCES):
                if _due(row):
                    yield f"{node.name}: the order {row['id']} is {row['state']}, and {_due(row)} of it is open"
            recorded = {row["order_id"]: int(row["amount"]) for row in tx.all(_NOTED)}
        paid: Counter[str] = Counter()
        for payment in self.passed:
            if payment.node is node:
                paid[payment.order_id] += payment.amount
        if not node.restores:
            for order_id in sorted({*paid, *recorded}):
                if paid[order_id] != recorded.get(order_id, 0):
                    yield f"{node.name}: {paid[order_id]} went over the counter, noted are {recorded.get(order_id, 0)}"

    def _pass(self, node: Node, row: Any) -> str:
        key = f"{self._simulation.seed} {len(self.passed)}"
        passing = Passing(node, row["enterprise_id"], row["id"], _due(row), key)
        self.passed.append(passing)
        self.open.append(passing)
        passing.note()
        self.open.remove(passing)
        return f"{passing.amount}"

    def _note_again(self, node: Node) -> None:
        for passing in [payment for payment in self.open if payment.node is node]:
            if not node.restores or _is_known(node, passing):
                passing.note()
            self.open.remove(passing)


def _due(row: Any) -> int:
    amount_owed: int = row["total"] if row["state"] in ("Held", "Complete") else 0
    return amount_owed - int(row["paid_total"])


def _is_known(node: Node, passing: Passing) -> bool:
    def find(tx: Transaction) -> bool:
        return tx.first(select(_order.id).where(_order.id == passing.order_id)) is not None

    with node.instance.store.read() as tx:
        return find(tx)
