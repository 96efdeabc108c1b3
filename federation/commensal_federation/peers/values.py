"""A peer: another instance, what each side has allowed the other, and how the line to it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

State = Literal["invited", "requested", "accepted", "suspended", "revoked"]
WELL_KNOWN = "/.well-known/commensal"
SCOPES = ("catalogue.read", "order.place", "stock.lease", "sale.propose", "transport", "enterprise.move", "order.names")


@dataclass(frozen=True)
class Limits:
    """What one peer may cost.

    messages, size: accepted from it in a minute, and their bytes
    open_leases:    that it may hold at once
    lot_share:      percent of a lot that it may hold without its customers having ordered it; ten units in any case
    order_share:    percent of a lot that it may ask for at once, for one order; ten units in any case
    kept_rows:      parked messages and dead letters of it that are kept
    kept_size:      bytes of its messages that are kept, in each lane
    kept_things:    grants, copies, items, proposals, moves and open orders of it, of each kind
    """

    messages: int = 6000
    size: int = 64 * 1024 * 1024
    open_leases: int = 10_000
    lot_share: int = 50
    order_share: int = 50
    kept_rows: int = 10_000
    kept_size: int = 4 * 1024 * 1024 * 1024
    kept_things: int = 100_000


@dataclass(frozen=True, kw_only=True)
class Peer:
    """`iri` is the address of its instance document, `document` that document as it was pinned.

    `scopes_given` is what it may do here, `scopes_received` what this instance may do there. Times are UTC.
    `epoch_seen` is the newest epoch of its messages; 0 before the first. `recovering`: after a restore of ours it has
    not given back yet what it knows. `barrier`: so it may hold units that nobody remembers here, and no person has
    said that this does not matter.
    """

    id: str
    iri: str
    name: str
    state: State
    document: str = field(repr=False)
    document_at: datetime
    scopes_given: frozenset[str]
    scopes_received: frozenset[str]
    limits: Limits
    epoch_seen: int
    created_at: datetime
    accepted_at: datetime | None
    suspended_at: datetime | None
    revoked_at: datetime | None
    last_seen_at: datetime | None
    recovering: bool
    barrier: bool
    refusing: bool
    breaker: Literal["closed", "open"]
    failures: int
    failing_since: datetime | None
    held_until: datetime | None
    ask_after: datetime | None
    version: int

    @property
    def base(self) -> str:
        """Where its things live: its address without a slash at the end."""
        return self.iri.removesuffix(WELL_KNOWN)

    @property
    def active(self) -> bool:
        """Whether both sides have agreed, and neither has taken it back."""
        return self.state == "accepted"
