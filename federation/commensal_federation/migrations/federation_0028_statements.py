"""Signed statements of what is offered, with the documents that prove their keys; and which of them an order names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commensal import Json, Time, Whole

revision = "federation_0028_statements"
down_revision = "federation_0027_line_products"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_statement",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key_version", Whole, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("item_iri", sa.Text(), nullable=False),
        sa.Column("rev", Whole, nullable=False),
        sa.Column("verified_at", Time(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_federation_statement")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_statement_origin"), "federation_statement", ["origin"])
    op.create_index("ix_federation_statement_verified", "federation_statement", ["verified_at"])
    op.create_table(
        "federation_signer",
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("version", Whole, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("bound", sa.Text(), nullable=False),
        sa.Column("verified_at", Time(), nullable=False),
        sa.PrimaryKeyConstraint("iri", "version", name=op.f("pk_federation_signer")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_origin",
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("peer_id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_at", Time()),
        sa.Column("doubt", sa.Text(), nullable=False),
        sa.Column("waiting", Json(), nullable=False),
        sa.Column("failures", Whole, nullable=False),
        sa.Column("asked_at", Time()),
        sa.Column("silent_since", Time()),
        sa.PrimaryKeyConstraint("iri", name=op.f("pk_federation_origin")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_origin_peer_id"), "federation_origin", ["peer_id"])
    for table in ("federation_item", "federation_order_line", "federation_told_price"):
        op.add_column(table, sa.Column("statement", sa.Text(), nullable=False, server_default=""))
        op.create_index(op.f(f"ix_{table}_statement"), table, ["statement"])
