"""The page of the bank statement in the office: hand a file in, then say of each unknown transfer what it was for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.numbers import format_decimal
from starlette.responses import Response

from commensal import (
    Conflict,
    CreditTarget,
    Enterprise,
    Invalid,
    Money,
    NotFound,
    OfficePage,
    Order,
    OrderSummary,
    Problem,
    Screen,
    Transaction,
    credit_targets,
    digits,
    dues_by_number,
    hookimpl,
    orders_by_id,
    plugin_settings,
    read_amount,
    read_whole,
    unpaid_orders,
)
from commensal.pages import Visit, on_refusal

from .debits import (
    BankDebit,
    DebitMatch,
    answers_for,
    count_open_debits,
    debits_settled_lately,
    ignore_debit,
    match,
    open_debits,
    reopen_debit,
)
from .entries import (
    BankEntry,
    ImportResult,
    count_open,
    entries,
    entry_by_id,
    ignore,
    payers_by_order,
    reopen,
    settle,
    settled_lately,
    split,
)
from .importing import import_movements
from .payments import order_numbers_in
from .sepa_page import PATH as SEPA
from .sepa_page import post_sepa, sepa_page
from .settings import Settings
from .statements.read import LARGEST, read_movements
from .suggestions import Suggestion, splits, suggestions

PATH = "money/statement"
_SETTLED = 10  # transfers that are listed to be taken back
_AMOUNT = "amount/"  # before the number of an order, in the names of fields
_NUMBER = re.compile(r"[0-9]{1,12}")
_BETWEEN = re.compile(r"[\s,;+&]+")  # numbers of several orders in one field


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    return [
        OfficePage(
            path=PATH,
            place="money",
            scope="payments:read",
            show=statement_page,
            send=post_statement,
            sends="payments:write",
            largest_file=LARGEST,
        ),
        OfficePage(path=SEPA, place="money", scope="payments:write", show=sepa_page, send=post_sepa),
    ]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A credit that somebody has settled, with its orders by number; none: it is for no order."""

    entry: BankEntry
    orders: Sequence[Order]

    @property
    def numbers(self) -> list[int]:
        return [order.number or 0 for order in self.orders]


@dataclass(frozen=True, kw_only=True)
class ShareForm:
    """A form that records a credit for orders of one customer: each with its amount as it stands in the field.

    by_reference, by_name: what speaks for it beside the sum; typed: somebody named the orders
    targets: where what is left can be kept for the customer
    """

    rows: Sequence[tuple[OrderSummary, str]]
    by_reference: bool = False
    by_name: bool = False
    typed: bool = False
    targets: Sequence[CreditTarget] = ()


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What becomes of an order that somebody has named, before anything is recorded. `due` is its balance now, and
    `after` with the credit, in minor units; negative: too much is paid."""

    order: Order
    due: int
    after: int


def statement_page(visit: Visit, shop: Enterprise, result: ImportResult | None = None) -> Screen:
    with visit.read() as tx:
        left = count_open(tx, shop.id)
        credit = _credit_of_page(tx, visit, shop)
        unpaid = unpaid_orders(tx, shop.id) if credit else []
        preview = _preview(tx, visit, shop, credit) if credit and visit.query.get("then") == "look" else None
        likely = suggestions(credit, unpaid) if credit and not preview else []
        shared = _share_forms(tx, visit, shop, credit, unpaid, likely) if credit else []
        paid = _paid_orders_named(tx, shop, credit) if credit and not preview else []
        settled = _with_numbers(tx, settled_lately(tx, shop.id, _SETTLED))
        outgoing = _outgoing(tx, visit, shop)
        has_account = bool(_settings(tx, visit, shop).iban)
    context = {
        "credit": credit,
        "preview": preview,
        "likely": likely,
        "shared": shared,
        "paid": paid,
        "left": left,
        "settled": settled,
        "result": result,
        "outgoing": outgoing,
        "done": visit.query.get("done", ""),
        "has_account": has_account,
        "page": f"/office/{shop.id}/{PATH}",
        "typed": visit.form.get("number", ""),
        "rest": visit.form.get("rest", ""),
        "day_of": date.fromisoformat,
    }
    return Screen(template="bank_transfer/statement.html", context=context)


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """Debits: how many wait, the first of them with what it may be for, and those that were decided last."""

    left: int
    debit: BankDebit | None
    answers: Sequence[DebitMatch]
    settled: Sequence[BankDebit]


def _outgoing(tx: Transaction, visit: Visit, shop: Enterprise) -> Outgoing:
    waiting = open_debits(tx, shop.id, after=visit.query.get("beyond", ""))
    debit = waiting[0] if waiting else None
    return Outgoing(
        left=count_open_debits(tx, shop.id),
        debit=debit,
        answers=answers_for(tx, shop.id, debit) if debit else [],
        settled=debits_settled_lately(tx, shop.id, _SETTLED),
    )


def _credit_of_page(tx: Transaction, visit: Visit, shop: Enterprise) -> BankEntry | None:
    """The credit that a form was about, while it waits; else the first that waits."""
    if visit.query.get("then") in ("look", "order", "split") and (named := visit.form.get("entry", "")):
        credit = entry_by_id(tx, shop.id, named)
        if credit.state == "open":
            return credit
    waiting = entries(tx, shop.id, after=visit.query.get("after", ""), limit=1)
    return waiting[0] if waiting else None


def _preview(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> Preview | None:
    """Of one order whose number was typed; several are shown with their amounts."""
    numbers = _numbers_typed(visit)
    due = dues_by_number(tx, shop.id, numbers).get(numbers[0]) if len(numbers) == 1 else None
    if due is None or due.currency != credit.currency:
        return None
    order = orders_by_id(tx, [due.order_id])[due.order_id]
    return Preview(order=order, due=due.balance, after=due.balance - credit.amount)


def _paid_orders_named(tx: Transaction, shop: Enterprise, credit: BankEntry) -> list[Order]:
    """The orders whose reference the text carries and for which nothing is due: one may have been paid twice."""
    dues = dues_by_number(tx, shop.id, order_numbers_in(credit.text))
    paid = {due.order_id for due in dues.values() if due.balance <= 0 and due.currency == credit.currency}
    return list(orders_by_id(tx, paid).values()) if paid else []


def _with_numbers(tx: Transaction, settled: Sequence[BankEntry]) -> list[Settled]:
    ids_of = {
        credit.id: [share.order_id for share in credit.shares] or [credit.order_id] if credit.order_id else []
        for credit in settled
    }
    orders = orders_by_id(tx, {order_id for ids in ids_of.values() for order_id in ids})
    return [
        Settled(
            entry=credit, orders=sorted((orders[id] for id in ids_of[credit.id]), key=lambda each: each.number or 0)
        )
        for credit in settled
    ]


def _share_forms(
    tx: Transaction,
    visit: Visit,
    shop: Enterprise,
    credit: BankEntry,
    unpaid: Sequence[OrderSummary],
    likely: Sequence[Suggestion],
) -> list[ShareForm]:
    """The form with the orders that somebody has typed; else one for each set of orders whose sum is the credit, and
    for each likely order that costs less, if its customer has an account for the rest. One order that was typed has no
    form here unless it costs less too."""

    def rows(orders: Iterable[OrderSummary]) -> list[tuple[OrderSummary, str]]:
        return [(order, _amount_field(visit, order)) for order in orders]

    numbers = _numbers_typed(visit)
    if len(numbers) > 1 or (numbers and visit.query.get("then") == "split"):
        chosen = [order for order in unpaid if order.number in numbers]
        targets = _targets(tx, visit, shop, chosen)
        return [ShareForm(rows=rows(chosen), typed=True, targets=targets)] if chosen else []
    if numbers and visit.query.get("then") == "look":
        return _forms_with_rest(
            tx, visit, shop, [each for each in unpaid if each.number in numbers and each.due < credit.amount]
        )
    payers = payers_by_order(tx, [order.id for order in unpaid])
    sets = splits(credit, unpaid, payers)
    if any(order.due == credit.amount for order in unpaid):  # one order is a simpler reason, unless the text names two
        sets = [each for each in sets if each.by_reference]
    forms = [ShareForm(rows=rows(each.orders), by_reference=each.by_reference, by_name=each.by_name) for each in sets]
    return forms + _forms_with_rest(tx, visit, shop, [each.order for each in likely if each.over > 0])


def _forms_with_rest(
    tx: Transaction, visit: Visit, shop: Enterprise, orders: Iterable[OrderSummary]
) -> list[ShareForm]:
    """A form for each order that costs less than the credit and whose customer has an account for the rest."""
    return [
        ShareForm(rows=[(order, _amount_field(visit, order))], typed=True, targets=targets)
        for order in orders
        if order.due > 0 and (targets := _targets(tx, visit, shop, [order]))
    ]


def _amount_field(visit: Visit, order: OrderSummary) -> str:
    """What stands in the field of an order: the amount as it was typed, or what is due."""
    typed = visit.form.get(f"{_AMOUNT}{order.number}")
    due = Decimal(max(0, order.due)).scaleb(-digits(order.currency))
    pattern = "0." + "0" * digits(order.currency) if digits(order.currency) else "0"
    return typed if typed is not None else format_decimal(due, pattern, locale=visit.language)


def _targets(tx: Transaction, visit: Visit, shop: Enterprise, orders: Sequence[OrderSummary]) -> Sequence[CreditTarget]:
    """Where money of the one proven customer of these orders can be kept; nowhere if they have several, or none."""
    customers = {order.customer_id for order in orders_by_id(tx, [order.id for order in orders]).values()}
    customer_id = customers.pop() if len(customers) == 1 else None
    if customer_id is None:
        return ()
    return credit_targets(tx, visit.instance.hooks, shop.id, customer_id, visit.language)


def _numbers_typed(visit: Visit) -> list[int]:
    """The numbers of orders in the form: those with an amount, else those in its field. Raises `Invalid`."""
    names = [name.removeprefix(_AMOUNT) for name in visit.form if name.startswith(_AMOUNT)]
    texts = names or [text for text in _BETWEEN.split(visit.form.get("number", "").strip()) if text]
    return sorted({int(text) for text in texts if _NUMBER.fullmatch(text)})


def _settings(tx: Transaction, visit: Visit, shop: Enterprise) -> Settings:
    return plugin_settings(tx, visit.instance.hooks, shop.id, "bank_transfer", Settings)


@on_refusal(statement_page, {"number"})
def post_statement(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Does what the pressed button is for. Nothing is booked twice: a settled credit is refused."""
    act = {"look": _look, "order": _book, "split": _split, "ignore": _ignore, "reopen": _reopen}.get(
        visit.query.get("then", "")
    )
    if visit.query.get("then") in _OF_DEBITS:
        _decide_debit(visit, shop, visit.query["then"])
        return visit.redirect(f"/office/{shop.id}/{PATH}?done=sent#outgoing")
    if act is None:
        return statement_page(visit, shop, result=_import(visit, shop))
    if act is _look:
        with visit.read() as tx:
            _look(tx, visit, shop, entry_by_id(tx, shop.id, visit.form.get("entry", "")))
        return statement_page(visit, shop)
    with visit.write() as tx:
        credit = act(tx, visit, shop, entry_by_id(tx, shop.id, visit.form.get("entry", "")))
    return visit.redirect(f"/office/{shop.id}/{PATH}" + (f"?done={credit.id}" if credit.state != "open" else ""))


_OF_DEBITS = ("match", "pass", "again")


def _decide_debit(visit: Visit, shop: Enterprise, then: str) -> None:
    """Says what a debit was for, or that it is nothing of these, or takes the decision back."""
    debit_id, person_id = visit.form.get("debit", ""), visit.actor.person_id or ""
    with visit.write() as tx:
        if then == "pass":
            ignore_debit(tx, shop.id, debit_id, person_id=person_id)
        elif then == "again":
            reopen_debit(tx, shop.id, debit_id, person_id=person_id)
        else:
            kind, _, rest = visit.form.get("answer", "").partition(":")
            owed, _, subject = rest.partition(":")
            match(
                tx, shop.id, debit_id, kind=kind, subject=subject, person_id=person_id, owed=read_whole(owed, 12) or 0
            )


def _import(visit: Visit, shop: Enterprise) -> ImportResult:
    if not visit.body:
        raise Invalid([Problem("no_file", "Choose the file of your bank first.")])
    with visit.read() as tx:
        settings = _settings(tx, visit, shop)
    movements = read_movements(visit.body, settings, shop.currency)
    with visit.write() as tx:
        return import_movements(tx, shop.id, movements)


def _look(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> BankEntry:
    """Checks the numbers that were typed; nothing is recorded before their orders are shown."""
    numbers = _typed_or_refused(visit)
    dues = dues_by_number(tx, shop.id, numbers)
    if len(dues) != len(numbers):
        raise NotFound("no_order", "There is no such order.")
    for number, due in dues.items():
        if due.currency != credit.currency:
            raise Conflict("other_currency", "This order is in {currency}.", currency=due.currency)
        if len(numbers) > 1 and due.balance <= 0:
            raise Conflict("nothing_due", "Nothing is to be paid for order {number}.", number=number)
    return credit


def _typed_or_refused(visit: Visit) -> list[int]:
    """The numbers that were typed. Raises `Invalid` for anything else."""
    texts = [text for text in _BETWEEN.split(visit.form.get("number", "").strip()) if text]
    if not texts or not all(_NUMBER.fullmatch(text) for text in texts):
        raise Invalid([Problem("number", "Write the number of the order, such as 124.", "/number")])
    return _numbers_typed(visit)


def _book(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> BankEntry:
    """Records the credit for the order whose number was typed; for several, with what is due for each. What was shown
    as due comes with the form, so that nobody records what they have not seen."""
    numbers = _typed_or_refused(visit)
    dues = dues_by_number(tx, shop.id, numbers)
    if len(numbers) == 1:
        due = dues.get(numbers[0])
        if due is not None and visit.form.get("due", str(due.balance)) != str(due.balance):
            text = "{left} is to be paid for order {number} now. Look again before you record it."
            raise Conflict("due_changed", text, left=Money(due.balance, due.currency), number=numbers[0])
        return settle(tx, shop.id, credit.id, numbers[0], person_id=visit.actor.person_id)
    amounts = {number: dues[number].balance if number in dues else 0 for number in numbers}
    return split(tx, visit.instance.hooks, shop.id, credit.id, amounts, person_id=visit.actor.person_id)


def _split(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> BankEntry:
    amounts = {}
    for number in _numbers_typed(visit):
        amount = read_amount(visit.form[f"{_AMOUNT}{number}"], credit.currency)
        if isinstance(amount, Problem):
            raise Invalid([amount])
        amounts[number] = amount
    return split(
        tx,
        visit.instance.hooks,
        shop.id,
        credit.id,
        amounts,
        rest_to=visit.form.get("rest", ""),
        person_id=visit.actor.person_id,
    )


def _ignore(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> BankEntry:
    return ignore(tx, shop.id, credit.id, person_id=visit.actor.person_id)


def _reopen(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> BankEntry:
    return reopen(tx, visit.instance.hooks, shop.id, credit.id, person_id=visit.actor.person_id or "")
