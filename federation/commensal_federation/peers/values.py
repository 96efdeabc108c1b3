"""A peer: another instance, the scopes that both sides grant, and the state of the connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ..messages.types import SCOPES as SCOPES

State = Literal["invited", "requested", "accepted", "suspended", "revoked"]
WELL_KNOWN = "/.well-known/commensal"
ANSWERED_WITHIN = timedelta(days=30)  # then a request expires, on both sides


@dataclass(frozen=True)
class Limits:
    """The resources that one peer may use.

    messages, size: messages and bytes accepted from it in a minute
    open_leases:    leases that it may hold at once
    lot_share:      percent of a lot that it may hold unsold; ten units in any case
    order_share:    percent of a lot that it may request at once for one order; ten units in any case
    kept_rows:      its parked messages and dead letters that are kept
    kept_size:      bytes of its messages that are kept in each lane
    kept_things:    its grants, copies, items, proposals, moves and open orders, of each kind
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
    """A peer. `iri` is the address of its instance document, `document` that document as pinned. Times are UTC.

    scopes_given:    what it may do here
    scopes_received: what this instance may do there
    epoch_seen:      the newest epoch of its messages; 0 before the first
    recovering:      our database was restored, and it has not yet sent back what the restore lost
    requested_at:    when the request was made that waits, or waited, for an answer
    barrier:         after a restore it may hold units that are unknown here, and no person has lifted the barrier
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
    requested_at: datetime | None
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
        """Its base address, without a trailing slash."""
        return self.iri.removesuffix(WELL_KNOWN)

    @property
    def active(self) -> bool:
        """Whether both sides have agreed, and neither has suspended or revoked it."""
        return self.state == "accepted"

    @property
    def expires_at(self) -> datetime | None:
        """When the request that waits for an answer expires; None if none waits."""
        if self.state not in ("invited", "requested") or self.requested_at is None:
            return None
        return self.requested_at + ANSWERED_WITHIN

    def shown_state(self, now: datetime) -> str:
        """Its state for people: "expired" if nobody has answered the request in time."""
        return "expired" if self.expires_at is not None and self.expires_at <= now else self.state
