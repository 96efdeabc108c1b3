"""Rounds that are proposed for what comes to a hub."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole

revision = "transport_0006_plans"
down_revision = "transport_0005_noted"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transport_plan",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("asked_at", Time(), nullable=False),
        Column("made_at", Time(), nullable=True),
        Column("replaced_at", Time(), nullable=True),
        Column("reason", Text(), nullable=False),
        Column("metres_alone", Whole, nullable=False),
        Column("metres_planned", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_plan_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_plan")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_plan_enterprise_id"), "transport_plan", ["enterprise_id"], unique=False)
    op.create_table(
        "transport_proposal",
        Column("id", Text(), nullable=False),
        Column("plan_id", Text(), nullable=False),
        Column("round", Whole, nullable=False),
        Column("position", Whole, nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("vehicle_id", Text(), nullable=True),
        Column("basis", Text(), nullable=False),
        Column("origin", Text(), nullable=False),
        Column("sale_id", Text(), nullable=False),
        Column("starts_at", Time(), nullable=False),
        Column("ends_at", Time(), nullable=False),
        Column("until", Time(), nullable=False),
        Column("pickup_at", Time(), nullable=False),
        Column("delivery_at", Time(), nullable=False),
        Column("price", Whole, nullable=False),
        Column("alone", Whole, nullable=False),
        Column("answer", Text(), nullable=False),
        Column("trip_id", Text(), nullable=True),
        Column("booking_id", Text(), nullable=True),
        CheckConstraint("answer IN ('open', 'accepted', 'declined')", name=op.f("ck_transport_proposal_known_answer")),
        *(
            ForeignKeyConstraint([f"{name}_id"], [f"{table}.id"], name=op.f(f"fk_transport_proposal_{name}_id"))
            for name, table in (
                ("plan", "transport_plan"),
                ("enterprise", "enterprise"),
                ("vehicle", "transport_vehicle"),
                ("trip", "transport_trip"),
                ("booking", "transport_booking"),
            )
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_proposal")),
        sqlite_strict=True,
    )
    for name in ("plan_id", "enterprise_id", "vehicle_id", "trip_id", "booking_id"):
        op.create_index(op.f(f"ix_transport_proposal_{name}"), "transport_proposal", [name], unique=False)
