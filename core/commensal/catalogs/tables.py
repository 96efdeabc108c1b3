"""Tables of catalogs: what an enterprise lists, for whom, at which price."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from ..storage.database import Flag, Time, Whole, metadata, only_where

catalog = Table(
    "catalog",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Whole, nullable=False),
    UniqueConstraint("enterprise_id", "name"),
    sqlite_strict=True,
)

catalog_item = Table(
    "catalog_item",
    metadata,
    Column("id", Text, primary_key=True),
    Column("catalog_id", Text, ForeignKey("catalog.id"), nullable=False),
    Column("product_id", Text, ForeignKey("supplied_product.id"), nullable=False, index=True),
    Column("name", Text),  # the enterprise's own name for it; none: the producer's
    Column("position", Whole, nullable=False),
    Column("hidden", Flag, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    UniqueConstraint("catalog_id", "product_id"),
    sqlite_strict=True,
)

# Rows here show the item to these categories only; no row shows it to everybody.
item_shown_to = Table(
    "item_shown_to",
    metadata,
    Column("item_id", Text, ForeignKey("catalog_item.id"), primary_key=True),
    Column("category_id", Text, ForeignKey("customer_category.id"), primary_key=True, index=True),
    sqlite_strict=True,
)

offer = Table(
    "offer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("item_id", Text, ForeignKey("catalog_item.id"), nullable=False),
    Column("category_id", Text, ForeignKey("customer_category.id"), index=True),  # none: for everybody
    Column("price", Whole, nullable=False),  # minor units of the enterprise's currency, for one piece
    Column("version", Whole, nullable=False),
    CheckConstraint("price >= 0", name="price_not_negative"),
    Index("uq_offer_item", "item_id", unique=True, **only_where("category_id IS NULL")),
    Index("uq_offer_item_category", "item_id", "category_id", unique=True),
    sqlite_strict=True,
)

# What the enterprise pays for an item: each change is a new row, and the latest id is in force. A line of an order
# keeps the price of the terms on which it was ordered.
purchase_terms = Table(
    "purchase_terms",
    metadata,
    Column("id", Text, primary_key=True),
    Column("item_id", Text, ForeignKey("catalog_item.id"), nullable=False),
    Column("price", Whole),  # minor units, for one piece
    Column("margin", Whole),  # hundredths of a percent of the selling price that the enterprise keeps
    Column("set_at", Time, nullable=False),
    CheckConstraint("price IS NULL OR margin IS NULL", name="price_or_margin"),
    CheckConstraint("price >= 0", name="price_not_negative"),
    CheckConstraint("margin BETWEEN 0 AND 10000", name="margin_in_percent"),
    Index("ix_purchase_terms_item", "item_id", "id"),
    sqlite_strict=True,
)
