"""Secrets of links are created when their e-mail leaves.

The codes that prove a new e-mail address stand beside the other codes, since each e-mail has its own, and links in
e-mails of plugins have a table.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time

revision = "0049_mailed_secrets"
down_revision = "0048_late_supplier_mails"
branch_labels = None
depends_on = None

_KNOWN = "purpose IN ('confirm', 'reset', 'change')"
_KEPT = "hash, person_id, purpose, email, created_at, expires_at, used_at"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _replace_codes()
    else:
        op.drop_constraint(op.f("ck_email_code_purpose_known"), "email_code", type_="check")
        op.create_check_constraint(op.f("ck_email_code_purpose_known"), "email_code", _KNOWN)
    op.execute(
        f"INSERT INTO email_code ({_KEPT})"  # noqa: S608
        " SELECT hash, person_id, 'change', email, asked_at, expires_at, NULL FROM email_change"
    )
    op.drop_column("email_change", "hash")
    op.create_table(
        "mailed_link",
        Column("hash", Text(), nullable=False),
        Column("purpose", Text(), nullable=False),
        Column("subject_id", Text(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        PrimaryKeyConstraint("hash", name=op.f("pk_mailed_link")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_mailed_link_expires_at"), "mailed_link", ["expires_at"], unique=False)


def _replace_codes() -> None:
    """SQLite cannot change a constraint. Nothing refers to a code, so the table may be replaced."""
    op.create_table(
        "email_code_new",
        Column("hash", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("purpose", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        Column("used_at", Time(), nullable=True),
        CheckConstraint(_KNOWN, name=op.f("ck_email_code_purpose_known")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_email_code_person_id")),
        PrimaryKeyConstraint("hash", name=op.f("pk_email_code")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO email_code_new ({_KEPT}) SELECT {_KEPT} FROM email_code")  # noqa: S608
    op.drop_table("email_code")
    op.rename_table("email_code_new", "email_code")
    op.create_index("ix_email_code_expires", "email_code", ["expires_at"], unique=False)
    op.create_index(op.f("ix_email_code_person_id"), "email_code", ["person_id"], unique=False)
