"""Peers, and requests of theirs that were seen."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Flag, Json, Time, Whole

revision = "federation_0002_peers"
down_revision = "federation_0001_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_peer",
        Column("id", Text(), nullable=False),
        Column("iri", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("document", Text(), nullable=False),
        Column("scopes_given", Json(), nullable=False),
        Column("scopes_received", Json(), nullable=False),
        Column("limits", Json(), nullable=False),
        Column("nonce", Text(), nullable=False),
        Column("request", Text(), nullable=False),
        Column("epoch_seen", Whole, nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("accepted_at", Time(), nullable=True),
        Column("suspended_at", Time(), nullable=True),
        Column("revoked_at", Time(), nullable=True),
        Column("last_seen_at", Time(), nullable=True),
        Column("document_at", Time(), nullable=False),
        Column("looked_at", Time(), nullable=False),
        Column("keys_told", Text(), nullable=False),
        Column("asked_at", Time(), nullable=True),
        Column("recovering", Flag(), nullable=False),
        Column("breaker", Text(), nullable=False),
        Column("failures", Whole, nullable=False),
        Column("failing_since", Time(), nullable=True),
        Column("held_until", Time(), nullable=True),
        Column("version", Whole, nullable=False),
        CheckConstraint(
            "state IN ('invited', 'requested', 'accepted', 'suspended', 'revoked')",
            name=op.f("ck_federation_peer_state_known"),
        ),
        CheckConstraint("breaker IN ('closed', 'open')", name=op.f("ck_federation_peer_breaker_known")),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_peer")),
        UniqueConstraint("iri", name=op.f("uq_federation_peer_iri")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_nonce",
        Column("key_id", Text(), nullable=False),
        Column("nonce", Text(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        PrimaryKeyConstraint("key_id", "nonce", name=op.f("pk_federation_nonce")),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_nonce_expires", "federation_nonce", ["expires_at"], unique=False)
