"""Orders between instances, as both sides see them, and what they tell each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from commensal import Amount

from ..order_answer import Answer, AnswerLine, Receipt
from .order_facts import OrderFact, standing_of

Doubt = Literal["", "lease", "complete", "price"]
FIRST_ANSWER = timedelta(days=3)  # after the order is complete


@dataclass(frozen=True)
class CustomerPart:
    """Pieces of a line that are for one customer of the hub, who agreed that the producer knows their name."""

    name: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """price:          minor units of the order's currency, for one piece
    quantity:       pieces ordered
    confirmed:      pieces that will come; None: the supplier has not said
    reason:         of the supplier, for a line that it shortened or refused
    final_quantity: by the supplier's scales, for all pieces, in `unit`; None: as ordered
    doubt:          at the supplier: why a person has to confirm the line; see `doubts`. `confirmed` is what is certain
    ordered_amount: minor units for all pieces ordered, where they were ordered at several prices; None: all at `price`
    statement:      the name of the supplier's signed statement of the item in `rev`; empty where there is none
    customers:      at the supplier, where orders are shown: who wants how much, of those who agreed to be named
    number:         its place in the order, which facts name; 0: it is not stored yet
    wanted:         pieces that the buyer wants now, where they are fewer than its supplier has confirmed of a complete
                    order: a claim; None: `quantity`

    What the hub says that it got, all None as long as it says nothing else than the order:
    received:          pieces
    received_quantity: by the hub's scales, for all of them, in `unit`; None: they were not weighed there
    received_amount:   minor units that it owes for them, with or without VAT as `price` is
    """

    item_iri: str
    product_id: str
    name: str
    offer_iri: str
    rev: int
    price: Amount
    vat_rate: Decimal
    quantity: int
    answer: Answer
    confirmed: int | None
    reason: str
    final_quantity: Decimal | None
    unit_quantity: Decimal
    unit: str
    doubt: Doubt = ""
    statement: str = ""
    received: int | None = None
    received_quantity: Decimal | None = None
    received_amount: Amount | None = None
    ordered_amount: Amount | None = None
    customers: tuple[CustomerPart, ...] = ()
    number: int = 0
    wanted: int | None = None

    @property
    def asked(self) -> int:
        """Pieces that the buyer wants now."""
        return self.quantity if self.wanted is None else self.wanted

    @property
    def coming(self) -> int:
        """Pieces that will come, as far as is known."""
        return self.quantity if self.confirmed is None else min(self.quantity, self.confirmed)

    def amount_of(self, weight: Decimal) -> Decimal:
        """What goods of the line cost that hold or weigh so much, in `unit`: minor units, exactly."""
        price = Decimal(self.price)
        if self.ordered_amount is not None and self.quantity:
            price = Decimal(self.ordered_amount) / self.quantity
        return price * weight / self.unit_quantity

    def cost_of(self, pieces: int) -> int:
        """What so many pieces cost, in minor units, rounded half up."""
        return int(self.amount_of(self.unit_quantity * pieces).quantize(Decimal(1), ROUND_HALF_UP))

    def sized(self, quantity: int) -> Line:
        """With so many pieces, at the same price for one on the average."""
        if self.ordered_amount is None:
            return replace(self, quantity=quantity)
        return replace(self, quantity=quantity, ordered_amount=self.cost_of(quantity))

    def ordered(self, quantity: int, standing: int | None = None) -> Line:
        """With so many pieces. What is ordered beyond what was answered needs another answer.

        `standing` pieces, of a complete order, were confirmed before: they stay, and fewer are `wanted`.
        """
        if standing is not None and quantity <= standing:
            line = self if self.answer else replace(self, answer="confirmed", doubt="")
            fewer = quantity if quantity < standing else None
            return replace(line.sized(standing), confirmed=standing, wanted=fewer)
        if self.answer and quantity > self.quantity:
            return replace(
                self, quantity=quantity, answer="", confirmed=None, reason="", final_quantity=None, wanted=None
            )
        return replace(self, quantity=quantity, wanted=None)

    def answered(self, answer: AnswerLine | None, standing: int | None = None) -> Line:
        """With what the supplier has said of it; as it is where that is nothing. `standing` pieces, of a complete
        order, were confirmed before: afterwards it may be fewer, and no more."""
        if answer is None:
            return self
        most = self.quantity if standing is None or not self.answer else min(standing, self.quantity)
        line = replace(
            self,
            answer=answer.answer,
            confirmed=min(answer.confirmed, most),
            reason=answer.reason,
            final_quantity=answer.final_quantity,
            doubt="",
        )
        return line.settled() if line.coming <= line.asked else line

    def settled(self) -> Line:
        """With the pieces that the buyer wants, since the supplier agrees."""
        if self.wanted is None:
            return self
        return replace(self.sized(self.wanted), confirmed=min(self.coming, self.wanted), wanted=None)


@dataclass(frozen=True, kw_only=True)
class InstanceOrder:
    """An order of a hub to a producer of another instance, for one sale.

    role:  "buyer" at the hub's instance, "supplier" at the producer's
    state: DFC: Held while it grows, Complete when the sale has closed, Cancelled
    rev:   of what the buyer said; answer: of what the supplier said
    names: the `rev` in which the list of customers' names changed last; 0: nobody is named
    owed:  what the hub says that it owes for all that it got, in minor units with VAT; None: it has not said
    receipt: what the supplier says to that. "taken": it follows from the order, so it counts; "open": a person at the
             supplier has to look at it; "agreed" and "disputed": a person has; empty: the supplier has not said
    objection: why it is disputed
    called_off: the buyer has cancelled a complete order, and the supplier has not agreed
    settled_from: from when on the time runs after which nothing follows by itself any more: the distribution as it was
             when the order became complete
    facts: what was said of money since it is complete; see `order_facts`
    Times are UTC; `begins_at` is the distribution's.
    """

    id: str
    iri: str
    role: str
    peer_id: str
    enterprise_id: str
    other_iri: str
    other_name: str
    session_id: str
    session_iri: str
    session_name: str
    closes_at: datetime | None
    begins_at: datetime | None
    currency: str
    includes_vat: bool
    state: str
    rev: int
    answer: int
    names: int
    created_at: datetime
    changed_at: datetime
    lines: tuple[Line, ...]
    owed: Amount | None = None
    receipt: Receipt = ""
    objection: str = ""
    called_off: bool = False
    settled_from: datetime | None = None
    facts: tuple[OrderFact, ...] = ()

    @property
    def asked_state(self) -> str:
        """As the buyer wants it now."""
        return "Cancelled" if self.called_off else self.state

    def standing(self, line: Line) -> int | None:
        """Pieces of the line that the supplier has confirmed since the order is complete; None: it has not."""
        fact = standing_of(self.facts).get(line.number) if self.state == "Complete" and line.number else None
        return None if fact is None else fact.pieces

    @property
    def answer_until(self) -> datetime | None:
        """Until when the supplier's first answer to the complete order counts as one: `FIRST_ANSWER`, and not beyond
        the distribution. None: it is not complete."""
        if not self.facts:
            return None
        complete_at = self.facts[0].at
        latest = complete_at + FIRST_ANSWER
        if self.settled_from is None or self.settled_from <= complete_at:
            return latest
        return min(latest, self.settled_from)

    def is_late(self, now: datetime) -> bool:
        """Whether it is too late for a first answer to the complete order."""
        return self.answer_until is not None and now > self.answer_until

    def is_settled(self, now: datetime) -> bool:
        """Whether what stands of the complete order can only become less by the supplier's word. What it said before
        may have crossed with other words of its people on the way; its first answer in time says which counts."""
        return bool(self.facts) and (self.answer > self.facts[0].answer or self.is_late(now))

    def most_of(self, line: Line) -> int:
        """Pieces of the line that can be confirmed: what was confirmed less once is not more afterwards."""
        standing = self.standing(line) if line.answer else None
        return line.quantity if standing is None else min(standing, line.quantity)

    def is_called_off_by(self, state: str) -> bool:
        """Whether the buyer, who says this state, takes back what stands: a claim, and no end of the order."""
        return state == "Cancelled" and any(self.standing(line) for line in self.lines)

    def concluded(self) -> InstanceOrder:
        """As it is once the supplier has agreed to the end of all that was called off."""
        if not self.called_off or any(line.wanted is not None for line in self.lines):
            return self
        return replace(self, state="Cancelled", called_off=False)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Pieces that were taken off a customer's order because they will not come (None: a person has to decide).

    `owed` is what the customer has paid too much after that, in minor units; `settled_at` when it was given back.
    """

    id: str
    order_id: str
    item_iri: str
    customer_order_id: str | None
    pieces: int
    owed: Amount
    at: datetime
    settled_at: datetime | None
