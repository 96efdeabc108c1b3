"""First tables of sale sessions."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint, text

from commensal.storage.database.types import Time, Whole

revision = "0006_sale_sessions"
down_revision = "0005_catalogs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coordination",
        Column("id", Text(), nullable=False),
        Column("coordinator_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("opens_at", Time(), nullable=False),
        Column("closes_at", Time(), nullable=False),
        Column("rhythm", Text(), nullable=True),
        Column("previous_id", Text(), nullable=True),
        Column("cancelled_at", Time(), nullable=True),
        Column("completed_at", Time(), nullable=True),
        Column("created_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("closes_at > opens_at", name=op.f("ck_coordination_closes_after_opening")),
        ForeignKeyConstraint(["coordinator_id"], ["enterprise.id"], name=op.f("fk_coordination_coordinator_id")),
        ForeignKeyConstraint(["previous_id"], ["coordination.id"], name=op.f("fk_coordination_previous_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_coordination")),
        UniqueConstraint("previous_id", name=op.f("uq_coordination_previous_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_coordination_coordinator", "coordination", ["coordinator_id", "id"], unique=False)
    op.create_index("ix_coordination_open", "coordination", ["completed_at", "closes_at"], unique=False)
    op.create_index(
        "ix_coordination_rhythm",
        "coordination",
        ["closes_at"],
        unique=False,
        sqlite_where=text("rhythm IS NOT NULL"),
        postgresql_where=text("rhythm IS NOT NULL"),
    )
    op.create_table(
        "coordination_supplier",
        Column("coordination_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("closes_at", Time(), nullable=True),
        ForeignKeyConstraint(
            ["coordination_id"], ["coordination.id"], name=op.f("fk_coordination_supplier_coordination_id")
        ),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_coordination_supplier_enterprise_id")),
        PrimaryKeyConstraint("coordination_id", "enterprise_id", name=op.f("pk_coordination_supplier")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_coordination_supplier_enterprise_id"), "coordination_supplier", ["enterprise_id"], unique=False
    )
    op.create_table(
        "sale_session",
        Column("id", Text(), nullable=False),
        Column("coordination_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("catalog_id", Text(), nullable=False),
        Column("opens_at", Time(), nullable=False),
        Column("closes_at", Time(), nullable=False),
        Column("begins_at", Time(), nullable=False),
        Column("ends_at", Time(), nullable=False),
        Column("note", Text(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("closes_at > opens_at", name=op.f("ck_sale_session_closes_after_opening")),
        ForeignKeyConstraint(["catalog_id"], ["catalog.id"], name=op.f("fk_sale_session_catalog_id")),
        ForeignKeyConstraint(["coordination_id"], ["coordination.id"], name=op.f("fk_sale_session_coordination_id")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_sale_session_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_sale_session")),
        UniqueConstraint(
            "coordination_id", "enterprise_id", name=op.f("uq_sale_session_coordination_id_enterprise_id")
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_sale_session_closes", "sale_session", ["closes_at", "id"], unique=False)
    op.create_index("ix_sale_session_shop", "sale_session", ["enterprise_id", "closes_at"], unique=False)
    op.create_table(
        "session_item",
        Column("session_id", Text(), nullable=False),
        Column("item_id", Text(), nullable=False),
        ForeignKeyConstraint(["item_id"], ["catalog_item.id"], name=op.f("fk_session_item_item_id")),
        ForeignKeyConstraint(["session_id"], ["sale_session.id"], name=op.f("fk_session_item_session_id")),
        PrimaryKeyConstraint("session_id", "item_id", name=op.f("pk_session_item")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_session_item_item_id"), "session_item", ["item_id"], unique=False)
