"""What suppliers were paid for a sale, and what is left; with the lines of a supplier's statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select

from ...base.errors import Conflict, Invalid, NotFound, Problem
from ...base.money import Money
from ...base.search import search_key
from ...base.texts import read_text
from ...catalogs.tables import catalog_item
from ...enterprises.enterprises import enterprise_by_id
from ...enterprises.tables import enterprise
from ...orders.lock import CORRECTION
from ...orders.tables import adjustment, customer_order, order_line
from ...products.tables import supplied_product
from ...sale_sessions.tables import coordination, sale_session, session_item
from ...storage.database import Row, Transaction
from .deliveries import Undelivered, undelivered_at_session, undelivered_at_sessions
from .owed import OwedToSupplier, is_owed, owed_at_session, owed_at_sessions
from .purchase_prices import purchase_amount, purchase_price
from .tables import purchase_order, stock_purchase, supplier_payment

_paid, _line, _order, _bought = supplier_payment.c, order_line.c, customer_order.c, stock_purchase.c


@dataclass(frozen=True, kw_only=True)
class SupplierAccount:
    """What a shop owes a supplier for one sale, and what it has paid, in minor units of the shop's currency.

    undelivered: what `owed` contains for goods that did not come and that customers' orders still hold
    """

    owed: OwedToSupplier
    paid: int
    undelivered: int = 0

    @property
    def delivered(self) -> int:
        """What is owed for goods that came."""
        return self.owed.total - self.undelivered

    @property
    def left(self) -> int:
        """What is not paid yet, also of goods that did not come; negative: too much was paid."""
        return self.owed.total - self.paid

    @property
    def to_pay(self) -> int:
        """What is still to be paid for goods that came, as pages and reports say it; negative: too much was paid."""
        return self.delivered - self.paid

    @property
    def overpaid(self) -> int:
        """What was paid too much for the goods that came; at least 0."""
        return max(-self.to_pay, 0)

    @property
    def left_of_delivered(self) -> int:
        """What is still to be paid of the goods that came; at least 0."""
        return max(self.to_pay, 0)


@dataclass(frozen=True, kw_only=True)
class SupplierPayment:
    """Money given to a supplier; negative: taken back. `amount` in minor units of `currency`."""

    id: str
    supplier_id: str
    session_id: str
    amount: int
    currency: str
    reference: str
    at: datetime
    person_id: str


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """Goods of a supplier that customers got, at one price: `pieces`, or what they weigh, if somebody has weighed them.

    quantity: all of them, in `unit`; paid_quantity: what of it is paid, as customers pay for no more than the product's
              tolerance allows
    price:   what the shop pays for one piece as it is sold, in minor units
    amount:  by this price, in minor units, with or without VAT as the shop's prices are; vat_rate in percent
    stocked: pieces among them that the shop has kept for its own stock
    """

    name: str
    unit_quantity: Decimal
    unit: str
    weighed: bool
    pieces: int
    quantity: Decimal
    paid_quantity: Decimal
    price: int
    vat_rate: Decimal
    amount: int
    deposits: int
    stocked: int = 0


@dataclass(frozen=True, kw_only=True)
class StatementCorrection:
    """What a supplier bears of goods that were handed over: `label` names them and the reason, `amount` is negative, in
    minor units, at purchase prices."""

    label: str
    vat_rate: Decimal
    amount: int


def supplier_accounts(
    tx: Transaction, enterprise_id: str, session_id: str, *, undelivered: Sequence[Undelivered] | None = None
) -> list[SupplierAccount]:
    """Returns the accounts of a session's suppliers by name, in three statements; in two where `undelivered` is what
    `undelivered_at_session` has returned already."""
    if undelivered is None:
        undelivered = undelivered_at_session(tx, enterprise_id, session_id)
    paid = _paid_at(tx, enterprise_id, session_id)
    missing: dict[str, int] = {}
    for goods in undelivered:
        missing[goods.supplier_id] = missing.get(goods.supplier_id, 0) + goods.amount
    return [
        SupplierAccount(owed=owed, paid=paid.get(owed.supplier_id, 0), undelivered=missing.get(owed.supplier_id, 0))
        for owed in owed_at_session(tx, enterprise_id, session_id)
    ]


def accounts_of_supplier(tx: Transaction, supplier_id: str, session_ids: Collection[str]) -> dict[str, SupplierAccount]:
    """Returns the accounts of a supplier with the shops of these sessions, by session: the sums that the shops see. In
    three statements, and without sessions for which it is owed nothing."""
    accounts = _accounts(
        tx,
        session_ids,
        owed_at_sessions(tx, session_ids, supplier_id=supplier_id),
        paid=_paid.supplier_id == supplier_id,
        missing=purchase_order.c.supplier_id == supplier_id,
    )
    return {session_id: account for (session_id, _), account in accounts.items()}


def accounts_of_shop(
    tx: Transaction, enterprise_id: str, session_ids: Collection[str], *, until: datetime | None = None
) -> dict[tuple[str, str], SupplierAccount]:
    """Returns the accounts of a shop's suppliers for several of its sessions, by session and supplier, in three
    statements; with what was paid `until` that moment (aware)."""
    paid = _paid.enterprise_id == enterprise_id
    return _accounts(
        tx,
        session_ids,
        owed_at_sessions(tx, session_ids, enterprise_id=enterprise_id),
        paid=paid if until is None else and_(paid, _paid.at <= until),
        missing=purchase_order.c.enterprise_id == enterprise_id,
    )


@dataclass(frozen=True, kw_only=True)
class UnsettledAccount:
    """A supplier's account of one sale that is not settled: the supplier is owed `to_pay` minor units of `currency`,
    or was paid too much (negative). `ends_at`: of the hand-out (UTC)."""

    session_id: str
    sale: str
    ends_at: datetime
    supplier_id: str
    supplier: str
    currency: str
    to_pay: int


def open_accounts(tx: Transaction, enterprise_id: str, until: datetime) -> list[UnsettledAccount]:
    """Returns the accounts of a shop's suppliers that were not settled at the moment `until` (aware), of all sales
    whose hand-out was over then or had begun, the oldest first: what the pages of the sales say, with what was paid by
    then. Four statements."""
    sale, session, order = coordination.c, sale_session.c, customer_order.c
    has_begun = exists().where(order.session_id == session.id, order.fulfilled_at <= until)
    statement = (
        select(session.id, sale.name, session.ends_at)
        .join_from(sale_session, coordination, sale.id == session.coordination_id)
        .where(session.enterprise_id == enterprise_id, or_(session.ends_at <= until, has_begun))
        .order_by(session.ends_at, session.id)
    )
    sessions = {row["id"]: row for row in tx.all(statement)}
    accounts = accounts_of_shop(tx, enterprise_id, sessions, until=until)
    unsettled = [
        UnsettledAccount(
            session_id=session_id,
            sale=sessions[session_id]["name"],
            ends_at=sessions[session_id]["ends_at"],
            supplier_id=supplier_id,
            supplier=account.owed.supplier,
            currency=account.owed.currency,
            to_pay=account.to_pay,
        )
        for (session_id, supplier_id), account in accounts.items()
        if account.to_pay
    ]
    return sorted(unsettled, key=lambda each: (each.ends_at, each.supplier))


def _accounts(
    tx: Transaction,
    session_ids: Collection[str],
    owed: Mapping[tuple[str, str], OwedToSupplier],
    *,
    paid: ColumnElement[bool],
    missing: ColumnElement[bool],
) -> dict[tuple[str, str], SupplierAccount]:
    undelivered = undelivered_at_sessions(tx, session_ids, missing)
    sums = select(_paid.session_id, _paid.supplier_id, func.sum(_paid.amount).label("amount"))
    sums = sums.where(paid, _paid.session_id.in_(sorted(session_ids))).group_by(_paid.session_id, _paid.supplier_id)
    amounts = {(row["session_id"], row["supplier_id"]): int(row["amount"]) for row in tx.all(sums)}
    return {
        key: SupplierAccount(owed=owed_to, paid=amounts.get(key, 0), undelivered=undelivered.get(key, 0))
        for key, owed_to in owed.items()
    }


def pay_supplier(
    tx: Transaction,
    enterprise_id: str,
    session_id: str,
    supplier_id: str,
    *,
    amount: int,
    left: int,
    reference: str,
    person_id: str,
) -> SupplierPayment:
    """Records that the shop has paid a supplier for a sale; a negative amount takes a mistake back.

    `left` is what the person was shown as still to be paid: another one is refused, so that a payment is not recorded
    twice. Raises `Conflict` for that, `Invalid` for an impossible amount, `NotFound` for a supplier of another sale.
    """
    lock_orders(tx, enterprise_id, session_id)
    account = account_of(tx, enterprise_id, session_id, supplier_id, undelivered=())  # they change nothing that is left
    if account.left != left:
        text = "{left} is left to pay to {name} now. Look again before you record it."
        values = {"left": Money(account.left, account.owed.currency), "name": account.owed.supplier}
        raise Conflict("left_changed", text, **values)
    problems: list[Problem] = []
    reference = read_text(reference, "/reference", problems, most=200)
    if not amount or not -account.paid <= amount <= max(account.left, 0):
        text = "Between {least} and {most} can be recorded."
        least, most = (Money(limit, account.owed.currency) for limit in (-account.paid, max(account.left, 0)))
        problems.append(Problem("amount", text, "/amount", {"least": least, "most": most}))
    if problems:
        raise Invalid(problems)
    row: Row = {
        "id": tx.new_id(),
        "supplier_id": supplier_id,
        "session_id": session_id,
        "amount": amount,
        "currency": account.owed.currency,
        "reference": reference,
        "at": tx.now,
        "person_id": person_id,
    }
    tx.execute(insert(supplier_payment).values(enterprise_id=enterprise_id, **row))
    return SupplierPayment(**row)


def account_of(
    tx: Transaction,
    enterprise_id: str,
    session_id: str,
    supplier_id: str,
    *,
    undelivered: Sequence[Undelivered] | None = None,
) -> SupplierAccount:
    """Returns one supplier's account; for its own goods a shop owes nothing. `undelivered`: as in `supplier_accounts`.

    Raises `NotFound` if nothing of the supplier was sold in this session of the shop.
    """
    if supplier_id == enterprise_id:
        shop = enterprise_by_id(tx, enterprise_id)
        owed = OwedToSupplier(
            supplier_id=shop.id,
            supplier=shop.name,
            currency=shop.currency,
            shares=(),
            fees=0,
            corrections=0,
            deposits=0,
            total=0,
        )
        return SupplierAccount(owed=owed, paid=0)
    accounts = supplier_accounts(tx, enterprise_id, session_id, undelivered=undelivered)
    account = next((each for each in accounts if each.owed.supplier_id == supplier_id), None)
    if account is None:
        raise NotFound("no_supplier", "Nothing of this supplier was sold in this sale.")
    return account


def payments_to(tx: Transaction, enterprise_id: str, session_id: str, supplier_id: str) -> Sequence[SupplierPayment]:
    """Returns what was paid to a supplier for a session, the oldest first."""
    columns = [column for column in supplier_payment.c if column.name != "enterprise_id"]
    of_supplier = (_paid.enterprise_id == enterprise_id, _paid.session_id == session_id)
    rows = tx.all(select(*columns).where(*of_supplier, _paid.supplier_id == supplier_id).order_by(_paid.id))
    return [SupplierPayment(**row) for row in rows]


def payments_of_amount(tx: Transaction, enterprise_id: str, amount: int, *, limit: int = 20) -> list[SupplierPayment]:
    """Returns the latest payments of a shop to suppliers of just this amount, the newest first."""
    columns = [column for column in supplier_payment.c if column.name != "enterprise_id"]
    statement = select(*columns).where(_paid.enterprise_id == enterprise_id, _paid.amount == amount)
    return [SupplierPayment(**row) for row in tx.all(statement.order_by(_paid.id.desc()).limit(limit))]


@dataclass(frozen=True, kw_only=True)
class PaidSale:
    """What a shop of this instance has paid a supplier for one sale, in minor units of `currency`."""

    session_id: str
    shop: str
    begins_at: datetime
    currency: str
    amount: int


def paid_to_supplier(tx: Transaction, supplier_id: str, *, limit: int = 50) -> list[PaidSale]:
    """Returns what shops have paid the supplier, by sale, the latest distribution first, in one statement.

    Also for sales whose distribution is not over, and for those without an order to the supplier.
    """
    session = sale_session.c
    statement = (
        select(
            _paid.session_id,
            enterprise.c.name.label("shop"),
            session.begins_at,
            _paid.currency,
            func.sum(_paid.amount).label("amount"),
        )
        .select_from(supplier_payment)
        .join(sale_session, session.id == _paid.session_id)
        .join(enterprise, enterprise.c.id == _paid.enterprise_id)
        .where(_paid.supplier_id == supplier_id)
        .group_by(_paid.session_id, enterprise.c.name, session.begins_at, _paid.currency)
        .order_by(session.begins_at.desc(), _paid.session_id)
        .limit(limit)
    )
    return [PaidSale(**{**row, "amount": int(row["amount"])}) for row in tx.all(statement)]


@dataclass(frozen=True, kw_only=True)
class PastSale:
    """A sale of a shop of this instance in which a supplier's goods were offered; its distribution is over."""

    session_id: str
    shop: str
    begins_at: datetime
    currency: str


def past_sales_with(tx: Transaction, supplier_id: str, *, limit: int) -> list[PastSale]:
    """Returns the latest such sales of other shops, also those in which nobody ordered these goods. One statement."""
    session = sale_session.c
    offered = (
        select(session_item.c.session_id)
        .join(catalog_item, catalog_item.c.id == session_item.c.item_id)
        .join(supplied_product, supplied_product.c.id == catalog_item.c.product_id)
        .where(supplied_product.c.enterprise_id == supplier_id)
    )
    statement = (
        select(
            session.id.label("session_id"), enterprise.c.name.label("shop"), session.begins_at, enterprise.c.currency
        )
        .join_from(sale_session, enterprise, enterprise.c.id == session.enterprise_id)
        .where(session.id.in_(offered), session.enterprise_id != supplier_id, session.ends_at <= tx.now)
        .order_by(session.begins_at.desc(), session.id)
        .limit(limit)
    )
    return [PastSale(**row) for row in tx.all(statement)]


def statement_lines(tx: Transaction, enterprise_id: str, session_id: str, supplier_id: str) -> list[StatementLine]:
    """Returns what customers got of a supplier's goods, and what the shop kept, by name and size, in two statements."""
    statement = (
        select(
            _line.name,
            _line.unit_quantity,
            _line.unit,
            _line.weight_tolerance,
            _line.vat_rate,
            _line.quantity,
            _line.final_quantity,
            purchase_price().label("price"),
            purchase_amount().label("amount"),
            (_line.deposit * _line.quantity).label("deposits"),
        )
        .select_from(order_line.join(customer_order, _order.id == _line.order_id))
        .where(_order.enterprise_id == enterprise_id, _order.session_id == session_id, is_owed())
        .where(_line.supplier_id == supplier_id, _line.quantity > 0)
    )
    sums: dict[tuple[object, ...], StatementLine] = {}
    of_stock = select(stock_purchase).where(
        _bought.enterprise_id == enterprise_id, _bought.session_id == session_id, _bought.supplier_id == supplier_id
    )
    for line in (*map(_statement_line, tx.all(statement)), *map(_kept_line, tx.all(of_stock))):
        key = (line.name, line.unit_quantity, line.unit, line.weighed, line.vat_rate, line.price)
        before = sums.get(key)
        sums[key] = line if before is None else _sum(before, line)
    delivered = [line for line in sums.values() if line.pieces]
    return sorted(delivered, key=lambda line: (search_key(line.name), line.unit_quantity))


def statement_corrections(
    tx: Transaction, enterprise_id: str, session_id: str, supplier_id: str
) -> list[StatementCorrection]:
    """Returns the corrections that the supplier bears, which `OwedToSupplier.corrections` adds up, in one statement."""
    entry = adjustment.c
    statement = (
        select(entry.label, entry.vat_rate, func.sum(entry.amount).label("amount"))
        .join_from(adjustment, customer_order, _order.id == entry.order_id)
        .where(_order.enterprise_id == enterprise_id, _order.session_id == session_id, is_owed())
        .where(entry.payee == supplier_id, entry.kind == CORRECTION, entry.vat_rate.is_not(None))
        .group_by(entry.label, entry.vat_rate)
        .order_by(entry.label, entry.vat_rate)
    )
    return [StatementCorrection(**{**row, "amount": int(row["amount"])}) for row in tx.all(statement)]


def _statement_line(row: Row) -> StatementLine:
    got, sold = row["final_quantity"], row["unit_quantity"] * row["quantity"]
    quantity, tolerance = sold if got is None else got, row["weight_tolerance"]
    return StatementLine(
        name=row["name"],
        unit_quantity=row["unit_quantity"],
        unit=row["unit"],
        weighed=got is not None,
        pieces=row["quantity"],
        quantity=quantity,
        paid_quantity=quantity if tolerance is None else min(quantity, sold * (1 + tolerance / 100)),
        price=row["price"],
        vat_rate=row["vat_rate"],
        amount=int(row["amount"]),
        deposits=int(row["deposits"]),
    )


def _kept_line(row: Row) -> StatementLine:
    pieces, quantity = row["pieces"], row["unit_quantity"] * row["pieces"]
    return StatementLine(
        name=row["name"],
        unit_quantity=row["unit_quantity"],
        unit=row["unit"],
        weighed=False,
        pieces=pieces,
        quantity=quantity,
        paid_quantity=quantity,
        price=row["price"],
        vat_rate=row["vat_rate"],
        amount=row["price"] * pieces,
        deposits=row["deposit"] * pieces,
        stocked=pieces,
    )


def _sum(first: StatementLine, other: StatementLine) -> StatementLine:
    return replace(
        first,
        pieces=first.pieces + other.pieces,
        quantity=first.quantity + other.quantity,
        paid_quantity=first.paid_quantity + other.paid_quantity,
        amount=first.amount + other.amount,
        deposits=first.deposits + other.deposits,
        stocked=first.stocked + other.stocked,
    )


def lock_orders(tx: Transaction, enterprise_id: str, session_id: str) -> None:
    """Locks all orders of a session: what they cost, and so what is owed, stays until this transaction ends."""
    if tx.postgresql:  # on SQLite the transaction holds the whole database
        of_session = (_order.enterprise_id == enterprise_id, _order.session_id == session_id)
        tx.execute(select(_order.id).where(*of_session).order_by(_order.id).with_for_update())


def _paid_at(tx: Transaction, enterprise_id: str, session_id: str) -> dict[str, int]:
    amount = func.sum(_paid.amount).label("amount")
    of_session = (_paid.enterprise_id == enterprise_id, _paid.session_id == session_id)
    rows = tx.all(select(_paid.supplier_id, amount).where(*of_session).group_by(_paid.supplier_id))
    return {row["supplier_id"]: int(row["amount"]) for row in rows}
