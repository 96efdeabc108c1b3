"""A sale that a producer proposes to hubs of other instances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class SaleProposal:
    """What is said of it; times are UTC, `begins_at` and `ends_at` those of the distribution.

    `rev` grows with every change; `withdrawn`: it will not be.
    """

    iri: str
    producer: str
    hub: str
    name: str
    opens_at: datetime
    closes_at: datetime
    begins_at: datetime
    ends_at: datetime
    rev: int
    withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class SaleAnswer:
    """The hub holds the sale, or does not."""

    iri: str
    hub: str
    accepted: bool


@dataclass(frozen=True, kw_only=True)
class ProposedSale:
    """A proposal as either side keeps it.

    direction:       "proposed" by `enterprise_id` of ours to `other_iri`, or "received" by it
    state:           "offered", "accepted", "refused" or "withdrawn"
    coordination_id: received and accepted: the hub's sale that was made of it
    """

    id: str
    direction: str
    iri: str
    peer_id: str
    enterprise_id: str
    other_iri: str
    other_name: str
    name: str
    opens_at: datetime
    closes_at: datetime
    begins_at: datetime
    ends_at: datetime
    coordination_id: str | None
    state: str
    rev: int
    changed_at: datetime
