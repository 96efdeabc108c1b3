"""Trips and bookings of other instances: copies, prices asked for, places, what was sent, and comparisons."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, text

from commensal import Flag, Json, Time, Whole

revision = "transport_0002_elsewhere"
down_revision = "transport_0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transport_trip", Column("peer_id", Text(), nullable=True))
    op.add_column("transport_trip", Column("iri", Text(), nullable=True))
    op.add_column("transport_trip", Column("heard", Whole, nullable=False, server_default="0"))
    op.create_index("ux_transport_trip_iri", "transport_trip", ["iri"], unique=True)
    op.add_column("transport_booking", Column("iri", Text(), nullable=True))
    op.add_column("transport_booking", Column("number", Whole, nullable=False, server_default="0"))
    op.add_column("transport_booking", Column("heard", Whole, nullable=False, server_default="0"))
    op.add_column("transport_booking", Column("reason", Text(), nullable=False, server_default=""))
    op.create_index("ux_transport_booking_iri", "transport_booking", ["iri"], unique=True)
    op.drop_index("ux_transport_booking_carried", "transport_booking")
    carried = text("state IN ('ordered', 'confirmed', 'picked_up', 'delivered')")
    op.create_index(
        "ux_transport_booking_carried",
        "transport_booking",
        ["sender_id", "origin", "sale_id"],
        unique=True,
        sqlite_where=carried,
        postgresql_where=carried,
    )
    _add_quotes()
    op.create_table(
        "transport_place",
        Column("enterprise_id", Text(), nullable=False),
        Column("hours", Whole, nullable=False),
        Column("heard", Whole, nullable=False),
        Column("asked_at", Time(), nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_place_enterprise_id")),
        PrimaryKeyConstraint("enterprise_id", name=op.f("pk_transport_place")),
        sqlite_strict=True,
    )
    op.create_table(
        "transport_sent",
        Column("peer_id", Text(), nullable=False),
        Column("type", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        Column("digest", Text(), nullable=False),
        PrimaryKeyConstraint("peer_id", "type", "subject", name=op.f("pk_transport_sent")),
        sqlite_strict=True,
    )
    op.create_table(
        "transport_comparison",
        Column("trip_id", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        Column("digest", Text(), nullable=False),
        Column("mistakes", Json(), nullable=False),
        Column("at", Time(), nullable=False),
        ForeignKeyConstraint(["trip_id"], ["transport_trip.id"], name=op.f("fk_transport_comparison_trip_id")),
        PrimaryKeyConstraint("trip_id", "peer_id", name=op.f("pk_transport_comparison")),
        sqlite_strict=True,
    )


def _add_quotes() -> None:
    op.create_table(
        "transport_quote",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("origin", Text(), nullable=False),
        Column("sale_id", Text(), nullable=False),
        Column("trip_id", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        Column("crates", Whole, nullable=False),
        Column("kg", Whole, nullable=False),
        Column("own_boxes", Flag(), nullable=False),
        Column("asked_at", Time(), nullable=False),
        Column("answered_at", Time(), nullable=True),
        Column("code", Text(), nullable=False),
        Column("price", Whole, nullable=False),
        Column("alone", Whole, nullable=False),
        Column("pickup_at", Time(), nullable=True),
        Column("delivery_at", Time(), nullable=True),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_quote_enterprise_id")),
        ForeignKeyConstraint(["trip_id"], ["transport_trip.id"], name=op.f("fk_transport_quote_trip_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_quote")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_quote_trip_id"), "transport_quote", ["trip_id"], unique=False)
    op.create_index(
        "ux_transport_quote", "transport_quote", ["enterprise_id", "origin", "sale_id", "trip_id"], unique=True
    )
