"""A second factor beside the password."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time, Whole

revision = "0021_second_factor"
down_revision = "0020_consents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_second_factor",
        Column("person_id", Text(), nullable=False),
        Column("secret", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("confirmed_at", Time(), nullable=True),
        Column("last_step", Whole, nullable=False),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_second_factor_person_id_person")),
        PrimaryKeyConstraint("person_id", name=op.f("pk_person_second_factor")),
        sqlite_strict=True,
    )
    op.create_table(
        "person_recovery_code",
        Column("hash", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("used_at", Time(), nullable=True),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_recovery_code_person_id_person")),
        PrimaryKeyConstraint("hash", name=op.f("pk_person_recovery_code")),
        sqlite_strict=True,
    )
    op.create_index("ix_person_recovery_code_person_id", "person_recovery_code", ["person_id"])
    op.create_table(
        "log_in_begun",
        Column("hash", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_log_in_begun_person_id_person")),
        PrimaryKeyConstraint("hash", name=op.f("pk_log_in_begun")),
        sqlite_strict=True,
    )
    op.create_index("ix_log_in_begun_person_id", "log_in_begun", ["person_id"])
    op.create_index("ix_log_in_begun_expires_at", "log_in_begun", ["expires_at"])
