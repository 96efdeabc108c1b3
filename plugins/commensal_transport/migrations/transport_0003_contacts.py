"""How to reach the other side of a booking that lives at another instance."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time

revision = "transport_0003_contacts"
down_revision = "transport_0002_elsewhere"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transport_contact",
        Column("booking_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("phone", Text(), nullable=False),
        Column("access", Text(), nullable=False),
        Column("asked_at", Time(), nullable=False),
        Column("answered_at", Time(), nullable=True),
        ForeignKeyConstraint(["booking_id"], ["transport_booking.id"], name=op.f("fk_transport_contact_booking_id")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_contact_enterprise_id")),
        PrimaryKeyConstraint("booking_id", "enterprise_id", name=op.f("pk_transport_contact")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_contact_enterprise_id"), "transport_contact", ["enterprise_id"], unique=False)
