"""E-mails to suppliers that are delayed because their mailbox has had many of the same shop."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time

revision = "0048_late_supplier_mails"
down_revision = "0047_enterprise_pictures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "late_supplier_mail",
        Column("purchase_order_id", Text(), nullable=False),
        Column("to", Text(), nullable=False),
        Column("due_at", Time(), nullable=False),
        ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_late_supplier_mail_purchase_order_id")
        ),
        PrimaryKeyConstraint("purchase_order_id", "to", name=op.f("pk_late_supplier_mail")),
        sqlite_strict=True,
    )
