"""The links in e-mails have secrets that are kept as hashes, so that a copy of the database opens none.

Those in e-mails that were sent work on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from commensal import Time

revision = "shop_0002_links"
down_revision = "shop_0001_watches"
branch_labels = None
depends_on = None

_KEPT = "id, enterprise_id, email, person_id, language, asked_at, confirmed_at, told_at"


def upgrade() -> None:
    _keep_links()
    if op.get_bind().dialect.name == "sqlite":
        _replace_watches()
    else:
        op.drop_column("shop_watch", "secret")


def _keep_links() -> None:
    database, tables = op.get_bind(), MetaData()
    watch = Table("shop_watch", tables, Column("id", Text()), Column("secret", Text()))
    names = ("hash", "purpose", "subject_id")
    link = Table("mailed_link", tables, *(Column(name, Text()) for name in names), Column("expires_at", Time()))
    expires_at = datetime.now(UTC) + timedelta(days=400)
    rows = [
        {
            "hash": sha256(row.secret.encode()).hexdigest(),
            "purpose": "shop.watch",
            "subject_id": row.id,
            "expires_at": expires_at,
        }
        for row in database.execute(watch.select())
    ]
    if rows:
        database.execute(link.insert(), rows)


def _replace_watches() -> None:
    """SQLite cannot drop a column that is unique. Nothing refers to a wish, so the table may be replaced."""
    op.create_table(
        "shop_watch_new",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("person_id", Text(), nullable=True),
        Column("language", Text(), nullable=False),
        Column("asked_at", Time(), nullable=False),
        Column("confirmed_at", Time(), nullable=True),
        Column("told_at", Time(), nullable=True),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_shop_watch_enterprise_id")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_shop_watch_person_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_shop_watch")),
        UniqueConstraint("enterprise_id", "email", name=op.f("uq_shop_watch_enterprise_id_email")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO shop_watch_new ({_KEPT}) SELECT {_KEPT} FROM shop_watch")  # noqa: S608
    op.drop_table("shop_watch")
    op.rename_table("shop_watch_new", "shop_watch")
    for column in ("email", "person_id", "asked_at"):
        op.create_index(op.f(f"ix_shop_watch_{column}"), "shop_watch", [column])
