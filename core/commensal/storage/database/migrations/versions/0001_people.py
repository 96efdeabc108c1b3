"""First tables of people."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Flag, Time, Whole

revision = "0001_people"
down_revision = None
branch_labels = ("core",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_in_failure",
        Column("email_hash", Text(), nullable=False),
        Column("failures", Whole, nullable=False),
        Column("last_at", Time(), nullable=False),
        PrimaryKeyConstraint("email_hash", name=op.f("pk_log_in_failure")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_log_in_failure_last_at"), "log_in_failure", ["last_at"], unique=False)
    op.create_table(
        "person",
        Column("id", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("phone", Text(), nullable=False),
        Column("language", Text(), nullable=False),
        Column("password_hash", Text(), nullable=True),
        Column("is_operator", Flag(), nullable=False),
        Column("confirmed_at", Time(), nullable=True),
        Column("disabled_at", Time(), nullable=True),
        Column("created_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_person")),
        UniqueConstraint("email", name=op.f("uq_person_email")),
        sqlite_strict=True,
    )
    op.create_table(
        "email_code",
        Column("hash", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("purpose", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        Column("used_at", Time(), nullable=True),
        CheckConstraint("purpose IN ('confirm', 'reset')", name=op.f("ck_email_code_purpose_known")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_email_code_person_id")),
        PrimaryKeyConstraint("hash", name=op.f("pk_email_code")),
        sqlite_strict=True,
    )
    op.create_index("ix_email_code_expires", "email_code", ["expires_at"], unique=False)
    op.create_index(op.f("ix_email_code_person_id"), "email_code", ["person_id"], unique=False)
    op.create_table(
        "person_session",
        Column("hash", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("agent", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("seen_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        Column("revoked_at", Time(), nullable=True),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_session_person_id")),
        PrimaryKeyConstraint("hash", name=op.f("pk_person_session")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_person_session_person_id"), "person_session", ["person_id"], unique=False)
