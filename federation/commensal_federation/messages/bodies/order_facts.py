"""The chain of facts of an order between instances: what each side has said of money, which is only added to.

It begins when the order is complete. Both sides add the same facts from the same signed messages, so both come to the
same sum. A fact is never changed: what is less is `claimed`, and counts once the side that loses by it has `agreed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from commensal import Amount

FactKind = Literal["ordered", "answered", "delivered", "claimed", "agreed"]
Side = Literal["hub", "producer"]
BY_ITSELF = "by itself"  # the reason of what was agreed without a person


@dataclass(frozen=True, kw_only=True)
class OrderFact:
    """One thing that was said.

    number: its place in the chain, from 1
    kind:   ordered: pieces that the hub orders at the agreed price; answered: pieces that the producer has confirmed,
            which stand; delivered: what the hub says that it got; claimed: what one side says besides that is owed;
            agreed: what the other side has agreed to
    said_by: who says so
    rev, answer: of the order when it was said
    line:   `Line.number`; 0: the whole order
    pieces, weight, amount: the weight of all pieces in the line's unit; minor units. An agreed order without an amount
            is owed by its lines again
    """

    number: int
    kind: FactKind
    said_by: Side
    rev: int
    answer: int
    line: int
    pieces: int | None
    weight: Decimal | None
    amount: Amount | None
    reason: str
    at: datetime


def standing_of(facts: Iterable[OrderFact]) -> dict[int, OrderFact]:
    """What stands of each line, by its number: what its producer answered or agreed to last."""
    return {fact.line: fact for fact in facts if fact.line and fact.kind in ("answered", "agreed")}


def agreed_sum(facts: Sequence[OrderFact]) -> OrderFact | None:
    """The sum of the whole order to which the producer agreed last; None where its lines say what is owed."""
    agreed = last_of(facts, "agreed")
    return None if agreed is None or agreed.amount is None else agreed


def last_of(facts: Sequence[OrderFact], kind: FactKind, *, line: int = 0, by: Side | None = None) -> OrderFact | None:
    """The last fact of this kind about a line, or about the whole order."""
    matching = (
        fact for fact in reversed(facts) if fact.kind == kind and fact.line == line and by in (None, fact.said_by)
    )
    return next(matching, None)


def delivered_by(facts: Iterable[OrderFact], until: int) -> dict[int, OrderFact]:
    """What the hub had said up to this number that it got, by line."""
    return {fact.line: fact for fact in facts if fact.kind == "delivered" and fact.number <= until}
