"""Orders at linked platforms as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commensal import Amount

from .values import Backorder, BackorderLine, Progress


@dataclass(frozen=True, kw_only=True)
class ShownBackorderLine:
    """Pieces that customers have ordered, and the whole cases that contain them; see `BackorderLine`.

    cases:   needed; told: last sent to the platform; confirmed: that it will deliver
    coming:  pieces for customers, as far as is known; surplus: delivered pieces that nobody has ordered
    price:   of one case, in minor units, as listed; told_price: as in the platform's answer
    """

    name: str
    product_id: str
    product_iri: str
    ordered_iri: str
    pieces: int
    per_case: str
    cases: int
    told: int | None
    answer: str
    confirmed: int | None
    reason: str
    coming: int
    surplus: int
    price: Amount | None
    told_price: Amount | None


@dataclass(frozen=True, kw_only=True)
class ShownBackorder:
    """The one order of a sale at a linked platform.

    progress: "waiting" to be sent, "told" (sent), "failing" (tried again at `due_at`), "parked" until a person retries
    state:    the intended state, of DFC; told_state: the state last sent to the platform
    iri:      given by the platform
    error:    of the last attempt, or a note for people, in the hub's language
    Times are UTC.
    """

    id: str
    link_id: str
    session_id: str
    session_name: str
    closes_at: datetime
    iri: str
    currency: str
    progress: Progress
    state: str
    told_state: str
    failures: int
    failing_since: datetime | None
    error: str
    due_at: datetime | None
    answered_at: datetime | None
    lines: tuple[ShownBackorderLine, ...]


def backorder_view(backorder: Backorder) -> ShownBackorder:
    """Returns the view of an order, with derived values."""
    return ShownBackorder(
        **_same(
            backorder,
            (
                "id",
                "link_id",
                "session_id",
                "session_name",
                "closes_at",
                "iri",
                "currency",
                "progress",
                "state",
                "failures",
                "failing_since",
                "error",
                "due_at",
                "answered_at",
            ),
        ),
        told_state=backorder.said_state,
        lines=tuple(map(_shown_line, backorder.lines)),
    )


def _shown_line(line: BackorderLine) -> ShownBackorderLine:
    return ShownBackorderLine(
        **_same(
            line,
            (
                "name",
                "product_id",
                "product_iri",
                "ordered_iri",
                "pieces",
                "cases",
                "answer",
                "confirmed",
                "reason",
                "coming",
                "surplus",
                "price",
                "told_price",
            ),
        ),
        per_case=str(line.per_case),
        told=line.said,
    )


def _same(source: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}
