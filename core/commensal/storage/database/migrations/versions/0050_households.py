"""Households: people who share a customer, and invitations to it."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Time

revision = "0050_households"
down_revision = "0049_mailed_secrets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_person",
        Column("customer_id", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("since", Time(), nullable=False),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_person_customer_id_customer")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_customer_person_person_id_person")),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_customer_person_enterprise_id_enterprise")
        ),
        PrimaryKeyConstraint("customer_id", "person_id", name=op.f("pk_customer_person")),
        UniqueConstraint("person_id", "enterprise_id", name=op.f("uq_customer_person_person_id_enterprise_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "household_invitation",
        Column("id", Text(), nullable=False),
        Column("customer_id", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_household_invitation_customer_id_customer")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_household_invitation")),
        UniqueConstraint("customer_id", "email", name=op.f("uq_household_invitation_customer_id_email")),
        sqlite_strict=True,
    )
    op.create_index("ix_household_invitation_email", "household_invitation", ["email"])
    op.create_index("ix_household_invitation_expires_at", "household_invitation", ["expires_at"])
