"""Orders at distant platforms as people see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .values import Backorder, BackorderLine, Progress


@dataclass(frozen=True, kw_only=True)
class ShownBackorderLine:
    """Pieces that customers have ordered, and the whole cases that they come in; see `BackorderLine`.

    cases:   that are wanted; told: that the platform was told last; confirmed: that it will bring
    coming:  pieces for customers, as far as is known; surplus: pieces that come and that nobody has ordered
    price:   of one case, in minor units, as it was listed; told_price: as the platform has answered
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
    price: int | None
    told_price: int | None


@dataclass(frozen=True, kw_only=True)
class ShownBackorder:
    """The one order of a sale at a linked platform.

    progress: "waiting" to be told, "told", "failing" (tried again at `due_at`), or "parked" until a person retries
    state:    DFC's, as it should be; told_state: as the platform was last told
    iri:      the platform's name for it
    error:    of the last try, or what a person should know, in the hub's language
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


def shown(one: Backorder) -> ShownBackorder:
    """The same, with what follows from it."""
    return ShownBackorder(
        **_same(one, ("id", "link_id", "session_id", "session_name", "closes_at", "iri", "currency", "progress",
                      "state", "failures", "failing_since", "error", "due_at", "answered_at")),
        told_state=one.said_state, lines=tuple(map(_shown_line, one.lines)),
    )  # fmt: skip


def _shown_line(line: BackorderLine) -> ShownBackorderLine:
    return ShownBackorderLine(
        **_same(line, ("name", "product_id", "product_iri", "ordered_iri", "pieces", "cases", "answer", "confirmed",
                       "reason", "coming", "surplus", "price", "told_price")),
        per_case=str(line.per_case), told=line.said,
    )  # fmt: skip


def _same(one: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names}
