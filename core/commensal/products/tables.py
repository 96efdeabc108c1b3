"""Tables of products: one row for each size in which a producer sells something."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from ..storage.database import Exact, Flag, Json, Time, Whole, checked_in, metadata

image = Table(
    "image",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("sha256", Text, nullable=False),  # of the re-encoded file, which is named after it
    Column("width", Whole, nullable=False),  # pixels
    Column("height", Whole, nullable=False),
    Column("bytes", Whole, nullable=False),
    Column("alt", Text, nullable=False),  # what it shows, for those who do not see it
    Column("created_at", Time, nullable=False),
    sqlite_strict=True,
)

# What pages show of an enterprise.
enterprise_picture = Table(
    "enterprise_picture",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("image_id", Text, ForeignKey("image.id"), nullable=False, index=True),
    checked_in("kind", ("logo", "cover")),
    sqlite_strict=True,
)

supplied_product = Table(
    "supplied_product",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("lot_id", Text, ForeignKey("stock_lot.id"), nullable=False, index=True),
    Column("lot_quantity", Whole, nullable=False),  # grains that one piece takes from its lot
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),  # clean HTML
    Column("product_type", Text, nullable=False),  # a DFC product type
    Column("sku", Text),
    Column("quantity", Exact, nullable=False),  # net content of one piece …
    Column("unit", Text, nullable=False),  # … in this DFC measure
    Column("weighed", Flag, nullable=False),  # the price follows the weight at packing
    Column("weight_tolerance", Exact),  # percent more or less that pieces may weigh; none: unknown
    Column("labels", Json, nullable=False),  # DFC certification facets
    Column("allergens", Json, nullable=False),  # DFC allergens (EU 1169/2011, annex II)
    Column("origins", Json, nullable=False, server_default="[]"),  # DFC territorial origins
    Column("handling", Json, nullable=False, server_default="[]"),  # how it is kept and packed; else as its kind is
    Column("lifetime", Text, nullable=False, server_default=""),  # how long it keeps
    Column("storage", Text, nullable=False, server_default=""),  # at which temperature and how it is kept
    Column("nutrition", Text, nullable=False, server_default=""),  # per 100 g or 100 ml
    Column("names", Json, nullable=False, server_default="{}"),  # the name in further languages, by ISO 639 code
    Column("descriptions", Json, nullable=False, server_default="{}"),  # the description in further ones; clean HTML
    Column("deposit", Whole, nullable=False),  # minor units for one piece; outside VAT
    Column("image_id", Text, ForeignKey("image.id")),
    Column("search", Text, nullable=False),  # name and sku without case and accents
    Column("plugin_fields", Json, nullable=False, default=dict, server_default="{}"),  # values by plugin and name
    Column("created_at", Time, nullable=False),
    Column("archived_at", Time),
    Column("version", Whole, nullable=False),
    UniqueConstraint("enterprise_id", "sku"),
    CheckConstraint("lot_quantity > 0", name="lot_quantity_positive"),
    CheckConstraint("deposit >= 0", name="deposit_not_negative"),
    Index("ix_supplied_product_enterprise", "enterprise_id", "id"),
    sqlite_strict=True,
)

# The rate in force on a day is the one with the latest `valid_from` up to that day.
product_vat = Table(
    "product_vat",
    metadata,
    Column("product_id", Text, ForeignKey("supplied_product.id"), primary_key=True),
    Column("valid_from", Text, primary_key=True),  # ISO 8601 day
    Column("rate", Exact, nullable=False),  # percent
    sqlite_strict=True,
)

# Days on which a producer brings nothing; both are included.
producer_absence = Table(
    "producer_absence",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("first_day", Text, nullable=False),  # ISO 8601
    Column("last_day", Text, nullable=False),
    CheckConstraint("first_day <= last_day", name="days_in_order"),
    Index("ix_producer_absence_enterprise", "enterprise_id", "last_day"),
    sqlite_strict=True,
)
