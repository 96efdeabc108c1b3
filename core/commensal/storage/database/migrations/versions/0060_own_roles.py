"""Members may have roles of plugins, so the database no longer knows all roles."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Flag, Json, Time

revision = "0060_own_roles"
down_revision = "0059_identities"
branch_labels = None
depends_on = None

_MEMBER = "enterprise_id, person_id, role, takes_money, scopes, since"
_INVITATION = "id, enterprise_id, email, role, created_at, expires_at"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _replace_members()
        _replace_invitations()
        return
    for table in ("enterprise_member", "member_invitation"):
        op.drop_constraint(op.f(f"ck_{table}_role_known"), table, type_="check")


def _replace_members() -> None:
    """SQLite cannot drop a constraint. Nothing refers to a member, so the table may be replaced."""
    op.create_table(
        "enterprise_member_new",
        Column("enterprise_id", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("takes_money", Flag(), nullable=False, server_default="0"),
        Column("scopes", Json(), nullable=False, server_default="[]"),
        Column("since", Time(), nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_member_enterprise_id")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_enterprise_member_person_id")),
        PrimaryKeyConstraint("enterprise_id", "person_id", name=op.f("pk_enterprise_member")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO enterprise_member_new ({_MEMBER}) SELECT {_MEMBER} FROM enterprise_member")  # noqa: S608
    op.drop_table("enterprise_member")
    op.rename_table("enterprise_member_new", "enterprise_member")
    op.create_index(op.f("ix_enterprise_member_person_id"), "enterprise_member", ["person_id"])


def _replace_invitations() -> None:
    """The same for invitations, to which nothing refers either."""
    op.create_table(
        "member_invitation_new",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_member_invitation_enterprise_id_enterprise")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_member_invitation")),
        UniqueConstraint("enterprise_id", "email", name=op.f("uq_member_invitation_enterprise_id_email")),
        sqlite_strict=True,
    )
    op.execute(
        f"INSERT INTO member_invitation_new ({_INVITATION}) SELECT {_INVITATION} FROM member_invitation"  # noqa: S608
    )
    op.drop_table("member_invitation")
    op.rename_table("member_invitation_new", "member_invitation")
    op.create_index("ix_member_invitation_email", "member_invitation", ["email"])
    op.create_index("ix_member_invitation_expires_at", "member_invitation", ["expires_at"])
