"""Tables of what partners' words have cost by themselves."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from commensal import DERIVED, Time, Whole, append_only, checked_in, metadata, untraced

KINDS = ("price", "weight", "shortage", "receipt")

# One row for each partner and month, from the first draw on.
federation_allowance = Table(
    "federation_allowance",
    metadata,
    Column("enterprise_id", Text, primary_key=True),
    Column("partner_iri", Text, primary_key=True),  # the enterprise elsewhere
    Column("month", Text, primary_key=True),  # "2026-06", by the clocks of this instance
    Column("drawn", Whole, nullable=False, info=DERIVED),  # minor units; the sum of its draws
    sqlite_strict=True,
    info=untraced("it is the sum of a journal"),
)

# Append-only: what happened by itself at a partner's word.
federation_allowance_draw = Table(
    "federation_allowance_draw",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, nullable=False),
    Column("partner_iri", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", Whole, nullable=False),  # minor units of the enterprise's currency
    Column("subject", Text, nullable=False),  # what it is about: the address of an order or an item
    Column("at", Time, nullable=False),
    checked_in("kind", KINDS),
    CheckConstraint("amount > 0", name="amount_positive"),
    Index("ix_federation_allowance_draw_month", "enterprise_id", "partner_iri", "month"),
    Index("ix_federation_allowance_draw_subject", "enterprise_id", "partner_iri", "subject"),
    sqlite_strict=True,
    info=untraced("it is a journal"),
)
append_only(federation_allowance_draw)
