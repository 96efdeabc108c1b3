"""Orders between instances are a chain of facts. Those of before begin it with what stands: no sum changes by this."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from alembic import op
from sqlalchemy import CheckConstraint, Column, MetaData, PrimaryKeyConstraint, Table, Text, bindparam, select, update

from commensal import Exact, Flag, Time, Whole, append_only_ddl

revision = "federation_0041_facts"
down_revision = "federation_0040_followed_prices"
branch_labels = None
depends_on = None

_FACT = "federation_order_fact"
_AT_ONCE = 500
_tables = MetaData()
_order = Table(
    "federation_order",
    _tables,
    *(Column(name, Text, primary_key=name == "id") for name in ("id", "state", "receipt", "objection")),
    *(Column(name, Whole) for name in ("rev", "answer", "owed")),
    Column("changed_at", Time),
    Column("begins_at", Time),
    Column("settled_from", Time),
)
_line = Table(
    "federation_order_line",
    _tables,
    *(Column(name, Text, primary_key=True) for name in ("order_id", "item_iri")),
    *(Column(name, Text) for name in ("answer", "reason")),
    *(Column(name, Whole) for name in ("price", "quantity", "confirmed", "received", "received_amount", "number")),
    *(Column(name, Exact) for name in ("final_quantity", "unit_quantity", "received_quantity")),
)


def upgrade() -> None:
    op.add_column("federation_order", Column("called_off", Flag(), nullable=False, server_default="0"))
    op.add_column("federation_order", Column("settled_from", Time(), nullable=True))
    op.add_column("federation_order_line", Column("number", Whole, nullable=False, server_default="0"))
    op.add_column("federation_order_line", Column("wanted", Whole, nullable=True))
    facts = op.create_table(
        _FACT,
        Column("order_id", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("said_by", Text(), nullable=False),
        Column("rev", Whole, nullable=False),
        Column("answer", Whole, nullable=False),
        Column("line", Whole, nullable=False),
        Column("pieces", Whole, nullable=True),
        Column("weight", Exact(), nullable=True),
        Column("amount", Whole, nullable=True),
        Column("reason", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        CheckConstraint(
            "kind IN ('ordered', 'answered', 'delivered', 'claimed', 'agreed')", name=op.f(f"ck_{_FACT}_kind_known")
        ),
        CheckConstraint("said_by IN ('hub', 'producer')", name=op.f(f"ck_{_FACT}_said_by_known")),
        PrimaryKeyConstraint("order_id", "number", name=op.f(f"pk_{_FACT}")),
        sqlite_strict=True,
    )
    connection = op.get_bind()
    orders = [row._asdict() for row in connection.execute(select(_order).order_by(_order.c.id))]
    for order in orders:
        lines = connection.execute(select(_line).where(_line.c.order_id == order["id"]).order_by(_line.c.item_iri))
        numbered = [{**row._asdict(), "number": number} for number, row in enumerate(lines, 1)]
        _number(connection, numbered)
        rows = list(_facts(order, numbered)) if order["state"] == "Complete" else []
        for first in range(0, len(rows), _AT_ONCE):
            connection.execute(facts.insert(), rows[first : first + _AT_ONCE])
    complete = _order.c.state == "Complete"
    connection.execute(update(_order).where(complete).values(settled_from=_order.c.begins_at))
    for statement in append_only_ddl(_FACT, connection.dialect.name):
        op.execute(statement)


def _number(connection: Any, lines: list[dict[str, Any]]) -> None:
    matching = (_line.c.order_id == bindparam("order"), _line.c.item_iri == bindparam("item"))
    change = update(_line).where(*matching).values(number=bindparam("place"))
    for line in lines:
        values = {"order": line["order_id"], "item": line["item_iri"], "place": line["number"]}
        connection.execute(change, values)


def _facts(order: dict[str, Any], lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, fact in enumerate(_said(order, lines), 1):
        blank = {"line": 0, "pieces": None, "weight": None, "amount": None, "reason": ""}
        about = {"order_id": order["id"], "number": number, "at": order["changed_at"]}
        yield {**blank, **about, "rev": order["rev"], "answer": order["answer"], **fact}


def _said(order: dict[str, Any], lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What stands: of what was weighed by its producer, the amount by that weight, as the statement said."""
    for line in lines:
        about, price = {"line": line["number"]}, line["price"]
        if line["quantity"]:
            amount = price * line["quantity"]
            yield {**about, "kind": "ordered", "said_by": "hub", "pieces": line["quantity"], "amount": amount}
        if line["answer"]:
            confirmed = line["quantity"] if line["confirmed"] is None else line["confirmed"]
            pieces, weight = min(confirmed, line["quantity"]), line["final_quantity"]
            amount = price * pieces
            if weight is not None:
                exact = Decimal(price) * weight / line["unit_quantity"]
                amount = int(exact.quantize(Decimal(1), ROUND_HALF_UP)) if pieces else 0
            yield {
                **about,
                "kind": "answered",
                "said_by": "producer",
                "pieces": pieces,
                "weight": weight,
                "amount": amount,
                "reason": line["reason"],
            }
        if order["owed"] is not None and line["received"] is not None:
            yield {
                **about,
                "kind": "delivered",
                "said_by": "hub",
                "pieces": line["received"],
                "weight": line["received_quantity"],
                "amount": line["received_amount"],
            }
    if order["owed"] is not None:
        yield {"kind": "claimed", "said_by": "hub", "amount": order["owed"]}
        if order["receipt"] in ("taken", "agreed"):
            reason = "by itself" if order["receipt"] == "taken" else ""
            yield {"kind": "agreed", "said_by": "producer", "amount": order["owed"], "reason": reason}
        elif order["receipt"] == "disputed":
            yield {"kind": "claimed", "said_by": "producer", "reason": order["objection"]}
