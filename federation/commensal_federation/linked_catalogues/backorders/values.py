"""Orders at linked platforms, as they are intended, sent and answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Literal

from ...messages.order_answer import Answer
from .cases import cases_for, pieces_in, surplus

State = Literal["Held", "Complete", "Cancelled"]
Progress = Literal["waiting", "told", "failing", "parked"]


@dataclass(frozen=True, kw_only=True)
class BackorderLine:
    """A line for a copied product. The platform may sell it in cases, which are another product there.

    product_iri: of the product there; ordered_iri, offer_iri: of the ordered product (itself or a case) and its offer
    per_case:    pieces in one ordered product; 1 when it is sold by the piece
    price:       minor units of the order's currency, for one case, as last listed; None: no listed price
    pieces:      ordered by customers; said: cases last sent to the platform, None: never
    confirmed:   cases that will be delivered; None: no answer yet
    told_price:  for one case, in the platform's answer
    line_iri:    given by the platform
    """

    product_iri: str
    product_id: str
    name: str
    ordered_iri: str
    offer_iri: str
    per_case: Fraction
    price: int | None
    pieces: int
    said: int | None
    answer: Answer
    confirmed: int | None
    reason: str
    told_price: int | None
    line_iri: str

    @property
    def cases(self) -> int:
        """Cases to be ordered."""
        return cases_for(self.pieces, self.per_case)

    @property
    def surplus(self) -> int:
        """Delivered pieces that nobody has ordered."""
        return surplus(self.pieces, self.cases if self.confirmed is None else self.confirmed, self.per_case)

    @property
    def coming(self) -> int:
        """Pieces for customers that will be delivered, as far as is known; all of them before an answer."""
        if self.confirmed is None or self.said is None:
            return self.pieces
        if self.confirmed >= self.said:
            return self.pieces
        return min(self.pieces, pieces_in(self.confirmed, self.per_case))

    def with_sent_cases(self, cases: int) -> BackorderLine:
        """Returns the line with this number of sent cases; more than the confirmed ones need another answer."""
        if self.confirmed is not None and cases > self.confirmed:
            return replace(self, said=cases, answer="", confirmed=None, reason="")
        return replace(self, said=cases)

    def with_answer(self, cases: int, reason: str, told_price: int | None, line_iri: str) -> BackorderLine:
        """Returns the line with this number of confirmed cases, at most those sent."""
        confirmed = min(cases, self.said or 0)
        answer: Answer = "confirmed" if confirmed >= (self.said or 0) else "shortened" if confirmed else "refused"
        return replace(
            self, confirmed=confirmed, answer=answer, reason=reason, told_price=told_price, line_iri=line_iri
        )


@dataclass(frozen=True, kw_only=True)
class Backorder:
    """The one order of a hub's sale at a linked platform.

    iri:        given by the platform; "" before that
    url:        where orders are sent; "" before that is known
    key:        idempotency key of the first request
    state:      the intended state; said_state: the state last acknowledged by the platform; "" before the first
    posting:    the first request was sent, with an unknown result
    before:     IRIs of orders that were there before the first request, and so are not ours
    due_at:     when it is sent or checked; None: never again
    claimed_until: a job works on it
    failures:   in a row, the first at `failing_since`; `error` is the last one
    parked_at:  not tried any more until a person retries
    Times are UTC; `begins_at` is the distribution's.
    """

    id: str
    enterprise_id: str
    link_id: str
    session_id: str
    session_name: str
    opens_at: datetime
    closes_at: datetime
    begins_at: datetime
    currency: str
    iri: str
    url: str
    key: str
    state: State
    said_state: str
    posting: bool
    before: tuple[str, ...]
    due_at: datetime | None
    claimed_until: datetime | None
    failures: int
    failing_since: datetime | None
    error: str
    parked_at: datetime | None
    answered_at: datetime | None
    created_at: datetime
    changed_at: datetime
    lines: tuple[BackorderLine, ...]

    @property
    def has_pieces(self) -> bool:
        """Whether customers have ordered anything from the platform."""
        return self.state != "Cancelled" and any(line.pieces for line in self.lines)

    @property
    def final(self) -> bool:
        """Whether the order is complete, so that it cannot be changed any more."""
        return self.said_state == "Complete"

    @property
    def target(self) -> State:
        """The state that the platform should have: an order without pieces is cancelled."""
        return self.state if self.has_pieces else "Cancelled"

    @property
    def has_unsent_changes(self) -> bool:
        """Whether the order has changes that were not sent yet."""
        if self.final or self.said_state == "Cancelled":
            return False
        if not self.iri:
            return self.posting or self.has_pieces
        return self.target != self.said_state or any(line.cases != (line.said or 0) for line in self.lines)

    @property
    def progress(self) -> Progress:
        """The progress of the order in one word."""
        if self.parked_at is not None:
            return "parked"
        if self.failures:
            return "failing"
        return "waiting" if self.has_unsent_changes else "told"
