"""Two sums that should be one: what a hub's books say that it owes a producer elsewhere, and what its order comes to.

Every night for the sales of the last weeks: the people who pay are told of a difference. Until it is settled, no file
for the bank pays this producer. Rooms compare what they order (`../orders`, `../linked_catalogues/backorders`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from commensal import Money, PaymentHold, Problem, Transaction

from .note import Owed, note_for_enterprise

LATELY = timedelta(days=60)  # since the distribution


@dataclass(frozen=True, kw_only=True)
class SumDifference:
    """`books` and `statement`, what the order comes to, in minor units of `currency`.

    producer, sale: their names
    kind:           of the notice, which is about `subject_id`: an order at `peer_id`, or goods of a platform
    """

    hub_id: str
    supplier_id: str
    producer: str
    sale: str
    currency: str
    books: int
    statement: int
    kind: Literal["sums_differ", "platform_sums_differ"]
    subject_id: str
    peer_id: str = ""

    @property
    def problem(self) -> Problem:
        text = (
            "Your books say {books} for {producer} at {sale}, the order between you says {statement}. Agree with the "
            "producer which is right; until then no file for the bank pays it."
        )
        if self.kind == "platform_sums_differ":
            text = (
                "Your books say {books} for the goods of {producer} at {sale}, the platform's answer to your order "
                "says {statement}. Agree with its people which is right; until then no file for the bank pays this "
                "producer."
            )
        values: dict[str, object] = {
            "books": Money(self.books, self.currency),
            "statement": Money(self.statement, self.currency),
            "producer": self.producer,
            "sale": self.sale,
        }
        return Problem("sums_differ", text, "payment", values)

    @property
    def hold(self) -> PaymentHold:
        return PaymentHold(supplier_id=self.supplier_id, reason=self.problem)


def note_differences(tx: Transaction, differences: Iterable[SumDifference]) -> None:
    """Notes each difference for the people who pay."""
    for each in differences:
        note_for_enterprise(
            tx,
            each.hub_id,
            each.kind,
            each.peer_id,
            each.subject_id,
            producer=each.producer,
            sale=each.sale,
            books=Owed(each.books, each.currency),
            statement=Owed(each.statement, each.currency),
        )
