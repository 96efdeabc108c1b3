"""Orders at distant platforms, as they are wanted, told and answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Literal

from ...messages.bodies.orders import Answer
from .planning import cases_for, pieces_in, surplus

State = Literal["Held", "Complete", "Cancelled"]
Progress = Literal["waiting", "told", "failing", "parked"]


@dataclass(frozen=True, kw_only=True)
class BackorderLine:
    """A product of ours that is a copy of one there. It may come in cases of another product, which then is ordered.

    product_iri: of the product there; ordered_iri, offer_iri: what is ordered for it, and at which price
    per_case:    pieces in one of what is ordered; 1 where it comes by the piece
    price:       minor units of the order's currency, for one case, as it was last listed; None: none was listed
    pieces:      that customers have ordered; said: cases that the platform was last told, None: never
    confirmed:   cases that will come; None: the platform has not said
    told_price:  of the platform, for one case, in its answer
    line_iri:    its name for the line
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
        """What has to be ordered."""
        return cases_for(self.pieces, self.per_case)

    @property
    def surplus(self) -> int:
        """Pieces that come and that nobody has ordered."""
        return surplus(self.pieces, self.cases if self.confirmed is None else self.confirmed, self.per_case)

    @property
    def coming(self) -> int:
        """Pieces for customers that will come, as far as is known: what was not answered is hoped for."""
        if self.confirmed is None or self.said is None:
            return self.pieces
        if self.confirmed >= self.said:
            return self.pieces
        return min(self.pieces, pieces_in(self.confirmed, self.per_case))

    def told(self, cases: int) -> BackorderLine:
        """After so many cases were told; what is more than was answered needs another answer."""
        if self.confirmed is not None and cases > self.confirmed:
            return replace(self, said=cases, answer="", confirmed=None, reason="")
        return replace(self, said=cases)

    def answered(self, cases: int, reason: str, told_price: int | None, line_iri: str) -> BackorderLine:
        """So many cases will come, never more than were told."""
        confirmed = min(cases, self.said or 0)
        answer: Answer = "confirmed" if confirmed >= (self.said or 0) else "shortened" if confirmed else "refused"
        return replace(
            self, confirmed=confirmed, answer=answer, reason=reason, told_price=told_price, line_iri=line_iri
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Backorder:
    """The one order of a hub's sale at a linked platform.

    iri:        the platform's name for it; "" before it has one
    url:        where orders are sent; "" before that is known
    key:        of the first request, so that the same is never ordered twice
    state:      what it should be there; said_state: what the platform was last told; "" before it was told anything
    posting:    the first request was sent, and how it ended is not known yet
    before:     orders that were there already when it was sent, which are none of ours
    due_at:     when something is to be said, or it is looked at; None: no more
    claimed_until: somebody is at it
    failures:   in a row, the first at `failing_since`, the last of which is told by `error`
    parked_at:  it is not tried any more, until a person says so
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
    def wanted(self) -> bool:
        """Whether anything is wanted of the platform."""
        return self.state != "Cancelled" and any(line.pieces for line in self.lines)

    @property
    def final(self) -> bool:
        """It cannot be changed at the platform any more."""
        return self.said_state == "Complete"

    @property
    def target(self) -> State:
        """What it should be at the platform: an order of which nothing is left is cancelled."""
        return self.state if self.wanted else "Cancelled"

    @property
    def unsaid(self) -> bool:
        """Whether something is still to be told."""
        if self.final or self.said_state == "Cancelled":
            return False
        if not self.iri:
            return self.posting or self.wanted
        return self.target != self.said_state or any(line.cases != (line.said or 0) for line in self.lines)

    @property
    def progress(self) -> Progress:
        """In one word, for people."""
        if self.parked_at is not None:
            return "parked"
        if self.failures:
            return "failing"
        return "waiting" if self.unsaid else "told"
