"""Vehicles, trips, loads, bookings, what happened to them, and statements."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, text

from commensal import Exact, Flag, Json, Time, Whole, append_only_ddl

revision = "transport_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transport_vehicle",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("crates", Whole, nullable=False),
        Column("kg", Whole, nullable=False),
        Column("cold", Whole, nullable=False),
        Column("keeping", Text(), nullable=False),
        Column("cents_per_km", Whole, nullable=False),
        Column("archived_at", Time(), nullable=True),
        Column("version", Whole, nullable=False),
        CheckConstraint("cents_per_km >= 0", name=op.f("ck_transport_vehicle_cost_not_negative")),
        CheckConstraint(
            "crates > 0 AND kg > 0 AND cold >= 0 AND cold <= crates", name=op.f("ck_transport_vehicle_has_room")
        ),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_vehicle_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_vehicle")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_vehicle_enterprise_id"), "transport_vehicle", ["enterprise_id"], unique=False)
    op.create_table(
        "transport_trip",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("vehicle_id", Text(), nullable=False),
        Column("basis", Text(), nullable=False),
        Column("proof", Text(), nullable=False),
        Column("rule", Text(), nullable=False),
        Column("crates", Whole, nullable=False),
        Column("kg", Whole, nullable=False),
        Column("cold", Whole, nullable=False),
        Column("keeping", Text(), nullable=False),
        Column("cents_per_km", Whole, nullable=False),
        Column("toll", Whole, nullable=False),
        Column("stop_price", Whole, nullable=False),
        Column("crate_price", Whole, nullable=False),
        Column("starts_at", Time(), nullable=False),
        Column("ends_at", Time(), nullable=False),
        Column("book_until", Time(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("ends_at > starts_at", name=op.f("ck_transport_trip_ends_after_start")),
        CheckConstraint("state IN ('open', 'driven', 'cancelled')", name=op.f("ck_transport_trip_known_state")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_trip_enterprise_id")),
        ForeignKeyConstraint(["vehicle_id"], ["transport_vehicle.id"], name=op.f("fk_transport_trip_vehicle_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_trip")),
        sqlite_strict=True,
    )
    op.create_index("ix_transport_trip_enterprise", "transport_trip", ["enterprise_id", "starts_at"], unique=False)
    op.create_index("ix_transport_trip_open", "transport_trip", ["state", "book_until"], unique=False)
    op.create_index(op.f("ix_transport_trip_vehicle_id"), "transport_trip", ["vehicle_id"], unique=False)
    op.create_table(
        "transport_stop",
        Column("id", Text(), nullable=False),
        Column("trip_id", Text(), nullable=False),
        Column("position", Whole, nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("latitude", Exact(), nullable=False),
        Column("longitude", Exact(), nullable=False),
        Column("opens_at", Time(), nullable=False),
        Column("closes_at", Time(), nullable=False),
        Column("free_crates", Whole, nullable=False),
        Column("free_kg", Whole, nullable=False),
        Column("free_cold", Whole, nullable=False),
        CheckConstraint(
            "free_crates >= 0 AND free_kg >= 0 AND free_cold >= 0", name=op.f("ck_transport_stop_not_overbooked")
        ),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_stop_enterprise_id")),
        ForeignKeyConstraint(["trip_id"], ["transport_trip.id"], name=op.f("fk_transport_stop_trip_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_stop")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_stop_enterprise_id"), "transport_stop", ["enterprise_id"], unique=False)
    op.create_index("ix_transport_stop_trip", "transport_stop", ["trip_id", "position"], unique=False)
    op.create_table(
        "transport_need",
        Column("enterprise_id", Text(), nullable=False),
        Column("origin", Text(), nullable=False),
        Column("sale_id", Text(), nullable=False),
        Column("crates", Whole, nullable=False),
        Column("kg", Whole, nullable=False),
        Column("own_boxes", Flag(), nullable=False),
        CheckConstraint("crates > 0 AND kg > 0", name=op.f("ck_transport_need_is_a_load")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_need_enterprise_id")),
        PrimaryKeyConstraint("enterprise_id", "origin", "sale_id", name=op.f("pk_transport_need")),
        sqlite_strict=True,
    )
    op.create_table(
        "transport_booking",
        Column("id", Text(), nullable=False),
        Column("trip_id", Text(), nullable=False),
        Column("sender_id", Text(), nullable=False),
        Column("receiver_id", Text(), nullable=False),
        Column("origin", Text(), nullable=False),
        Column("sale_id", Text(), nullable=False),
        Column("crates", Whole, nullable=False),
        Column("kg", Whole, nullable=False),
        Column("cold", Whole, nullable=False),
        Column("keeping", Text(), nullable=False),
        Column("own_boxes", Flag(), nullable=False),
        Column("room_crates", Whole, nullable=False),
        Column("pickup_id", Text(), nullable=True),
        Column("delivery_id", Text(), nullable=True),
        Column("pickup_at", Time(), nullable=False),
        Column("delivery_at", Time(), nullable=False),
        Column("alone", Whole, nullable=False),
        Column("cap", Whole, nullable=True),
        Column("tariff", Whole, nullable=False),
        Column("state", Text(), nullable=False),
        Column("booked_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("crates > 0 AND kg > 0 AND cold >= 0", name=op.f("ck_transport_booking_is_a_load")),
        CheckConstraint(
            "cap IS NULL OR (cap >= 0 AND cap <= alone)", name=op.f("ck_transport_booking_not_worse_than_alone")
        ),
        ForeignKeyConstraint(["delivery_id"], ["transport_stop.id"], name=op.f("fk_transport_booking_delivery_id")),
        ForeignKeyConstraint(["pickup_id"], ["transport_stop.id"], name=op.f("fk_transport_booking_pickup_id")),
        ForeignKeyConstraint(["receiver_id"], ["enterprise.id"], name=op.f("fk_transport_booking_receiver_id")),
        ForeignKeyConstraint(["sender_id"], ["enterprise.id"], name=op.f("fk_transport_booking_sender_id")),
        ForeignKeyConstraint(["trip_id"], ["transport_trip.id"], name=op.f("fk_transport_booking_trip_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_booking")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_booking_delivery_id"), "transport_booking", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_transport_booking_pickup_id"), "transport_booking", ["pickup_id"], unique=False)
    op.create_index(op.f("ix_transport_booking_receiver_id"), "transport_booking", ["receiver_id"], unique=False)
    op.create_index("ix_transport_booking_sender", "transport_booking", ["sender_id", "pickup_at"], unique=False)
    op.create_index(op.f("ix_transport_booking_trip_id"), "transport_booking", ["trip_id"], unique=False)
    carried = text("state IN ('confirmed', 'picked_up', 'delivered')")
    op.create_index(
        "ux_transport_booking_carried",
        "transport_booking",
        ["sender_id", "origin", "sale_id"],
        unique=True,
        sqlite_where=carried,
        postgresql_where=carried,
    )
    op.create_table(
        "transport_event",
        Column("id", Text(), nullable=False),
        Column("booking_id", Text(), nullable=False),
        Column("event", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("by_id", Text(), nullable=False),
        Column("crates", Whole, nullable=True),
        Column("celsius", Exact(), nullable=True),
        Column("note", Text(), nullable=False),
        ForeignKeyConstraint(["booking_id"], ["transport_booking.id"], name=op.f("fk_transport_event_booking_id")),
        ForeignKeyConstraint(["by_id"], ["enterprise.id"], name=op.f("fk_transport_event_by_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_event")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_event_booking_id"), "transport_event", ["booking_id"], unique=False)
    op.create_index(op.f("ix_transport_event_by_id"), "transport_event", ["by_id"], unique=False)
    op.create_table(
        "transport_statement",
        Column("trip_id", Text(), nullable=False),
        Column("content", Json(), nullable=False),
        Column("shares", Json(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("written_at", Time(), nullable=False),
        ForeignKeyConstraint(["trip_id"], ["transport_trip.id"], name=op.f("fk_transport_statement_trip_id")),
        PrimaryKeyConstraint("trip_id", name=op.f("pk_transport_statement")),
        sqlite_strict=True,
    )
    for statement in append_only_ddl("transport_event", op.get_bind().dialect.name):
        op.execute(statement)
