"""Tables of catalogues across instances."""

from sqlalchemy import Column, Table, Text

from commensal import Flag, Json, Time, Whole, checked_in, metadata, untraced

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
    Column("statement", Text, nullable=False, server_default="", index=True),  # name of the seller's; empty: none
    Column("gone_at", Time),
    # Prices that held here before: [[revision, price, name of its statement], …], the newest first.
    Column("earlier", Json, nullable=False, server_default="[]"),
    sqlite_strict=True,
    info=untraced("it follows from signed messages, which are kept"),
)

# What a hub pays for a product from elsewhere, beside what a person has accepted and what is asked now.
federation_followed_price = Table(
    "federation_followed_price",
    metadata,
    Column("enterprise_id", Text, primary_key=True),  # the hub
    Column("product_id", Text, primary_key=True),  # the copy
    Column("source_id", Text, nullable=False),  # the grant, or the link to a platform
    # Amounts are minor units of the hub's currency for one piece, with or without VAT as its prices are.
    Column("accepted_price", Whole, nullable=False),  # by a person: the middle of the band
    Column("accepted_categories", Json, nullable=False),  # the same by customer category, of a platform
    Column("price", Whole, nullable=False),  # that is followed now
    Column("asked_price", Whole),  # that waits for a person; null: none does
    Column("asked_selling", Whole),  # what a margin that follows makes of it; null: people set prices
    Column("asked_categories", Json, nullable=False),  # {category: [what is asked, what it would be sold for]}
    Column("reason", Text, nullable=False),
    Column("asked_at", Time),
    Column("kept_off", Flag, nullable=False),  # somebody has decided that it stays off sale
    Column("hidden_items", Json, nullable=False),  # that were on sale, and are again when it is settled
    Column("unseen", Flag, nullable=False, server_default="0"),  # it came in by itself: nothing is judged by its price
    checked_in("reason", ("", "band", "cost", "allowance", "first")),
    sqlite_strict=True,
)

# All prices at which an item was offered to a hub, by revision: an order may arrive after a change of price.
federation_told_price = Table(
    "federation_told_price",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("rev", Whole, primary_key=True),
    Column("price", Whole, nullable=False),
    Column("statement", Text, nullable=False, server_default="", index=True),  # name of the one that was sent with it
    Column("at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it follows from signed messages, which are kept"),
)

# Periods in which a producer brings nothing, as a hub elsewhere was told last, or as it has heard here.
federation_absences = Table(
    "federation_absences",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("rev", Whole, nullable=False),
    Column("periods", Json, nullable=False),  # [[first day, last day], …]
    sqlite_strict=True,
    info=untraced("it follows from signed messages, which are kept"),
)
