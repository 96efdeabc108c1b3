"""Tables of grants across instances, and of the enterprises of other instances that they name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, UniqueConstraint

from commensal import DERIVED, Exact, Flag, Json, Time, Whole, at_most_ahead, checked_in, metadata, untraced

# A grant from an enterprise here to one of another instance (given), or the other way round (received).
federation_grant = Table(
    "federation_grant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("peer_id", Text, nullable=False),
    Column("enterprise_id", Text, nullable=False),  # ours: the grantor, or the hub
    Column("other_iri", Text, nullable=False),  # theirs
    Column("other_name", Text, nullable=False),
    Column("category_id", Text),  # given: the customer category whose prices the other sees; null: the general ones
    Column("resell", Flag, nullable=False),  # the other may grant it further
    Column("lot_share", Whole),  # given: percent of a lot that the peer may hold unsold; null: as its limits say
    Column("ends_at", Time),  # given: when it is taken back by itself; null: when somebody does
    Column("margin", Exact),  # received: percent added when goods are listed automatically; null: people list
    Column("catalog_id", Text),  # received: where goods are listed automatically
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),  # given: why the peer's instance refused it, in English
    Column("offer_id", Text),  # of the message that offered it last; null: from before offers were named
    Column("hidden", Json),  # received: ids of items that were taken off the hub's lists when the grant had ended
    Column("created_at", Time, nullable=False),
    Column("created_by", Text),
    Column("changed_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    UniqueConstraint("direction", "enterprise_id", "other_iri"),
    Index("ix_federation_grant_peer", "peer_id", "direction"),
    checked_in("direction", ("given", "received")),
    checked_in("state", ("offered", "accepted", "refused", "revoked")),
    sqlite_strict=True,
)

# An enterprise of another instance, and its copy here.
federation_mirror = Table(
    "federation_mirror",
    metadata,
    Column("iri", Text, primary_key=True),
    Column("peer_id", Text, nullable=False, index=True),
    Column("enterprise_id", Text, nullable=False, unique=True),  # the copy
    Column("created_at", Time, nullable=False),
    sqlite_strict=True,
)

# The last revision of one of our items sent to a remote hub; an empty digest: the item was withdrawn.
federation_told = Table(
    "federation_told",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("rev", Whole, nullable=False),
    Column("digest", Text, nullable=False),
    Column("lot_id", Text, nullable=False),
    Index("ix_federation_told_lot", "lot_id"),
    sqlite_strict=True,
    info=untraced("it follows from the catalog"),
)


# Tables of leases: one row on either side for each lot and peer.

_PAST = {**DERIVED, **at_most_ahead(timedelta())}
_SOON = {**DERIVED, **at_most_ahead(timedelta(hours=2))}

# All quantities are grains of the lot. `seen`, `returned`, `held` and `sold` are those of the holder's last report, on
# either side.
federation_lease = Table(
    "federation_lease",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("peer_id", Text, nullable=False),
    Column("enterprise_id", Text, nullable=False),  # of the lot, here
    Column("lot_id", Text, nullable=False),  # here
    Column("lot_iri", Text, nullable=False),  # where the goods are
    Column("epoch", Whole, nullable=False),  # raised when units are taken back by force
    Column("granted", Whole, nullable=False, info=DERIVED),  # all that was ever granted in this epoch
    Column("report", Whole, nullable=False, info=DERIVED),  # number of the holder's last report
    Column("seen", Whole, nullable=False, info=DERIVED),  # of `granted`, when it was reported
    Column("returned", Whole, nullable=False, info=DERIVED),  # all that was ever given back in this epoch
    Column("held", Whole, nullable=False, info=DERIVED),  # free, reserved and lent to others at the holder
    Column("sold", Whole, nullable=False, info=DERIVED),  # handed over to customers in this epoch
    Column("late", Whole, nullable=False, info=DERIVED),  # sold or held beyond what was granted: for a person
    Column("lost", Whole, nullable=False, server_default="0", info=DERIVED),  # to be written off when it is returned
    # Sold before this epoch: at the holder by its lot, at the lender by the reports that it had.
    Column("sold_before", Whole, nullable=False, info=DERIVED),
    # The part of `held` that is reserved or lent to others, by the holder's last message.
    Column("ordered", Whole, nullable=False, server_default="0", info=DERIVED),
    # At the lender: for a waiting customer; at the holder: requested ahead of need and not granted yet.
    Column("wanted", Whole, nullable=False, info=DERIVED),
    Column("wanted_at", Time, info=_PAST),
    # At the lender: the holder was asked to return so much, and has not answered.
    Column("recalled", Whole, nullable=False, server_default="0", info=DERIVED),
    Column("recalled_at", Time, info=_PAST),
    # At the holder: until when a customer's request is under way, or its refusal stands.
    Column("asked_until", Time, info=_SOON),
    Column("refused_until", Time, info=_SOON),
    # At the holder: by the lender's last word it counts the lot again after a restore, and lends nothing meanwhile.
    Column("barred", Flag, nullable=False, server_default="0", info=DERIVED),
    Column("until", Time, info=DERIVED),  # when the holder stops selling
    Column("created_at", Time, nullable=False),
    UniqueConstraint("role", "peer_id", "lot_id"),
    Index("ix_federation_lease_lot", "lot_id"),
    Index("ix_federation_lease_wanted", "lot_id", "wanted_at"),
    checked_in("role", ("lender", "holder")),
    *(
        CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative")
        for name in ("granted", "seen", "returned", "held", "sold", "late", "wanted")
    ),
    sqlite_strict=True,
)


class FederationLeaseRow(NamedTuple):
    """A row of `federation_lease`; quantities are grains of the lot."""

    id: str
    role: str
    peer_id: str
    enterprise_id: str
    lot_id: str
    lot_iri: str
    epoch: int
    granted: int
    report: int
    seen: int
    returned: int
    held: int
    sold: int
    late: int
    lost: int
    sold_before: int
    ordered: int
    wanted: int
    wanted_at: datetime | None
    recalled: int
    recalled_at: datetime | None
    asked_until: datetime | None
    refused_until: datetime | None
    barred: bool
    until: datetime | None
    created_at: datetime
