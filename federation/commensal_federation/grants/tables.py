"""Tables of grants across instances, and of the enterprises of other instances that they name."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from commensal import Exact, Flag, Json, Time, Whole, checked_in, metadata, untraced

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
