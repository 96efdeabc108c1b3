"""Values of the orders that platforms send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["Held", "Complete", "Cancelled"]


@dataclass(frozen=True, kw_only=True)
class RequestedLine:
    """`item_id` is the item of ours that it refers to, "" if none; `offer_iri` and `product_iri` are the sender's IRIs
    of the offer and of the product in it, "" for a product if the offer names none."""

    item_id: str
    offer_iri: str
    pieces: int
    product_iri: str = ""


@dataclass(frozen=True, kw_only=True)
class RequestedOrder:
    """An order as its sender's document requests it.

    iri:        the sender's own IRI of the order, "" if it has none
    session_id: our sale that the order names, "" if none
    closes_at:  the end of the sender's own sale; None if the document has none
    lines:      empty if the document has none: the order is emptied
    name, email, phone: of the customer `ordered_by`, "" if unknown
    """

    iri: str
    state: State
    session_id: str
    closes_at: datetime | None
    ordered_by: str
    name: str
    email: str
    phone: str
    lines: tuple[RequestedLine, ...]


@dataclass(frozen=True, kw_only=True)
class PlatformLine:
    """A line as requested: `wanted` is in pieces, `product_iri` the sender's, "" if unknown. The core's order has the
    confirmed pieces."""

    id: str
    item_id: str
    offer_iri: str
    product_iri: str
    wanted: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PlatformOrder:
    """An order of a platform. `state` is the one that the sender set last; see `federation_platform_order`.

    The sender may empty an order without cancelling it: it is then Held without lines, its order here is cancelled, and
    new lines place another one.
    """

    id: str
    enterprise_id: str
    sender: str
    order_id: str
    ordered_by: str
    state: State
    created_at: datetime
    changed_at: datetime
    lines: tuple[PlatformLine, ...]

    @property
    def is_empty(self) -> bool:
        """Whether its sender has emptied it, and may still fill it again."""
        return self.state == "Held" and not self.lines


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """The available pieces by item, and the reasons for fewer than requested, by the index of the line."""

    pieces: Mapping[str, int]
    reasons: Mapping[int, str]
