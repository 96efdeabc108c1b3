"""Presets."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Flag, Json, Time, Whole

revision = "custom_report_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "custom_report_preset",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("description", Text(), nullable=False),
        Column("segment", Text(), nullable=False),
        Column("columns", Json(), nullable=False),
        Column("filters", Json(), nullable=False),
        Column("ordered_by", Json(), nullable=False),
        Column("grouped_by", Json(), nullable=False),
        Column("put_together", Flag(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_custom_report_preset_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_custom_report_preset")),
        UniqueConstraint("enterprise_id", "name", name=op.f("uq_custom_report_preset_enterprise_id_name")),
        sqlite_strict=True,
    )
