"""Credits of statements: imported once, matched by their references, or settled by a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from commensal import (
    Conflict,
    Due,
    Hooks,
    Invalid,
    Money,
    NotFound,
    Problem,
    Row,
    Transaction,
    correct_payment,
    credit_customer,
    dues_by_number,
    insert_once,
    orders_by_id,
    receive_payment,
)

from .payments import order_numbers_in, reference_of
from .statements.values import Credit
from .tables import bank_transfer_entry as entry
from .tables import bank_transfer_rest
from .tables import bank_transfer_share as share

METHOD = "bank_transfer:transfer"
MOST_SHARES = 20  # orders that one credit pays


@dataclass(frozen=True, kw_only=True)
class Share:
    """The part of a credit that was recorded for one of several orders. `amount` is in minor units."""

    order_id: str
    payment_id: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What was left of a credit, in minor units, and is kept for the customer by a plugin."""

    customer_id: str
    plugin: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class BankEntry:
    """A credit. `amount` is in minor units; `booked_on` is the bank's day (ISO 8601).

    state:      open (its order is not known), matched, ignored
    order_id:   the order that it was recorded for; the first one if it pays several
    shares:     what was recorded for which order, if it was shared out; else empty
    rest:       what was left, and is kept for the customer; None: nothing
    settled_by: the person who settled it; None: matched by its reference
    """

    id: str
    booked_on: str
    amount: int
    currency: str
    payer: str
    text: str
    state: str
    order_id: str | None
    payment_id: str | None
    settled_by: str | None
    created_at: datetime
    shares: Sequence[Share] = ()
    rest: Rest | None = None


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """The result of an import: credits recorded for orders, credits waiting for a person, credits known before; and
    debits that are new and wait for a person."""

    matched: int
    open: int
    known: int
    outgoing: int = 0


_COLUMNS = tuple(entry.c[field.name] for field in fields(BankEntry) if field.name not in ("shares", "rest"))


def import_credits(tx: Transaction, enterprise_id: str, credits: Sequence[Credit]) -> ImportResult:
    """Stores every new credit, and records a payment for those whose reference names one order of the shop.

    The payment is for the amount received, even if more or less was due: the order shows the difference. Credits whose
    text names two orders, none, one in another currency, or one that is paid already wait for a person: what somebody
    recorded by hand may be this very money. So do credits that several people paid together.
    """
    numbers = {number for credit in credits if credit.is_of_one for number in order_numbers_in(credit.text)}
    orders = dues_by_number(tx, enterprise_id, numbers)
    matched = waiting = 0
    for credit in _with_own_keys(tx, enterprise_id, credits):
        entry_id = _insert(tx, enterprise_id, credit)
        if entry_id is None:
            continue
        order = _order_of(credit, orders)
        if order is None:
            waiting += 1
        else:
            matched += 1
            orders[order.number] = replace(order, paid=order.paid + credit.amount)
            _record(tx, enterprise_id, entry_id, credit.amount, order, None, before=None)
    return ImportResult(matched=matched, open=waiting, known=len(credits) - matched - waiting)


def settle(
    tx: Transaction, enterprise_id: str, entry_id: str, order_number: int, *, person_id: str | None
) -> BankEntry:
    """Records an open credit for an order. Raises `NotFound`, and `Conflict` for a credit that is settled already."""
    credit = _open_entry(tx, enterprise_id, entry_id)
    order = dues_by_number(tx, enterprise_id, [order_number]).get(order_number)
    if order is None:
        raise NotFound("no_order", "There is no such order.")
    if order.currency != credit.currency:
        raise Conflict("other_currency", "This order is in {currency}.", currency=order.currency)
    _record(tx, enterprise_id, entry_id, credit.amount, order, person_id, before=credit.payment_id)
    return entry_by_id(tx, enterprise_id, entry_id)


def split(
    tx: Transaction,
    hooks: Hooks,
    enterprise_id: str,
    entry_id: str,
    amounts: Mapping[int, int],
    *,
    rest_to: str = "",
    person_id: str | None,
) -> BankEntry:
    """Records an open credit for orders of one customer: `amounts` are minor units by order number.

    What is left is kept for the customer by the plugin `rest_to`, one of `credit_targets`; without it nothing may be
    left over. No order gets more than is due for it. Raises `NotFound` for a credit or an order; `Invalid` if the
    amounts are not positive, or their sum is not that of the credit; `Conflict` for a credit that is settled already,
    orders of several customers or another currency, for more than is due, and for a rest of a customer who is not
    proven or for whom the plugin keeps nothing.
    """
    credit = _open_entry(tx, enterprise_id, entry_id)
    rest = credit.amount - sum(amounts.values())
    _refuse_other_sum(credit, amounts, rest if rest_to else 0)
    orders = dues_by_number(tx, enterprise_id, amounts)
    if len(orders) != len(amounts):
        raise NotFound("no_order", "There is no such order.")
    _refuse_unfit(tx, credit, orders, amounts)
    shares = []
    for number, order in sorted(orders.items(), key=lambda pair: pair[1].order_id):  # always locked in this order
        key = f"{_key(entry_id, credit.payment_id)}:{number}"
        payment = receive_payment(
            tx,
            enterprise_id=enterprise_id,
            order_id=order.order_id,
            method=METHOD,
            amount=amounts[number],
            idempotency_key=key,
            person_id=person_id,
            reference=reference_of(number),
        )
        shares.append({"order_id": order.order_id, "payment_id": payment.id, "amount": amounts[number]})
    first = {name: shares[0][name] for name in ("order_id", "payment_id")}
    _settle_entry(tx, enterprise_id, entry_id, state="matched", settled_by=person_id, **first)
    tx.execute(insert(share), [{"entry_id": entry_id, **values} for values in shares])
    if rest_to and rest:
        _keep_rest(tx, hooks, enterprise_id, credit, shares[0]["order_id"], rest_to, rest, person_id)
    return entry_by_id(tx, enterprise_id, entry_id)


def _keep_rest(
    tx: Transaction,
    hooks: Hooks,
    enterprise_id: str,
    credit: BankEntry,
    order_id: object,
    plugin: str,
    amount: int,
    person_id: str | None,
) -> None:
    (order,) = orders_by_id(tx, [str(order_id)]).values()
    if order.customer_id is None:
        text = "Nobody has proven who placed order {number}, so its customer has no account."
        raise Conflict("not_proven", text, number=order.number or 0)
    credit_customer(
        tx, hooks, enterprise_id, order.customer_id, plugin, amount, note=_note(credit), person_id=person_id
    )
    row = {"entry_id": credit.id, "customer_id": order.customer_id, "plugin": plugin, "amount": amount}
    tx.execute(insert(bank_transfer_rest), row)


def _note(credit: BankEntry) -> str:
    """What the customer's account says of the rest, and of taking it back: the day and text of the bank."""
    return f"{credit.booked_on} {credit.text}".strip()[:200]


def ignore(tx: Transaction, enterprise_id: str, entry_id: str, *, person_id: str | None) -> BankEntry:
    """Marks an open credit as unrelated to orders. Raises the same errors as `settle`."""
    _open_entry(tx, enterprise_id, entry_id)
    _settle_entry(tx, enterprise_id, entry_id, state="ignored", settled_by=person_id)
    return entry_by_id(tx, enterprise_id, entry_id)


def reopen(tx: Transaction, hooks: Hooks, enterprise_id: str, entry_id: str, *, person_id: str) -> BankEntry:
    """Makes a settled credit wait for a person again; its payments are taken back by opposite entries in the journal,
    and its rest from where it is kept.

    Raises `NotFound`; `Conflict` for a credit that is open, if the order's money was given back meanwhile, and if the
    rest is spent.
    """
    credit = entry_by_id(tx, enterprise_id, entry_id)
    if credit.state == "open":
        raise Conflict("open", "This credit is not settled.")
    is_settled = (*_selected(enterprise_id, entry_id), entry.c.state == credit.state)
    values = {"state": "open", "order_id": None, "settled_by": None}  # the payment stays named: the next has a new key
    if tx.execute(update(entry).where(*is_settled).values(values)).rowcount != 1:
        raise Conflict("settled", "Somebody has settled this credit already.")
    if credit.state == "matched" and credit.payment_id is not None:
        for payment_id in [part.payment_id for part in credit.shares] or [credit.payment_id]:
            correct_payment(tx, enterprise_id, payment_id, person_id=person_id)
    if credit.rest is not None:
        rest = credit.rest
        credit_customer(
            tx,
            hooks,
            enterprise_id,
            rest.customer_id,
            rest.plugin,
            -rest.amount,
            note=_note(credit),
            person_id=person_id,
        )
    tx.execute(delete(share).where(share.c.entry_id == entry_id))
    tx.execute(delete(bank_transfer_rest).where(bank_transfer_rest.c.entry_id == entry_id))
    return entry_by_id(tx, enterprise_id, entry_id)


def entries(
    tx: Transaction, enterprise_id: str, *, state: str = "open", after: str = "", limit: int = 50
) -> Sequence[BankEntry]:
    """Returns credits in this state in the order of their import. `after` is the last id of the page before."""
    statement = select(*_COLUMNS).where(
        entry.c.enterprise_id == enterprise_id, entry.c.state == state, entry.c.id > after
    )
    return _read(tx, tx.all(statement.order_by(entry.c.id).limit(limit)))


def settled_lately(tx: Transaction, enterprise_id: str, limit: int) -> Sequence[BankEntry]:
    """Returns the credits that were imported last and are settled, the newest first."""
    statement = select(*_COLUMNS).where(entry.c.enterprise_id == enterprise_id, entry.c.state != "open")
    return _read(tx, tx.all(statement.order_by(entry.c.id.desc()).limit(limit)))


def count_open(tx: Transaction, enterprise_id: str) -> int:
    """Returns the number of credits that wait for a person."""
    is_open = (entry.c.enterprise_id == enterprise_id, entry.c.state == "open")
    return int(tx.value(select(func.count()).select_from(entry).where(*is_open)))


def entry_by_id(tx: Transaction, enterprise_id: str, entry_id: str) -> BankEntry:
    """Returns one credit. Raises `NotFound`."""
    return _read(tx, [tx.one(select(*_COLUMNS).where(*_selected(enterprise_id, entry_id)))])[0]


def _read(tx: Transaction, rows: Sequence[Row]) -> list[BankEntry]:
    """Credits with their shares and rests, in three statements."""
    shares: dict[str, list[Share]] = {}
    settled = [row["id"] for row in rows if row["state"] == "matched"]
    for row in tx.all(select(share).where(share.c.entry_id.in_(settled)).order_by(share.c.order_id)):
        values = dict(row)
        shares.setdefault(values.pop("entry_id"), []).append(Share(**values))
    rests = {}
    for row in tx.all(select(bank_transfer_rest).where(bank_transfer_rest.c.entry_id.in_(settled))):
        values = dict(row)
        entry_id = values.pop("entry_id")
        rests[entry_id] = Rest(**values)
    return [BankEntry(**row, shares=shares.get(row["id"], ()), rest=rests.get(row["id"])) for row in rows]


def _refuse_other_sum(credit: BankEntry, amounts: Mapping[int, int], rest: int) -> None:
    """`rest`: what is kept for the customer, in minor units."""
    if not (0 if rest else 1) < len(amounts) <= MOST_SHARES or min(amounts.values(), default=0) <= 0:
        text = "Share it out over 2 to {most} orders, with something for each."
        raise Invalid([Problem("shares", text, "/amounts", {"most": MOST_SHARES})])
    total = sum(amounts.values())
    if rest < 0 or total + rest != credit.amount:
        text = "These amounts are {sum} together, and the transfer is {amount}."
        values = {"sum": Money(total, credit.currency), "amount": Money(credit.amount, credit.currency)}
        raise Invalid([Problem("sum", text, "/amounts", values)])


def _refuse_unfit(tx: Transaction, credit: BankEntry, orders: Mapping[int, Due], amounts: Mapping[int, int]) -> None:
    """Refuses orders in another currency, amounts beyond what is due, and orders of several customers."""
    for number, order in orders.items():
        if order.currency != credit.currency:
            raise Conflict("other_currency", "This order is in {currency}.", currency=order.currency)
        if amounts[number] > order.balance:
            text = "Only {due} is due for order {number}."
            raise Conflict("more_than_due", text, due=Money(max(0, order.balance), order.currency), number=number)
    customers = payers_by_order(tx, [order.order_id for order in orders.values()])
    if len(set(customers.values())) != 1:
        raise Conflict("other_customer", "These orders belong to several customers.")


def payers_by_order(tx: Transaction, order_ids: Collection[str]) -> dict[str, str]:
    """What identifies the customer of each order: their record, or the address of one whose identity is not proven,
    or the order itself of somebody without an address."""
    orders = orders_by_id(tx, order_ids).values()
    return {order.id: order.customer_id or order.email.lower() or order.id for order in orders}


def _key(entry_id: str, before: str | None) -> str:
    """The key of a credit's payment; `before` is the payment that was taken back, if there was one."""
    return f"bank_transfer:{entry_id}" if before is None else f"bank_transfer:{entry_id}:{before}"


def _with_own_keys(tx: Transaction, enterprise_id: str, credits: Sequence[Credit]) -> list[Credit]:
    """The credits, none of which has the key of another: a bank may give one reference to several."""
    of_shop = (entry.c.enterprise_id == enterprise_id, entry.c.key.in_({credit.key for credit in credits}))
    rows = tx.all(select(entry.c.key, entry.c.booked_on, entry.c.amount, entry.c.currency).where(*of_shop))
    contents = {row["key"]: (row["booked_on"], row["amount"], row["currency"]) for row in rows}
    own = []
    for credit in credits:
        content = (credit.booked_on.isoformat(), credit.amount, credit.currency)
        is_of_another = contents.setdefault(credit.key, content) != content
        own.append(replace(credit, key=":".join((credit.key, *map(str, content)))) if is_of_another else credit)
    return own


def _insert(tx: Transaction, enterprise_id: str, credit: Credit) -> str | None:
    """Inserts a credit and returns its id; None if it is known already."""
    row = {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "key": credit.key,
        "booked_on": credit.booked_on.isoformat(),
        "amount": credit.amount,
        "currency": credit.currency,
        "payer": credit.payer[:200],
        "text": credit.text[:1000],
        "state": "open",
        "created_at": tx.now,
    }
    return str(row["id"]) if insert_once(tx, entry, row) else None


def _order_of(credit: Credit, orders: dict[int, Due]) -> Due | None:
    numbers = order_numbers_in(credit.text) if credit.is_of_one else set()
    if len(numbers) != 1:
        return None
    order = orders.get(next(iter(numbers)))
    if order is None or order.currency != credit.currency:
        return None
    return order if order.balance > 0 or order.state == "Cancelled" else None


def _record(
    tx: Transaction,
    enterprise_id: str,
    entry_id: str,
    amount: int,
    order: Due,
    person_id: str | None,
    *,
    before: str | None,
) -> None:
    """Records the payment, once. `before` is the payment of this credit that was taken back, if there was one."""
    payment = receive_payment(
        tx,
        enterprise_id=enterprise_id,
        order_id=order.order_id,
        method=METHOD,
        amount=amount,
        idempotency_key=_key(entry_id, before),
        person_id=person_id,
        reference=reference_of(order.number),
    )
    _settle_entry(
        tx,
        enterprise_id,
        entry_id,
        state="matched",
        order_id=order.order_id,
        payment_id=payment.id,
        settled_by=person_id,
    )


def _open_entry(tx: Transaction, enterprise_id: str, entry_id: str) -> BankEntry:
    credit = entry_by_id(tx, enterprise_id, entry_id)
    if credit.state != "open":
        raise Conflict("settled", "Somebody has settled this credit already.")
    return credit


def _settle_entry(tx: Transaction, enterprise_id: str, entry_id: str, **values: object) -> None:
    """Changes an open credit, once. Raises `Conflict` for the second of two people who settle it at the same time."""
    change = update(entry).where(*_selected(enterprise_id, entry_id), entry.c.state == "open").values(**values)
    if tx.execute(change).rowcount != 1:
        raise Conflict("settled", "Somebody has settled this credit already.")


def _selected(enterprise_id: str, entry_id: str) -> Iterable[ColumnElement[bool]]:
    return entry.c.enterprise_id == enterprise_id, entry.c.id == entry_id
