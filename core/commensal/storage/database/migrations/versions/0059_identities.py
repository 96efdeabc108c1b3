"""Accounts elsewhere with which people log in, and browsers on their way to log in there."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Time

revision = "0059_identities"
down_revision = "0058_enterprise_contact"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_identity",
        Column("id", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("provider", Text(), nullable=False),
        Column("issuer", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("label", Text(), nullable=False),
        Column("linked_at", Time(), nullable=False),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_identity_person_id_person")),
        PrimaryKeyConstraint("id", name=op.f("pk_person_identity")),
        UniqueConstraint("issuer", "subject", name=op.f("uq_person_identity_issuer_subject")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_person_identity_person_id"), "person_identity", ["person_id"])
    op.create_table(
        "log_in_departure",
        Column("hash", Text(), nullable=False),
        Column("provider", Text(), nullable=False),
        Column("person_id", Text(), nullable=True),
        Column("next_url", Text(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_log_in_departure_person_id_person")),
        PrimaryKeyConstraint("hash", name=op.f("pk_log_in_departure")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_log_in_departure_expires_at"), "log_in_departure", ["expires_at"])
    op.create_index(op.f("ix_log_in_departure_person_id"), "log_in_departure", ["person_id"])
