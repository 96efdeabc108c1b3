"""What partners' words have cost an enterprise by themselves, by month."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text

from commensal import Time, Whole, append_only_ddl

revision = "federation_0038_allowance"
down_revision = "federation_0037_absences"
branch_labels = None
depends_on = None

_DRAW = "federation_allowance_draw"


def upgrade() -> None:
    op.create_table(
        "federation_allowance",
        Column("enterprise_id", Text(), nullable=False),
        Column("partner_iri", Text(), nullable=False),
        Column("month", Text(), nullable=False),
        Column("drawn", Whole, nullable=False),
        PrimaryKeyConstraint("enterprise_id", "partner_iri", "month", name=op.f("pk_federation_allowance")),
        sqlite_strict=True,
    )
    op.create_table(
        _DRAW,
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("partner_iri", Text(), nullable=False),
        Column("month", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("subject", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        CheckConstraint("kind IN ('price', 'weight', 'shortage', 'receipt')", name=op.f(f"ck_{_DRAW}_kind_known")),
        CheckConstraint("amount > 0", name=op.f(f"ck_{_DRAW}_amount_positive")),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{_DRAW}")),
        sqlite_strict=True,
    )
    op.create_index(f"ix_{_DRAW}_month", _DRAW, ["enterprise_id", "partner_iri", "month"])
    op.create_index(f"ix_{_DRAW}_subject", _DRAW, ["enterprise_id", "partner_iri", "subject"])
    for statement in append_only_ddl(_DRAW, op.get_bind().dialect.name):
        op.execute(statement)
