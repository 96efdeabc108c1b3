"""Goods that a shop adds to customers' orders, or takes off, after the cut-off of their supplier: who must hear of it.

`compare_due` finds such changes within minutes, whoever makes them. Where people see an order change, the supplier is
told at once, so that its order, what it is owed and what it brings agree from then on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, exists, or_, select, update

from ...enterprises.tables import enterprise, enterprise_member
from ...hooks.dispatcher import Hooks
from ...sale_sessions.openness import cut_off
from ...sale_sessions.tables import coordination, coordination_supplier, sale_session
from ...storage.database import Transaction
from .passed_cut_offs import close
from .policy import closing_policy_of
from .purchase_orders import ordered_by_plugins, revise_order, write_order
from .tables import purchase_order, sale_part

_session, _order, _part = sale_session.c, purchase_order.c, sale_part.c


@dataclass(frozen=True, kw_only=True)
class LateSupplier:
    """A supplier whose cut-off at a sale has passed.

    channel:   how it hears of a change: by "mail", "by hand" where the shop has not ordered of it yet, "elsewhere" on
               the other instance or platform where it sells, or not, since there is "no address"
    order_id, number, revision: of the order that it has got; None: it has none
    begins_at: of the distribution. Times are UTC.
    """

    supplier_id: str
    supplier: str
    phone: str
    cut_off: datetime
    begins_at: datetime
    channel: Literal["mail", "by hand", "elsewhere", "no address"]
    order_id: str | None
    number: int | None
    revision: int | None


def late_suppliers(tx: Transaction, hooks: Hooks, session_id: str, supplier_ids: Collection[str]) -> list[LateSupplier]:
    """Returns those of these suppliers whose cut-off at the session has passed, by name, without the shop itself."""
    is_part = and_(
        coordination_supplier.c.coordination_id == _session.coordination_id,
        coordination_supplier.c.enterprise_id == enterprise.c.id,
    )
    has_owner = exists().where(
        enterprise_member.c.enterprise_id == enterprise.c.id, enterprise_member.c.role == "owner"
    )
    statement = (
        select(
            enterprise.c.id.label("supplier_id"),
            enterprise.c.name.label("supplier"),
            enterprise.c.phone,
            cut_off().label("cut_off"),
            _session.begins_at,
            _session.enterprise_id.label("shop_id"),
            _part.state,
            or_(enterprise.c.email != "", has_owner, enterprise.c.kept_by.is_not(None)).label("has_address"),
            _order.id.label("order_id"),
            _order.number,
            _order.revision,
        )
        .select_from(sale_session)
        .join(coordination, coordination.c.id == _session.coordination_id)
        .join(enterprise, enterprise.c.id.in_(sorted(supplier_ids)))
        .outerjoin(coordination_supplier, is_part)
        .outerjoin(sale_part, and_(_part.session_id == _session.id, _part.supplier_id == enterprise.c.id))
        .outerjoin(purchase_order, and_(_order.session_id == _session.id, _order.supplier_id == enterprise.c.id))
        .where(_session.id == session_id, _session.enterprise_id != enterprise.c.id, cut_off() <= tx.now)
        .where(_session.ends_at > tx.now)
        .order_by(enterprise.c.name, enterprise.c.id)
    )
    rows = tx.all(statement) if supplier_ids else ()
    if not rows:
        return []
    shop_id = rows[0]["shop_id"]
    elsewhere = ordered_by_plugins(tx, hooks, shop_id, [row["supplier_id"] for row in rows])
    by_hand = closing_policy_of(tx, shop_id).telling == "by hand"
    names = [field.name for field in fields(LateSupplier) if field.name != "channel"]
    suppliers = []
    for row in rows:
        channel: Literal["mail", "by hand", "elsewhere", "no address"] = "mail" if row["has_address"] else "no address"
        if row["supplier_id"] in elsewhere:
            channel = "elsewhere"
        elif row["order_id"] is None and by_hand and row["state"] != "told":
            channel = "by hand"
        suppliers.append(LateSupplier(**{name: row[name] for name in names}, channel=channel))
    return suppliers


def tell_of_late_goods(tx: Transaction, hooks: Hooks, session_id: str, supplier_ids: Collection[str]) -> None:
    """Tells those suppliers whose cut-off has passed what customers have ordered of them by now: as a new version of
    their order, or as a first one where nothing was ordered of them before.

    It locks orders to suppliers, so it stands in a transaction of its own, after that which changed a customer's order.
    """
    for supplier in late_suppliers(tx, hooks, session_id, supplier_ids):
        if supplier.order_id is not None:
            revise_order(tx, supplier.order_id)
        elif supplier.channel != "elsewhere":
            _tell_first(tx, session_id, supplier)


def _tell_first(tx: Transaction, session_id: str, supplier: LateSupplier) -> None:
    """Writes the first order of a supplier of which nothing was ordered at its cut-off. A shop that tells suppliers by
    hand finds it among those that are not told. Plugins do not shape what somebody has added on purpose."""
    is_part = (_part.session_id == session_id, _part.supplier_id == supplier.supplier_id)
    if tx.value(select(_part.state).where(*is_part)) is None:
        close(tx, [(session_id, supplier.supplier_id)])  # its job finds the supplier told, or leaves that to the shop
    if supplier.channel != "by hand" and write_order(tx, session_id, supplier.supplier_id) is not None:
        tx.execute(update(sale_part).where(*is_part).values(state="told", told_at=tx.now))
