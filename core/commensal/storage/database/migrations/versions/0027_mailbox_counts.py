"""How many mails a mailbox got lately, and orders about which one is late."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time, Whole

revision = "0027_mailbox_counts"
down_revision = "0026_log_in_tries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mailbox_count",
        Column("mailbox", Text(), nullable=False),
        Column("about", Text(), nullable=False),
        Column("began_at", Time(), nullable=False),
        Column("sent", Whole, nullable=False),
        PrimaryKeyConstraint("mailbox", "about", name=op.f("pk_mailbox_count")),
        sqlite_strict=True,
    )
    op.create_index("ix_mailbox_count_began_at", "mailbox_count", ["began_at"])
    op.create_table(
        "late_mail",
        Column("order_id", Text(), nullable=False),
        Column("due_at", Time(), nullable=False),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_late_mail_order_id_customer_order")),
        PrimaryKeyConstraint("order_id", name=op.f("pk_late_mail")),
        sqlite_strict=True,
    )
