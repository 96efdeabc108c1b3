"""Asks plugins what is to be ordered of a supplier instead of what customers have ordered (hook `demand_shaping`).

Between the closing of a supplier's part and its order. Less is taken off customers' orders as a shortage is, by the
shop's policy; more than they have ordered is never ordered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, itemgetter

from sqlalchemy import bindparam, func, select

from ...base.errors import Problem
from ...base.texts import read_text
from ...enterprises.enterprises import enterprise_by_id
from ...enterprises.plugins import enabled_plugins
from ...enterprises.tables import enterprise
from ...hooks import specifications
from ...hooks.dispatcher import HookAnswer, Hooks
from ...hooks.values import ClosedDemand, OrderedGoods, ShapedGoods
from ...orders.emails import Withdrawn
from ...orders.lock import locked_order
from ...orders.tables import customer_order, order_line
from ...sale_sessions.tables import sale_session
from ...storage.database import Row, Transaction
from ..distribution.distribution import CustomersLine, lines_of_product
from ..order_corrections.substitutes import shorten_order
from .policy import closing_policy_of
from .purchase_prices import purchase_price
from .shortage_shares import shares

_order, _line, _session = customer_order.c, order_line.c, sale_session.c
_LONGEST = 200  # characters of a reason
_WHAT = (
    select(
        _line.supplier_id,
        enterprise.c.name.label("supplier"),
        _session.begins_at,
        _line.product_id,
        func.min(_line.name).label("name"),
        func.min(_line.unit_quantity, type_=_line.unit_quantity.type).label("size"),
        func.min(_line.unit).label("unit"),
        func.sum(_line.quantity).label("pieces"),
        func.sum(_line.quantity * purchase_price()).label("amount"),
    )
    .select_from(
        customer_order.join(order_line, _line.order_id == _order.id)
        .join(sale_session, _session.id == _order.session_id)
        .join(enterprise, enterprise.c.id == _line.supplier_id)
    )
    .where(_order.session_id == bindparam("session"), _order.state.in_(("Held", "Complete")), _line.quantity > 0)
    .where(_line.supplier_id.in_(bindparam("suppliers", expanding=True)))
    .group_by(_line.supplier_id, enterprise.c.name, _session.begins_at, _line.product_id)
    .order_by(_line.supplier_id, func.min(_line.name), _line.product_id)
)


@dataclass(frozen=True, kw_only=True)
class Shaping:
    """A plugin's answer: of `ordered` pieces of a product, only `pieces` are to be ordered; `reason` says why."""

    supplier_id: str
    product_id: str
    name: str
    ordered: int
    pieces: int
    reason: str


def shapings_of(
    tx: Transaction, hooks: Hooks, enterprise_id: str, session_id: str, supplier_ids: Collection[str]
) -> list[Shaping]:
    """Returns what the shop's plugins would change of what is ordered of these suppliers, by supplier and product.

    One statement for all suppliers, beside those of the plugins. Answers that cannot be used are left out, and the
    plugin is blamed.
    """
    if not supplier_ids:
        return []
    rows = tx.all(_WHAT, {"session": session_id, "suppliers": sorted(supplier_ids)})
    if not rows:
        return []
    shop, plugins = enterprise_by_id(tx, enterprise_id), enabled_plugins(tx, enterprise_id)
    shapings: list[Shaping] = []
    for _, group in groupby(rows, itemgetter("supplier_id")):
        demand = _demand(list(group), enterprise_id, session_id, shop.currency)
        answers = hooks.each(specifications.demand_shaping, plugins, tx=tx, demand=demand, language=shop.language)
        shapings += _first_of_each(hooks, demand, answers)
    return shapings


def shape_demand(tx: Transaction, hooks: Hooks, enterprise_id: str, session_id: str, supplier_id: str) -> bool:
    """Takes off customers' orders what plugins say is not to be ordered. Returns whether any order has changed."""
    shapings = shapings_of(tx, hooks, enterprise_id, session_id, [supplier_id])
    policy = closing_policy_of(tx, enterprise_id).shortage if shapings else "by hand"
    if policy == "by hand":
        return False
    fewer: dict[str, dict[str, int]] = {}
    emptied: dict[str, list[Shaping]] = {}
    for shaping in shapings:
        lines: Sequence[CustomersLine] = lines_of_product(tx, session_id, shaping.product_id)
        for line, pieces in zip(lines, shares(lines, shaping.ordered - shaping.pieces, policy), strict=True):
            if pieces:
                of_order = fewer.setdefault(line.order_id, {})
                of_order[line.line_id] = pieces
            if pieces and not shaping.pieces:
                emptied.setdefault(line.order_id, []).append(shaping)
    for order_id in sorted(fewer):
        order = locked_order(tx, order_id, enterprise_id=enterprise_id)
        shorten_order(tx, hooks, order, fewer[order_id], withdrawn=_withdrawn(emptied.get(order_id, ())))
    return bool(fewer)


def _demand(rows: Sequence[Row], enterprise_id: str, session_id: str, currency: str) -> ClosedDemand:
    return ClosedDemand(
        enterprise_id=enterprise_id,
        session_id=session_id,
        supplier_id=rows[0]["supplier_id"],
        supplier=rows[0]["supplier"],
        currency=currency,
        begins_at=rows[0]["begins_at"],
        goods=tuple(
            OrderedGoods(
                product_id=row["product_id"],
                name=row["name"],
                unit_quantity=row["size"],
                unit=row["unit"],
                pieces=int(row["pieces"]),
                amount=int(row["amount"]),
            )
            for row in rows
        ),
    )


def _first_of_each(
    hooks: Hooks, demand: ClosedDemand, answers: Sequence[HookAnswer[Sequence[ShapedGoods] | None]]
) -> list[Shaping]:
    """Returns the first usable answer about each product."""
    ordered = {goods.product_id: goods for goods in demand.goods}
    decided: dict[str, Shaping] = {}
    for answer in answers:
        for shaped in answer.value or ():
            goods = ordered.get(shaped.product_id)
            problems: list[Problem] = []
            reason = read_text(shaped.reason, "", problems, least=1, most=_LONGEST)
            if goods is None or not 0 <= shaped.pieces < goods.pieces or problems:
                what = f"it shapes {shaped.product_id} to {shaped.pieces} pieces for the reason {shaped.reason[:40]!r}"
                hooks.blame(specifications.demand_shaping, answer.plugin, what)
                continue
            decided.setdefault(
                goods.product_id,
                Shaping(
                    supplier_id=demand.supplier_id,
                    product_id=goods.product_id,
                    name=goods.name,
                    ordered=goods.pieces,
                    pieces=shaped.pieces,
                    reason=reason,
                ),
            )
    return sorted(decided.values(), key=attrgetter("name", "product_id"))


def _withdrawn(shapings: Sequence[Shaping]) -> Withdrawn | None:
    """What an order's customer reads of goods of which nothing is ordered."""
    if not shapings:
        return None
    names, reasons = (dict.fromkeys(getattr(each, name) for each in shapings) for name in ("name", "reason"))
    return Withdrawn(names=tuple(names), reason="; ".join(reasons))
