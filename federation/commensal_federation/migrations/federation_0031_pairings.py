"""Pairings: invitations by a link, and the six digits that two operators compare."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commensal import Time

revision = "federation_0031_pairings"
down_revision = "federation_0030_moved_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_pairing",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("invitation", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_at", Time(), nullable=True),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("our_nonce", sa.Text(), nullable=False),
        sa.Column("their_nonce", sa.Text(), nullable=False),
        sa.Column("their_answer", sa.Text(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("changed_at", Time(), nullable=False),
        sa.Column("expires_at", Time(), nullable=False),
        sa.CheckConstraint("role IN ('inviter', 'joiner')", name=op.f("ck_federation_pairing_role_known")),
        sa.CheckConstraint(
            "state IN ('made', 'opened', 'shown', 'agreed', 'ended')", name=op.f("ck_federation_pairing_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_federation_pairing")),
        sa.UniqueConstraint("invitation", "role", name=op.f("uq_federation_pairing_invitation_role")),
        sqlite_strict=True,
    )
