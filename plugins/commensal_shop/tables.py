"""Tables of the shop: goods that people have marked, and who wants to be told when a hub's next sale opens."""

from sqlalchemy import Column, ForeignKey, Table, Text, UniqueConstraint

from commensal import PERSONAL, Time, metadata

# Goods are marked by their lot, which pages show as one product with its sizes.
shop_favourite = Table(
    "shop_favourite",
    metadata,
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True),
    Column("lot_id", Text, ForeignKey("stock_lot.id"), primary_key=True),
    Column("marked_at", Time, nullable=False),
    sqlite_strict=True,
)

# A guest's wish counts once its mailed link was followed.
shop_watch = Table(
    "shop_watch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("email", Text, nullable=False, index=True, info=PERSONAL),  # lower case
    Column("person_id", Text, ForeignKey("person.id"), index=True),
    Column("language", Text, nullable=False),
    Column("asked_at", Time, nullable=False, index=True),
    Column("confirmed_at", Time),
    Column("told_at", Time),  # of the last sale that had opened
    UniqueConstraint("enterprise_id", "email"),
    sqlite_strict=True,
)
