"""Lanes, outbox, inbox, alerts and epochs."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Flag, Time, Whole

revision = "federation_0003_delivery"
down_revision = "federation_0002_peers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_lane",
        Column("peer_id", Text(), nullable=False),
        Column("lane", Text(), nullable=False),
        Column("direction", Text(), nullable=False),
        Column("epoch", Whole, nullable=False),
        Column("seq", Whole, nullable=False),
        Column("top", Whole, nullable=False),
        Column("hash", Text(), nullable=False),
        Column("swept", Whole, nullable=False),
        Column("parked", Whole, nullable=False),
        Column("promised", Flag(), nullable=False),
        Column("worked_until", Time(), nullable=True),
        Column("failures", Whole, nullable=False),
        Column("due_at", Time(), nullable=True),
        CheckConstraint("direction IN ('out', 'in')", name=op.f("ck_federation_lane_direction_known")),
        CheckConstraint("lane IN ('peering', 'catalogue', 'order')", name=op.f("ck_federation_lane_lane_known")),
        ForeignKeyConstraint(["peer_id"], ["federation_peer.id"], name=op.f("fk_federation_lane_peer_id")),
        PrimaryKeyConstraint("peer_id", "lane", "direction", name=op.f("pk_federation_lane")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_outbox",
        Column("id", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("lane", Text(), nullable=False),
        Column("epoch", Whole, nullable=False),
        Column("seq", Whole, nullable=False),
        Column("type", Text(), nullable=False),
        Column("body", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=True),
        Column("in_reply_to", Text(), nullable=True),
        Column("state", Text(), nullable=False),
        Column("attempts", Whole, nullable=False),
        Column("error", Text(), nullable=False),
        Column("finished_at", Time(), nullable=True),
        Column("recovered", Flag(), nullable=False),
        CheckConstraint(
            "state IN ('waiting', 'delivered', 'dead', 'discarded')", name=op.f("ck_federation_outbox_state_known")
        ),
        ForeignKeyConstraint(["peer_id"], ["federation_peer.id"], name=op.f("fk_federation_outbox_peer_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_outbox")),
        UniqueConstraint("peer_id", "lane", "epoch", "seq", name=op.f("uq_federation_outbox_peer_id_lane_epoch_seq")),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_outbox_reply", "federation_outbox", ["in_reply_to"], unique=False)
    op.create_index(
        "ix_federation_outbox_state", "federation_outbox", ["peer_id", "lane", "state", "epoch", "seq"], unique=False
    )
    op.create_table(
        "federation_inbox",
        Column("id", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("lane", Text(), nullable=False),
        Column("epoch", Whole, nullable=False),
        Column("seq", Whole, nullable=False),
        Column("type", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("body", Text(), nullable=False),
        Column("key_id", Text(), nullable=False),
        Column("multikey", Text(), nullable=False),
        Column("received_at", Time(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("attempts", Whole, nullable=False),
        Column("error", Text(), nullable=False),
        CheckConstraint(
            "state IN ('done', 'parked', 'dead', 'discarded')", name=op.f("ck_federation_inbox_state_known")
        ),
        ForeignKeyConstraint(["peer_id"], ["federation_peer.id"], name=op.f("fk_federation_inbox_peer_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_inbox")),
        UniqueConstraint("peer_id", "lane", "epoch", "seq", name=op.f("uq_federation_inbox_peer_id_lane_epoch_seq")),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_inbox_state", "federation_inbox", ["state", "peer_id", "received_at"], unique=False)
    op.create_table(
        "federation_alert",
        Column("peer_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("count", Whole, nullable=False),
        Column("first_at", Time(), nullable=False),
        Column("last_at", Time(), nullable=False),
        ForeignKeyConstraint(["peer_id"], ["federation_peer.id"], name=op.f("fk_federation_alert_peer_id")),
        PrimaryKeyConstraint("peer_id", "kind", name=op.f("pk_federation_alert")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_epoch",
        Column("epoch", Whole, nullable=False),
        Column("began_at", Time(), nullable=False),
        Column("reason", Text(), nullable=False),
        PrimaryKeyConstraint("epoch", name=op.f("pk_federation_epoch")),
        UniqueConstraint("reason", name=op.f("uq_federation_epoch_reason")),
        sqlite_strict=True,
    )
