"""Stock that travels: what is lent to others, what may be had from elsewhere, and until when it may be sold here."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.append_only import append_only_ddl
from commensal.storage.database.types import Time, Whole

revision = "0018_travelling"
down_revision = "0016_privacy"
branch_labels = None
depends_on = None

_KNOWN = "kind IN ('received', 'counted', 'taken', 'released', 'sold', 'restocked', 'weighed', 'lent', 'leased')"


def upgrade() -> None:
    whole = "INTEGER" if _on_sqlite() else "BIGINT"
    op.execute(
        f"ALTER TABLE stock_lot ADD COLUMN lent {whole} NOT NULL DEFAULT 0"
        " CONSTRAINT ck_stock_lot_lent_not_negative CHECK (lent >= 0)"  # SQLite adds it only together with its column
    )
    op.add_column("stock_lot", Column("beyond", Whole, nullable=False, server_default="0"))
    op.add_column("stock_lot", Column("free_until", Time(), nullable=True))
    if _on_sqlite():
        _make_movements_anew()
    else:
        op.add_column("stock_movement", Column("lent_change", Whole, nullable=False, server_default="0"))
        op.drop_constraint(op.f("ck_stock_movement_kind_known"), "stock_movement", type_="check")
        op.create_check_constraint(op.f("ck_stock_movement_kind_known"), "stock_movement", _KNOWN)


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _make_movements_anew() -> None:
    """SQLite cannot change a constraint. Nothing refers to a movement, so the table may be replaced."""
    op.create_table(
        "stock_movement_new",
        Column("id", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("free_change", Whole, nullable=False),
        Column("reserved_change", Whole, nullable=False),
        Column("sold_change", Whole, nullable=False),
        Column("lent_change", Whole, nullable=False, server_default="0"),
        Column("order_id", Text(), nullable=True),
        Column("person_id", Text(), nullable=True),
        Column("note", Text(), nullable=False),
        CheckConstraint(_KNOWN, name=op.f("ck_stock_movement_kind_known")),
        ForeignKeyConstraint(["lot_id"], ["stock_lot.id"], name=op.f("fk_stock_movement_lot_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_stock_movement")),
        sqlite_strict=True,
    )
    kept = "id, lot_id, at, kind, free_change, reserved_change, sold_change, order_id, person_id, note"
    op.execute(f"INSERT INTO stock_movement_new ({kept}) SELECT {kept} FROM stock_movement")  # noqa: S608
    for change in ("update", "delete"):
        op.execute(f"DROP TRIGGER stock_movement_no_{change}")
    op.drop_table("stock_movement")
    op.rename_table("stock_movement_new", "stock_movement")
    op.create_index("ix_stock_movement_lot", "stock_movement", ["lot_id", "id"], unique=False)
    for statement in append_only_ddl("stock_movement", "sqlite"):
        op.execute(statement)
