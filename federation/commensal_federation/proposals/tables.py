"""Table of proposed sales, the same on both sides."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from commensal import Time, Whole, checked_in, metadata

federation_sale = Table(
    "federation_sale",
    metadata,
    Column("id", Text, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("iri", Text, nullable=False),  # at the producer
    Column("peer_id", Text, nullable=False),
    Column("enterprise_id", Text, nullable=False, index=True),  # ours: the producer, or the hub
    Column("other_iri", Text, nullable=False),
    Column("other_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("opens_at", Time, nullable=False),
    Column("closes_at", Time, nullable=False),
    Column("begins_at", Time, nullable=False),  # the distribution
    Column("ends_at", Time, nullable=False),
    Column("coordination_id", Text),  # received: the hub's own sale after acceptance
    Column("state", Text, nullable=False),
    Column("rev", Whole, nullable=False),
    Column("changed_at", Time, nullable=False),
    UniqueConstraint("direction", "enterprise_id", "other_iri", "iri"),
    Index("ix_federation_sale_peer", "peer_id"),
    checked_in("direction", ("proposed", "received")),
    checked_in("state", ("offered", "accepted", "refused", "withdrawn")),
    sqlite_strict=True,
)
