"""Notes of the ledger may be emptied, so that people can be forgotten; nothing else of it ever changes."""

from __future__ import annotations

from alembic import op

from commensal import append_only_ddl, drop_append_only_ddl

revision = "account_0002_notes"
down_revision = "account_0001_first"
branch_labels = None
depends_on = None

_OTHERS = (
    "id",
    "enterprise_id",
    "customer_id",
    "at",
    "kind",
    "amount",
    "balance",
    "payment_id",
    "order_number",
    "person_id",
)


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in drop_append_only_ddl("account_entry", dialect):
        op.execute(statement)
    for statement in append_only_ddl("account_entry", dialect, blanked="note", others=_OTHERS):
        op.execute(statement)
