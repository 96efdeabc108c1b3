"""Goods that people have marked, and who wants to be told when a sale opens."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Time

revision = "shop_0001_watches"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shop_favourite",
        Column("person_id", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        Column("marked_at", Time(), nullable=False),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_shop_favourite_person_id")),
        ForeignKeyConstraint(["lot_id"], ["stock_lot.id"], name=op.f("fk_shop_favourite_lot_id")),
        PrimaryKeyConstraint("person_id", "lot_id", name=op.f("pk_shop_favourite")),
        sqlite_strict=True,
    )
    op.create_table(
        "shop_watch",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("person_id", Text(), nullable=True),
        Column("language", Text(), nullable=False),
        Column("secret", Text(), nullable=False),
        Column("asked_at", Time(), nullable=False),
        Column("confirmed_at", Time(), nullable=True),
        Column("told_at", Time(), nullable=True),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_shop_watch_enterprise_id")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_shop_watch_person_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_shop_watch")),
        UniqueConstraint("enterprise_id", "email", name=op.f("uq_shop_watch_enterprise_id_email")),
        UniqueConstraint("secret", name=op.f("uq_shop_watch_secret")),
        sqlite_strict=True,
    )
    for column in ("email", "person_id", "asked_at"):
        op.create_index(op.f(f"ix_shop_watch_{column}"), "shop_watch", [column])
