"""A supplier's own cut-off: after it customers can neither change nor cancel its goods, which are being prepared."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from ..base.errors import Problem
from ..enterprises.tables import enterprise
from ..pricing.values import PricedLine
from ..sale_sessions.tables import coordination_supplier
from ..storage.database import Time, Transaction
from .lines import not_possible

_CLOSED = (
    select(coordination_supplier.c.enterprise_id, enterprise.c.name)
    .join(enterprise, enterprise.c.id == coordination_supplier.c.enterprise_id)
    .where(
        coordination_supplier.c.coordination_id == bindparam("coordination"),
        coordination_supplier.c.closes_at <= bindparam("now", type_=Time),
    )
)


def refuse_after_cut_off(tx: Transaction, coordination_id: str, lines: Iterable[PricedLine]) -> None:
    """Raises `Conflict` with a problem at "/items/<item>" for each line whose supplier's cut-off has passed."""
    problems = late_lines(tx, coordination_id, lines)
    if problems:
        raise not_possible(problems)


def late_lines(tx: Transaction, coordination_id: str, lines: Iterable[PricedLine]) -> list[Problem]:
    """Returns a problem for each line whose supplier's cut-off has passed. At most one statement."""
    ordered = [line for line in lines if line.quantity]
    if not ordered:
        return []
    rows = tx.all(_CLOSED, {"coordination": coordination_id, "now": tx.now})
    closed_suppliers = {row["enterprise_id"]: row["name"] for row in rows}
    text = "{supplier} needs its orders earlier, and they have closed: {name} stays as it was ordered."
    return [
        Problem(
            "cut_off",
            text,
            f"/items/{line.item_id}",
            {"supplier": closed_suppliers[line.supplier_id], "name": line.name},
        )
        for line in ordered
        if line.supplier_id in closed_suppliers
    ]
