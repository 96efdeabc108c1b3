"""Orders at distant platforms that are not peers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Flag, Json, Time, Whole

revision = "federation_0013_backorders"
down_revision = "federation_0012_links"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_backorder",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("link_id", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("session_name", Text(), nullable=False),
        Column("opens_at", Time(), nullable=False),
        Column("closes_at", Time(), nullable=False),
        Column("begins_at", Time(), nullable=False),
        Column("currency", Text(), nullable=False),
        Column("iri", Text(), nullable=False),
        Column("url", Text(), nullable=False),
        Column("key", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("said_state", Text(), nullable=False),
        Column("posting", Flag(), nullable=False),
        Column("before", Json(), nullable=False),
        Column("due_at", Time(), nullable=True),
        Column("claimed_until", Time(), nullable=True),
        Column("failures", Whole, nullable=False),
        Column("failing_since", Time(), nullable=True),
        Column("error", Text(), nullable=False),
        Column("parked_at", Time(), nullable=True),
        Column("answered_at", Time(), nullable=True),
        Column("created_at", Time(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        CheckConstraint("state IN ('Held', 'Complete', 'Cancelled')", name=op.f("ck_federation_backorder_state_known")),
        CheckConstraint(
            "said_state IN ('', 'Held', 'Complete', 'Cancelled')", name=op.f("ck_federation_backorder_said_state_known")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_backorder")),
        UniqueConstraint("session_id", "link_id", name=op.f("uq_federation_backorder_session_id_link_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_backorder_enterprise_id"), "federation_backorder", ["enterprise_id"])
    op.create_index("ix_federation_backorder_due", "federation_backorder", ["due_at"])
    op.create_table(
        "federation_backorder_line",
        Column("backorder_id", Text(), nullable=False),
        Column("product_iri", Text(), nullable=False),
        Column("product_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("ordered_iri", Text(), nullable=False),
        Column("offer_iri", Text(), nullable=False),
        Column("per_case", Whole, nullable=False),
        Column("cases_of", Whole, nullable=False),
        Column("price", Whole, nullable=True),
        Column("pieces", Whole, nullable=False),
        Column("said", Whole, nullable=True),
        Column("answer", Text(), nullable=False),
        Column("confirmed", Whole, nullable=True),
        Column("reason", Text(), nullable=False),
        Column("told_price", Whole, nullable=True),
        Column("line_iri", Text(), nullable=False),
        CheckConstraint(
            "pieces >= 0 AND per_case > 0 AND cases_of > 0", name=op.f("ck_federation_backorder_line_counts_possible")
        ),
        CheckConstraint(
            "answer IN ('', 'confirmed', 'shortened', 'refused')",
            name=op.f("ck_federation_backorder_line_answer_known"),
        ),
        ForeignKeyConstraint(
            ["backorder_id"],
            ["federation_backorder.id"],
            name=op.f("fk_federation_backorder_line_backorder_id_federation_backorder"),
        ),
        PrimaryKeyConstraint("backorder_id", "product_iri", name=op.f("pk_federation_backorder_line")),
        sqlite_strict=True,
    )
