"""A shop's orders to suppliers of this instance: what its customers have ordered of one supplier, in numbered sums.

An order is written when the supplier is told, and revised when the customers' orders have changed since. It follows
them and never leads: `compare_due` reads the sums again, whatever has changed them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypedDict

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, insert, select, update

from ...base.errors import Conflict, NotFound
from ...base.hidden_fields import Amount
from ...enterprises.counters import next_number
from ...enterprises.enterprises import addresses_of
from ...enterprises.tables import enterprise
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.guests import guests_confirm_by
from ...orders.lock import CORRECTION
from ...orders.tables import adjustment, customer_order, order_line
from ...pricing.lines import split
from ...sale_sessions.openness import cut_off
from ...sale_sessions.tables import coordination, coordination_supplier, sale_session
from ...storage.database import Row, RowQuery, Transaction, insert_rows
from ...storage.jobs import NewJob, enqueue_all
from .demand_shaping import shape_demand
from .owed import goes_to_supplier, is_owed
from .purchase_prices import purchase_price
from .tables import purchase_order, purchase_order_line, sale_part

MAIL = "mail"
MARGIN = timedelta(minutes=10)  # a change may be committed some time after the moment that it is dated
_order, _line = purchase_order.c, purchase_order_line.c
_part, _session = sale_part.c, sale_session.c
_supplier, _shop = enterprise.alias("supplier"), enterprise.alias("shop")
Key = tuple[str, Decimal, str, int, Decimal]  # of a line: product, its size and unit, price, VAT rate


class LineNews(TypedDict):
    """Pieces of a line before and after an order was revised, as the payload of its e-mail has them; `unit_quantity` is
    a decimal."""

    name: str
    unit_quantity: str
    unit: str
    before: int
    after: int


class _LineChange(TypedDict):
    """Columns of a line after a revision."""

    quantity: int
    confirmed: int | None


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderLine:
    """Pieces of one product at one price.

    unit_quantity, unit: net content of one piece, in a DFC measure
    price:               what the shop pays for one piece, in minor units of the order's currency
    vat_rate:            percent
    quantity:            pieces ordered; 0: no longer
    counted:             pieces that customers had ordered when the order was last compared with theirs
    confirmed:           pieces that will come; None: the supplier has not answered
    reason:              of the supplier, why there are fewer
    deposits:            for the containers of the pieces that will come, in minor units
    """

    id: str
    product_id: str
    name: str
    unit_quantity: Decimal
    unit: str
    price: Amount
    vat_rate: Decimal
    quantity: int
    counted: int
    confirmed: int | None
    reason: str
    deposits: Amount = 0

    @property
    def coming(self) -> int:
        """Pieces that will come, as far as is known."""
        return self.quantity if self.confirmed is None else self.confirmed


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderFee:
    """Fees that customers pay to the supplier with their orders, at one VAT rate (percent; None: outside VAT), in minor
    units, with or without VAT as the prices are."""

    vat_rate: Decimal | None
    amount: Amount


@dataclass(frozen=True, kw_only=True)
class PurchaseOrder:
    """state:     "placed"; then "confirmed", or "shortened" if less will come than was ordered
    mail_state: of the last e-mail to the supplier: "waiting" in the queue, "sent", "failed", or there is "no address"
    revision:  1, and one more each time the pieces have changed and the supplier was told again
    begins_at, ends_at: of the distribution
    placed_at, changed_at, answered_at: when it was first told, last revised, last answered
    received_at: when the shop last counted what came; None: not yet
    fees:      of customers' orders as they are now

    Times are UTC; prices include VAT or not as `prices_include_vat` says.
    """

    id: str
    enterprise_id: str
    shop: str
    supplier_id: str
    supplier: str
    session_id: str
    sale: str
    begins_at: datetime
    ends_at: datetime
    number: int
    revision: int
    currency: str
    prices_include_vat: bool
    state: Literal["placed", "confirmed", "shortened"]
    mail_state: Literal["no address", "waiting", "sent", "failed"]
    placed_at: datetime
    changed_at: datetime
    answered_at: datetime | None
    version: int
    received_at: datetime | None
    lines: tuple[PurchaseOrderLine, ...]
    fees: tuple[PurchaseOrderFee, ...] = ()

    @property
    def fees_total(self) -> int:
        """The fees together, in minor units."""
        return sum(fee.amount for fee in self.fees)

    @property
    def deposits(self) -> int:
        """For the containers of the pieces that will come, in minor units."""
        return sum(line.deposits for line in self.lines)

    @property
    def added_vat(self) -> int:
        """VAT on top of the prices, in minor units, rounded once for each rate; 0 if they include it."""
        if self.prices_include_vat:
            return 0
        goods: dict[Decimal, int] = {}
        for line in self.lines:
            goods[line.vat_rate] = goods.get(line.vat_rate, 0) + line.price * line.coming
        for fee in self.fees:
            if fee.vat_rate is not None:
                goods[fee.vat_rate] = goods.get(fee.vat_rate, 0) + fee.amount
        return sum(split(amount, rate, included=False).vat for rate, amount in goods.items())

    @property
    def total(self) -> int:
        """What the shop pays for the pieces that will come, with fees, VAT and deposits, in minor units."""
        goods = sum(line.price * line.coming for line in self.lines)
        return goods + self.fees_total + self.added_vat + self.deposits


# ------------------------------------------------------------------------------------------------ telling


def tell_supplier(tx: Transaction, hooks: Hooks, session_id: str, supplier_id: str) -> PurchaseOrder | None:
    """Tells the supplier of a closed part what to bring, once. Returns its new order.

    Plugins may shape what is ordered first. None if nothing is ordered of it, if it was told before, or if a plugin
    orders of it: a producer of another instance or platform. Raises `NotFound` for a part that is not closed.
    """
    part = tx.first(_LOCKED_PART, {"session": session_id, "supplier": supplier_id})
    if part is None:
        raise NotFound("no_part", "The cut-off of this supplier has not passed yet.")
    if part["state"] == "told":
        return None
    is_part = (_part.session_id == session_id, _part.supplier_id == supplier_id)
    tx.execute(update(sale_part).where(*is_part).values(state="told", told_at=tx.now))
    rows = tx.all(_SUMS, {"session": session_id, "supplier": supplier_id})
    shop_id = str(tx.value(select(_session.enterprise_id).where(_session.id == session_id)))
    if not rows or supplier_id in ordered_by_plugins(tx, hooks, shop_id, [supplier_id]):
        return None
    shape_demand(tx, hooks, shop_id, session_id, supplier_id)
    return write_order(tx, session_id, supplier_id)


def write_order(tx: Transaction, session_id: str, supplier_id: str) -> PurchaseOrder | None:
    """Writes and mails the order of a supplier that has none yet at the session. None if nothing is ordered of it."""
    rows = tx.all(_SUMS, {"session": session_id, "supplier": supplier_id})
    if not rows:
        return None
    order_id = _write(tx, session_id, supplier_id, rows)
    mail_order(tx, order_id)
    return _read(tx, _order.id == order_id)[0]


def mail_order(
    tx: Transaction, order_id: str, changes: Sequence[LineNews] = (), *, was: tuple[datetime, datetime] | None = None
) -> None:
    """Enqueues the e-mail that tells the supplier the order as it is when the e-mail is sent, and what of it is new:
    its pieces, or its distribution, which `was` at other times (UTC).

    It goes to the supplier's address, or to its owners if there is none; `mail_state` says what has become of it.
    """
    to = addresses_of(tx, str(tx.value(select(_order.supplier_id).where(_order.id == order_id))))
    payload: dict[str, object] = {"kind": "purchase_order", "purchase_order_id": order_id, "language": to.language}
    if changes:
        payload["changes"] = changes
    if was is not None:
        payload["was"] = [moment.isoformat() for moment in was]
    enqueue_all(tx, [NewJob(MAIL, {**payload, "to": email}) for email in to.emails])
    state = "waiting" if to.emails else "no address"
    tx.execute(update(purchase_order).where(_order.id == order_id).values(mail_state=state))


def ordered_by_plugins(tx: Transaction, hooks: Hooks, shop_id: str, supplier_ids: Iterable[str]) -> frozenset[str]:
    """Those of these suppliers to whom a plugin sends the shop's orders, because their home is elsewhere."""
    hook, ids = specifications.ordered_by_plugin, tuple(sorted(supplier_ids))
    answers = hooks.each(hook, None, tx=tx, enterprise_id=shop_id, supplier_ids=ids) if ids else ()
    return frozenset(supplier_id for answer in answers for supplier_id in answer.value or ()).intersection(ids)


def _write(tx: Transaction, session_id: str, supplier_id: str, rows: Sequence[Row]) -> str:
    shop = tx.one(
        select(_shop.c.id, _shop.c.currency, _shop.c.prices_include_vat)
        .join(sale_session, _session.enterprise_id == _shop.c.id)
        .where(_session.id == session_id)
    )
    order_id = tx.new_id()
    values = {
        "id": order_id,
        "enterprise_id": shop["id"],
        "supplier_id": supplier_id,
        "session_id": session_id,
        "number": next_number(tx, shop["id"], "purchase_order"),
        "revision": 1,
        "currency": shop["currency"],
        "prices_include_vat": shop["prices_include_vat"],
        "state": "placed",
        "mail_state": "waiting",
        "placed_at": tx.now,
        "changed_at": tx.now,
        "compared_at": tx.now - MARGIN,
        "answered_at": None,
        "version": 1,
    }
    tx.execute(insert(purchase_order).values(values))
    insert_rows(tx, purchase_order_line, [_new_line(tx, order_id, row) for row in rows])
    return order_id


def _new_line(tx: Transaction, order_id: str, row: Row) -> Row:
    names = ("product_id", "name", "unit_quantity", "unit", "price", "vat_rate")
    values = {name: row[name] for name in names}
    quantity = int(row["quantity"])
    pieces = {"quantity": quantity, "counted": quantity, "confirmed": None}
    return {"id": tx.new_id(), "order_id": order_id, **values, **pieces, "reason": ""}


# ------------------------------------------------------------------------------------------------ revising


def compare_due(tx: Transaction) -> list[str]:
    """Compares orders with what customers have ordered by now, and tells suppliers what has changed. Returns their ids.

    Only orders are read whose distribution is not over, and whose session has an order that changed since the last
    comparison. While goods of a supplier can be ordered, because the sale was opened again, its order waits; also while
    guests may still confirm theirs.
    """
    changed = exists().where(
        customer_order.c.session_id == _order.session_id, customer_order.c.changed_at > _order.compared_at
    )
    part = coordination_supplier.c
    is_part = and_(part.coordination_id == _session.coordination_id, part.enterprise_id == _order.supplier_id)
    statement = (
        select(_order.id, _order.session_id, _order.supplier_id)
        .join(sale_session, _session.id == _order.session_id)
        .outerjoin(coordination_supplier, is_part)
        .where(_session.ends_at > tx.now, cut_off() <= tx.now)
    )
    due = tx.all(statement.where(changed).order_by(_order.id).limit(500))
    guests_until = {row["id"]: guests_confirm_by(tx, row["session_id"], row["supplier_id"]) for row in due}
    decided = [order_id for order_id, until in guests_until.items() if until is None or until <= tx.now]
    return [order_id for order_id in decided if revise_order(tx, order_id)]


def revise_order(tx: Transaction, order_id: str) -> bool:
    """Writes the pieces that customers have ordered by now into the order. Returns whether the supplier is told again.

    What a supplier does not bring, and was taken off customers' orders since, is not news. More pieces than were
    confirmed need another answer.
    """
    (order,) = locked_orders(tx, [order_id])
    rows = tx.all(_SUMS, {"session": order.session_id, "supplier": order.supplier_id})
    sums = {_key(row): row for row in rows}
    lines = {_key_of(line): line for line in order.lines}
    added = [_new_line(tx, order.id, row) for key, row in sums.items() if key not in lines]
    pieces = {line.id: int(sums[key]["quantity"]) if key in sums else 0 for key, line in lines.items()}
    changes = {line.id: change for line in order.lines if (change := _change(line, pieces[line.id]))}
    _write_changes(tx, order, pieces, changes)
    insert_rows(tx, purchase_order_line, added)
    values: dict[str, object] = {"compared_at": tx.now - MARGIN}
    if added or changes:
        needs_answer = bool(added) or any(change["confirmed"] is None for change in changes.values())
        state = "placed" if needs_answer else order.state
        values |= {"revision": order.revision + 1, "changed_at": tx.now, "version": order.version + 1, "state": state}
        mail_order(tx, order.id, _news(order, added, changes))
    tx.execute(update(purchase_order).where(_order.id == order.id).values(values))
    return bool(added or changes)


def _news(order: PurchaseOrder, added: Sequence[Row], changes: Mapping[str, _LineChange]) -> list[LineNews]:
    """The lines of which the supplier is to bring another number of pieces than it was told before."""
    pieces = [(line, line.coming, changes[line.id]["quantity"]) for line in order.lines if line.id in changes]
    news = [
        LineNews(name=line.name, unit_quantity=str(line.unit_quantity), unit=line.unit, before=before, after=after)
        for line, before, after in pieces
        if before != after
    ]
    return news + [
        LineNews(
            name=line["name"],
            unit_quantity=str(line["unit_quantity"]),
            unit=line["unit"],
            before=0,
            after=line["quantity"],
        )
        for line in added
    ]


def _change(line: PurchaseOrderLine, pieces: int) -> _LineChange | None:
    """Returns what the supplier must hear now that customers have ordered so many pieces; None: nothing."""
    if pieces == line.counted:
        return None
    if line.confirmed is None or pieces > max(line.confirmed, line.counted):
        return {"quantity": pieces, "confirmed": None}
    return {"quantity": pieces, "confirmed": pieces} if pieces < line.confirmed else None


def _write_changes(
    tx: Transaction, order: PurchaseOrder, pieces: Mapping[str, int], changes: Mapping[str, _LineChange]
) -> None:
    for line in order.lines:
        if pieces[line.id] != line.counted:
            values: dict[str, object] = {"counted": pieces[line.id], **changes.get(line.id, {})}
            tx.execute(update(purchase_order_line).where(_line.id == line.id).values(values))


def _key(row: Row) -> Key:
    return row["product_id"], row["unit_quantity"], row["unit"], int(row["price"]), row["vat_rate"]


def _key_of(line: PurchaseOrderLine) -> Key:
    return line.product_id, line.unit_quantity, line.unit, line.price, line.vat_rate


# ------------------------------------------------------------------------------------------------ questions


def purchase_orders_of(
    tx: Transaction, enterprise_id: str, *, session_id: str = "", after: str = "", limit: int = 50
) -> list[PurchaseOrder]:
    """Returns the shop's orders to suppliers (of one session, if named), the newest first, beyond the id `after`."""
    conditions = [_order.enterprise_id == enterprise_id]
    if session_id:
        conditions.append(_order.session_id == session_id)
    return _read(tx, *conditions, after=after, limit=limit)


def supplier_orders_of(tx: Transaction, supplier_id: str, *, after: str = "", limit: int = 50) -> list[PurchaseOrder]:
    """Returns the orders that this supplier has got, the newest first, beyond the id `after`."""
    return _read(tx, _order.supplier_id == supplier_id, after=after, limit=limit)


def purchase_order_by_id(
    tx: Transaction, order_id: str, *, enterprise_id: str | None = None, supplier_id: str | None = None
) -> PurchaseOrder:
    """Returns an order of this shop, or to this supplier. Raises `NotFound`."""
    if (enterprise_id is None) == (supplier_id is None):
        raise AssertionError("say whose order it is")
    owner = _order.supplier_id == supplier_id if enterprise_id is None else _order.enterprise_id == enterprise_id
    return _read_one(tx, _order.id == order_id, owner)


def purchase_order_to_mail(tx: Transaction, order_id: str) -> PurchaseOrder:
    """Returns any order, for the e-mail to its supplier. Raises `NotFound`."""
    return _read_one(tx, _order.id == order_id)


def _read_one(tx: Transaction, *conditions: ColumnElement[bool]) -> PurchaseOrder:
    orders = _read(tx, *conditions)
    if not orders:
        raise NotFound("no_purchase_order", "There is no such order to a supplier.")
    return orders[0]


def locked_orders(tx: Transaction, order_ids: Collection[str]) -> list[PurchaseOrder]:
    """Locks orders until the transaction ends, and returns them. The caller knows whose they are."""
    if tx.postgresql:  # on SQLite the transaction holds the whole database
        tx.execute(select(_order.id).where(_order.id.in_(order_ids)).order_by(_order.id).with_for_update())
    return _read(tx, _order.id.in_(order_ids))


def refuse_over(order: PurchaseOrder, now: datetime) -> None:
    """Raises `Conflict` for an order whose distribution is over."""
    if order.ends_at <= now:
        raise Conflict("over", "The distribution of {sale} is over; this order is history.", sale=order.sale)


_COLUMNS = (
    *(_order[field.name] for field in fields(PurchaseOrder) if field.name in _order),
    _shop.c.name.label("shop"),
    _supplier.c.name.label("supplier"),
    coordination.c.name.label("sale"),
    _session.begins_at,
    _session.ends_at,
)
_LINE_COLUMNS = [_line[field.name] for field in fields(PurchaseOrderLine) if field.name in _line]
_LOCKED_PART = (
    select(_part.state)
    .where(_part.session_id == bindparam("session"), _part.supplier_id == bindparam("supplier"))
    .with_for_update()
)


def _read(
    tx: Transaction, *conditions: ColumnElement[bool], after: str = "", limit: int | None = None
) -> list[PurchaseOrder]:
    statement = (
        select(*_COLUMNS)
        .join(_shop, _shop.c.id == _order.enterprise_id)
        .join(_supplier, _supplier.c.id == _order.supplier_id)
        .join(sale_session, _session.id == _order.session_id)
        .join(coordination, coordination.c.id == _session.coordination_id)
        .where(*conditions)
        .order_by(_order.id.desc())
        .limit(limit)
    )
    rows = tx.all(statement.where(_order.id < after) if after else statement)
    lines: dict[str, list[PurchaseOrderLine]] = {row["id"]: [] for row in rows}
    for row in tx.all(_lines(lines)) if rows else ():
        of_order, pieces, deposits = row.pop("order_id"), row.pop("pieces"), row.pop("deposits")
        line = PurchaseOrderLine(**row)
        lines[of_order].append(replace(line, deposits=int(deposits) * line.coming // int(pieces) if pieces else 0))
    fees: dict[str, list[PurchaseOrderFee]] = {row["id"]: [] for row in rows}
    for row in tx.all(_fees(fees)) if rows else ():
        fees[row["id"]].append(PurchaseOrderFee(vat_rate=row["vat_rate"], amount=int(row["amount"])))
    return [PurchaseOrder(**row, lines=tuple(lines[row["id"]]), fees=tuple(fees[row["id"]])) for row in rows]


def _fees(order_ids: Collection[str]) -> RowQuery:
    """The fees of these orders by VAT rate: those that the shop owes the supplier with the goods."""
    fee, ordered = adjustment.c, customer_order.c
    return (
        select(_order.id, fee.vat_rate, func.sum(fee.amount).label("amount"))
        .join_from(purchase_order, customer_order, ordered.session_id == _order.session_id)
        .join(adjustment, and_(fee.order_id == ordered.id, fee.payee == _order.supplier_id))
        .where(_order.id.in_(order_ids), is_owed(), fee.kind != CORRECTION, *goes_to_supplier())
        .group_by(_order.id, fee.vat_rate)
        .order_by(_order.id, fee.vat_rate)
    )


def _lines(order_ids: Collection[str]) -> RowQuery:
    """The lines of these orders, with the pieces that customers have ordered and the deposits of those."""
    sessions = select(_order.session_id).where(_order.id.in_(order_ids))
    ordered = _ordered_goods().where(customer_order.c.session_id.in_(sessions)).subquery("ordered")
    same_goods = and_(
        ordered.c.session_id == _order.session_id,
        ordered.c.supplier_id == _order.supplier_id,
        *(ordered.c[name] == _line[name] for name in ("product_id", "unit_quantity", "unit", "vat_rate", "price")),
    )
    return (
        select(_line.order_id, *_LINE_COLUMNS, ordered.c.quantity.label("pieces"), ordered.c.deposits)
        .join_from(purchase_order_line, purchase_order, _order.id == _line.order_id)
        .outerjoin(ordered, same_goods)
        .where(_line.order_id.in_(order_ids))
        .order_by(_line.name, _line.id)
    )


def _ordered_goods() -> RowQuery:
    """What suppliers are owed for at sessions, by supplier, product, purchase price and VAT rate: what customers have
    ordered, and what the shop has lost of it, which changes nothing for who brings it."""
    line, order = order_line.c, customer_order.c
    price = purchase_price()
    key = (order.session_id, line.supplier_id, line.product_id, line.unit_quantity, line.unit, line.vat_rate, price)
    return (
        select(
            order.session_id,
            line.supplier_id,
            line.product_id,
            line.unit_quantity,
            line.unit,
            line.vat_rate,
            price.label("price"),
            func.min(line.name).label("name"),
            func.sum(line.quantity).label("quantity"),
            func.sum(line.deposit * line.quantity).label("deposits"),
        )
        .select_from(customer_order.join(order_line, line.order_id == order.id))
        .where(is_owed(), line.quantity > 0)
        .group_by(*key)
    )


_SUMS = (
    _ordered_goods()
    .where(customer_order.c.session_id == bindparam("session"), order_line.c.supplier_id == bindparam("supplier"))
    .order_by("name", order_line.c.product_id, "price")
)
