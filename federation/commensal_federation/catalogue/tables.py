"""Tables of catalogues across instances."""

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
    Column("margin", Exact),  # received: percent added when goods are listed automatically; null: people list
    Column("catalog_id", Text),  # received: where goods are listed automatically
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),  # given: why the peer's instance refused it, in English
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

# A product or lot of another instance, and its copy here.
federation_copy = Table(
    "federation_copy",
    metadata,
    Column("iri", Text, primary_key=True),
    Column("peer_id", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("local_id", Text, nullable=False, unique=True),
    Column("image", Text, nullable=False, server_default=""),  # the address of the image that the copy shows
    checked_in("kind", ("product", "lot")),
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

# An item that a hub here has received: its price for that hub, and its provenance.
federation_item = Table(
    "federation_item",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("iri", Text, primary_key=True),
    Column("product_id", Text, nullable=False, index=True),  # the copy
    Column("lot_id", Text, nullable=False, index=True),  # the copy
    Column("offer_iri", Text, nullable=False),
    Column("price", Whole, nullable=False),  # minor units, for one piece
    Column("currency", Text, nullable=False),  # ISO 4217
    Column("includes_vat", Flag, nullable=False),
    Column("provenance", Json, nullable=False),  # [[IRI, name], …], the producer first
    Column("rev", Whole, nullable=False),
    Column("digest", Text, nullable=False),
    Column("gone_at", Time),
    sqlite_strict=True,
    info=untraced("it follows from signed messages, which are kept"),
)
