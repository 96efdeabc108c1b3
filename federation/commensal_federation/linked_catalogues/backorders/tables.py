"""Tables of orders at linked platforms."""

from datetime import timedelta

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from commensal import DERIVED, Flag, Json, Time, Whole, at_most_ahead, checked_in, metadata

_SOON = {**DERIVED, **at_most_ahead(timedelta(hours=2))}

# The one order of a hub's sale at a linked platform.
federation_backorder = Table(
    "federation_backorder",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, nullable=False, index=True),  # ours, the hub
    Column("link_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("session_name", Text, nullable=False),
    Column("opens_at", Time, nullable=False),
    Column("closes_at", Time, nullable=False),
    Column("begins_at", Time, nullable=False),  # of the distribution
    Column("currency", Text, nullable=False),
    Column("iri", Text, nullable=False),  # given by the platform; empty before that
    Column("url", Text, nullable=False),  # where orders are sent; empty before that is known
    Column("key", Text, nullable=False),  # idempotency key of the first request
    Column("state", Text, nullable=False),  # DFC OrderState, as intended
    Column("said_state", Text, nullable=False),  # the last state that the platform has acknowledged
    Column("posting", Flag, nullable=False),  # the first request was sent, with an unknown result
    Column("before", Json, nullable=False, info=DERIVED),  # orders that were there already
    Column("due_at", Time, info=_SOON),  # when it is sent or checked; null: never again
    Column("claimed_until", Time, info=_SOON),  # a job works on it
    Column("failures", Whole, nullable=False, info=DERIVED),  # in a row
    Column("failing_since", Time, info=DERIVED),
    Column("error", Text, nullable=False, info=DERIVED),  # of the last try, in the hub's language
    Column("parked_at", Time),  # not tried any more
    Column("answered_at", Time, info=DERIVED),
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False, info=DERIVED),
    UniqueConstraint("session_id", "link_id"),
    Index("ix_federation_backorder_due", "due_at"),
    checked_in("state", ("Held", "Complete", "Cancelled")),
    checked_in("said_state", ("", "Held", "Complete", "Cancelled")),
    sqlite_strict=True,
)

federation_backorder_line = Table(
    "federation_backorder_line",
    metadata,
    Column("backorder_id", Text, ForeignKey("federation_backorder.id"), nullable=False),
    Column("product_iri", Text, nullable=False),  # there
    Column("product_id", Text, nullable=False),  # its copy here
    Column("name", Text, nullable=False),
    Column("ordered_iri", Text, nullable=False),  # of the product that is ordered: itself, or a case of it
    Column("offer_iri", Text, nullable=False),
    Column("per_case", Whole, nullable=False),  # pieces in so many …
    Column("cases_of", Whole, nullable=False),  # … of what is ordered: together a fraction
    Column("price", Whole),  # minor units, of one case, as it was listed
    Column("pieces", Whole, nullable=False),  # that customers have ordered
    Column("said", Whole),  # cases last sent to the platform
    Column("answer", Text, nullable=False),
    Column("confirmed", Whole),  # cases that will be delivered; null: no answer yet
    Column("reason", Text, nullable=False),
    Column("told_price", Whole),  # minor units, of one case, in the platform's answer
    Column("line_iri", Text, nullable=False),  # given by the platform
    PrimaryKeyConstraint("backorder_id", "product_iri"),
    CheckConstraint("pieces >= 0 AND per_case > 0 AND cases_of > 0", name="counts_possible"),
    checked_in("answer", ("", "confirmed", "shortened", "refused")),
    sqlite_strict=True,
)
