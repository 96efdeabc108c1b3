"""Empties that came back, counts of the till, what suppliers were paid, and when the books of a sale were closed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.append_only import append_only_ddl
from commensal.storage.database.types import Json, Time, Whole

revision = "0044_books"
down_revision = "0043_unpaid"
branch_labels = None
depends_on = None

_JOURNALS = ("container_return", "counted_till", "supplier_payment", "session_books")


def upgrade() -> None:
    op.add_column("sale_session", Column("books_closed_at", Time(), nullable=True))
    _create_returns()
    _create_counts()
    _create_payments()
    _create_books()
    for table in _JOURNALS:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def _refers(table: str, column: str, target: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _text(name: str) -> Column[str]:
    return Column(name, Text(), nullable=False)


def _whole(name: str) -> Column[int]:
    return Column(name, Whole, nullable=False)


def _create_returns() -> None:
    table = "container_return"
    op.create_table(
        table,
        _text("id"),
        _text("enterprise_id"),
        _text("order_id"),
        _text("supplier_id"),
        _whole("deposit"),
        _whole("pieces"),
        Column("at", Time(), nullable=False),
        Column("person_id", Text(), nullable=True),
        CheckConstraint("deposit > 0", name=op.f(f"ck_{table}_deposit_positive")),
        CheckConstraint("pieces <> 0", name=op.f(f"ck_{table}_some_pieces")),
        _refers(table, "enterprise_id", "enterprise"),
        _refers(table, "order_id", "customer_order"),
        _refers(table, "supplier_id", "enterprise"),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sqlite_strict=True,
    )
    op.create_index(op.f(f"ix_{table}_order_id"), table, ["order_id"])


def _create_counts() -> None:
    table = "counted_till"
    amounts = (_whole(name) for name in ("float_before", "taken", "counted", "float_after"))
    fits = "counted >= 0 AND float_after >= 0 AND float_after <= counted"
    op.create_table(
        table,
        _text("id"),
        _text("enterprise_id"),
        _whole("number"),
        _text("method"),
        _text("currency"),
        _whole("until"),
        *amounts,
        _text("reason"),
        Column("at", Time(), nullable=False),
        _text("person_id"),
        CheckConstraint(fits, name=op.f(f"ck_{table}_amounts_fit")),
        _refers(table, "enterprise_id", "enterprise"),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        UniqueConstraint("enterprise_id", "number", name=op.f(f"uq_{table}_enterprise_id_number")),
        sqlite_strict=True,
    )
    op.create_index("ix_counted_till_method", table, ["enterprise_id", "method", "number"])


def _create_payments() -> None:
    table = "supplier_payment"
    op.create_table(
        table,
        _text("id"),
        _text("enterprise_id"),
        _text("supplier_id"),
        _text("session_id"),
        _whole("amount"),
        _text("currency"),
        _text("reference"),
        Column("at", Time(), nullable=False),
        _text("person_id"),
        CheckConstraint("amount <> 0", name=op.f(f"ck_{table}_some_money")),
        _refers(table, "enterprise_id", "enterprise"),
        _refers(table, "supplier_id", "enterprise"),
        _refers(table, "session_id", "sale_session"),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sqlite_strict=True,
    )
    op.create_index("ix_supplier_payment_session", table, ["enterprise_id", "session_id"])


def _create_books() -> None:
    table = "session_books"
    op.create_table(
        table,
        _text("id"),
        _text("enterprise_id"),
        _text("session_id"),
        _text("kind"),
        Column("figures", Json(), nullable=False),
        _text("reason"),
        Column("at", Time(), nullable=False),
        _text("person_id"),
        CheckConstraint("kind IN ('closed', 'opened again')", name=op.f(f"ck_{table}_kind_known")),
        _refers(table, "enterprise_id", "enterprise"),
        _refers(table, "session_id", "sale_session"),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sqlite_strict=True,
    )
    op.create_index(op.f(f"ix_{table}_session_id"), table, ["session_id"])
