"""Values of orders that come in DFC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["Held", "Complete", "Cancelled"]


@dataclass(frozen=True, kw_only=True)
class WantedLine:
    """`item_id` is the item of ours that is meant, "" where it is none; `offer_iri` is how it was named."""

    item_id: str
    offer_iri: str
    pieces: int


@dataclass(frozen=True, kw_only=True)
class WantedOrder:
    """What a sender wants, as its document says it.

    iri:        the name that it gave the order, where that is a name of its own
    session_id: our sale that it named; `closes_at`: the end that it said of a sale of its own making
    lines:      None where the document has none: then it speaks of the state alone
    name, email, phone: of the customer `ordered_by`, as far as they are said
    """

    iri: str
    state: State
    session_id: str
    closes_at: datetime | None
    ordered_by: str
    name: str
    email: str
    phone: str
    lines: tuple[WantedLine, ...] | None


@dataclass(frozen=True, kw_only=True)
class PlatformLine:
    """`wanted` pieces; what comes of it stands in the core's order."""

    id: str
    item_id: str
    offer_iri: str
    wanted: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PlatformOrder:
    """`state` is what the sender has said last; see `federation_platform_order`."""

    id: str
    enterprise_id: str
    sender: str
    order_id: str
    ordered_by: str
    state: State
    created_at: datetime
    changed_at: datetime
    lines: tuple[PlatformLine, ...]


@dataclass(frozen=True, kw_only=True)
class Shortened:
    """What can be had: pieces by item, and why something is less than was wanted, by the place of its line."""

    pieces: Mapping[str, int]
    reasons: Mapping[int, str]
