"""Statements of accounts that customers get by e-mail: what the page of the account shows, and when each was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from commensal import (
    Conflict,
    Customer,
    Enterprise,
    NotFound,
    Order,
    PageLine,
    PagePart,
    Recipient,
    Transaction,
    format_day,
    hookimpl,
    mail_people,
    person_by_id,
    translate,
)

from .accounts import AccountEntry, EntryKind, account_of, latest_entries
from .settings import Settings
from .tables import account_statement_mail

SHOWN = 50  # entries of the ledger, on the page and in the e-mail
_KIND = "account_statement"
_row = account_statement_mail.c


@dataclass(frozen=True, kw_only=True)
class MailedBalance:
    """A statement that was mailed; `balance` is what it said, as that of the account."""

    at: datetime
    balance: int


def statement_mails(tx: Transaction, enterprise_id: str, customer_id: str) -> Sequence[MailedBalance]:
    """Returns the statements that a customer was mailed, the oldest first."""
    of_customer = (_row.enterprise_id == enterprise_id, _row.customer_id == customer_id)
    rows = tx.all(select(_row.at, _row.balance).where(*of_customer).order_by(_row.id))
    return [MailedBalance(**row) for row in rows]


def entry_labels(language: str) -> Mapping[EntryKind, str]:
    """Returns what entries of each kind are called."""
    return {
        "paid in": translate(language, "Paid in"),
        "order": translate(language, "Order"),
        "given back": translate(language, "Given back"),
        "paid out": translate(language, "Paid out"),
        "correction": translate(language, "Correction"),
    }


def mail_statement(
    tx: Transaction, shop: Enterprise, customer: Customer, settings: Settings, *, sent_before: int, person_id: str
) -> None:
    """Enqueues the e-mail to the customer's address, in their language or else in the shop's, and notes it.

    `sent_before` is how many the person was shown: with another number the button was pressed twice, or somebody else
    was quicker. Raises `Conflict` for that, and for a customer without an address; `NotFound` without an account.
    """
    account = account_of(tx, shop.id, customer.id, lock=True)
    if not customer.email:
        raise Conflict("no_address", "{name} has no e-mail address.", name=customer.name)
    if len(statement_mails(tx, shop.id, customer.id)) != sent_before:
        raise Conflict("sent_already", "This statement was sent a moment ago: look at the list.")
    language = person_by_id(tx, customer.person_id).language if customer.person_id else shop.language
    labels = entry_labels(language)

    def money(amount: int) -> str:
        return settings.as_text(amount, shop.currency, language)

    def label(entry: AccountEntry) -> str:
        what = f"{labels[entry.kind]} {entry.order_number or ''}".strip()
        return f"{what} · {entry.note}" if entry.note else what

    values = {
        "hub": shop.name,
        "contact": " · ".join(text for text in (shop.email, shop.phone) if text),
        "balance": money(account.balance),
        "owes": money(-account.balance) if account.balance < 0 else "",
        "lines": [
            {
                "day": format_day(entry.at, shop.timezone, language),
                "label": label(entry),
                "amount": money(entry.amount),
                "balance": money(entry.balance),
            }
            for entry in latest_entries(tx, shop.id, customer.id, limit=SHOWN)
        ],
    }
    to = Recipient(email=customer.email, name=customer.name, language=language)
    mail_people(tx, _KIND, [(to, values)], typed=customer.person_id is None)
    row = {"id": tx.new_id(), "enterprise_id": shop.id, "customer_id": customer.id, "balance": account.balance}
    tx.execute(insert(account_statement_mail).values(**row, at=tx.now, person_id=person_id))


# What e-mails about orders say of the account that pays them.

_METHOD = "account:"
_BALANCE = "account_balance"  # in braces, in a text of the hub


@hookimpl
def mail_parts(tx: Transaction, order: Order, settings: Settings, language: str) -> Sequence[PagePart]:
    """What is on the account, if the order is paid from it and its customer is proved."""
    if not order.payment_method.startswith(_METHOD):
        return []
    balance = _balance(tx, order)
    if balance is None:
        return []
    line = PageLine(text=settings.balance_in_words(balance, order.currency, language))
    return [PagePart(title=translate(language, "Account"), lines=[line])]


@hookimpl
def mail_placeholders() -> Mapping[str, str]:
    return {_BALANCE: "what is on the customer's account"}


@hookimpl
def placeholder_values(
    tx: Transaction, order: Order, names: frozenset[str], settings: Settings, language: str
) -> Mapping[str, str]:
    if _BALANCE not in names:
        return {}
    balance = _balance(tx, order)
    return {_BALANCE: "" if balance is None else settings.as_text(balance, order.currency, language)}


def _balance(tx: Transaction, order: Order) -> int | None:
    """What is on the account of the order's customer; None without an account, and if nobody is proved."""
    if order.customer_id is None:
        return None
    try:
        return account_of(tx, order.enterprise_id, order.customer_id).balance
    except NotFound:
        return None
