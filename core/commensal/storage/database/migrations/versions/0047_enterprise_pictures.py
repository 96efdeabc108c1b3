"""Logos and covers of enterprises."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

revision = "0047_enterprise_pictures"
down_revision = "0046_origins"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enterprise_picture",
        Column("enterprise_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("image_id", Text(), nullable=False),
        CheckConstraint("kind IN ('logo', 'cover')", name=op.f("ck_enterprise_picture_kind_known")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_picture_enterprise_id")),
        ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_enterprise_picture_image_id")),
        PrimaryKeyConstraint("enterprise_id", "kind", name=op.f("pk_enterprise_picture")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_enterprise_picture_image_id"), "enterprise_picture", ["image_id"])
