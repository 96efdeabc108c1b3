"""Reads camt.053 (ISO 20022 BankToCustomerStatement, versions 02 to 13): booked credits and debits, one
for each payer or payee.

A batch of payments is one entry of the account with many transactions: each is a separate credit. The namespace's
version does not matter, because all versions have the same names for what is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from commensal import Problem, Refused, read_amount

from .values import Credit, Debit, Movement

_CURRENCY = re.compile("[A-Z]{3}")
_DENSEST = 6  # bytes per tag: statements have twice as many; denser XML only wastes the parser's time


def read_camt(content: bytes, account: str) -> Iterator[Movement]:
    """Yields the booked credits and debits of a statement.

    Raises `Refused` for other XML, for a statement of another account, and for XML that declares entities.
    """
    root = _parse(content)
    statements = _all(root, "BkToCstmrStmt", "Stmt")
    if not statements:
        raise Refused("not_camt", "This is XML, but no bank statement in the format camt.053.")
    for statement in statements:
        iban = _text(statement, "Acct", "Id", "IBAN")
        if iban and account and iban != account:
            raise Refused("other_account", "This is a statement of the account {iban}.", iban=iban)
        for entry in _all(statement, "Ntry"):
            direction = _booked(entry)
            if direction == "CRDT":
                yield from _credits(entry)
            elif direction == "DBIT":
                yield from _debits(entry)


def _parse(content: bytes) -> Element:
    if content.count(b"<") * _DENSEST > len(content):
        raise Refused("not_camt", "This is XML, but no bank statement in the format camt.053.")
    try:
        return fromstring(content)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Refused("not_xml", "This XML cannot be read: {what}", what=str(error)[:200]) from error


def _booked(entry: Element) -> str:
    """CRDT or DBIT for a booked entry, else "". Pending ones come again later; reversals are not payments."""
    is_booked = (_text(entry, "Sts", "Cd") or _text(entry, "Sts")) in ("BOOK", "")
    return _text(entry, "CdtDbtInd") if is_booked and _text(entry, "RvslInd") not in ("true", "1") else ""


def _debits(entry: Element) -> Iterator[Debit]:
    """The debits of an entry, read like credits; one that cannot be read is left out: it is nothing for a customer."""
    try:
        sent = list(_credits(entry, party="Cdtr", other="CRDT"))
    except Refused:
        return
    for each in sent:
        yield Debit(
            booked_on=each.booked_on,
            amount=each.amount,
            currency=each.currency,
            payee=each.payer,
            text=each.text,
            key=each.key,
        )


def _credits(entry: Element, *, party: str = "Dbtr", other: str = "DBIT") -> Iterator[Credit]:
    """Yields a credit for each transaction of the entry; one for all if the bank does not say which paid how much.

    What is the same for all transactions is read once. A key is the bank's own reference of the account: the other
    one, `NtryRef`, only numbers the entries of a statement, or names the account that all of them came by. `party` is
    who stands on the other side, and `other` the mark of what goes the other way.
    """
    amount, currency = _amount(entry)
    whole = Credit(booked_on=_day(entry), amount=amount, currency=currency, payer="", text=_text(entry, "AddtlNtryInf"))
    reference = _text(entry, "AcctSvcrRef")
    transactions = _all(entry, "NtryDtls", "TxDtls") or [entry]
    if len(transactions) > 1 and not all(map(_amounts, transactions)):
        text = " ".join(filter(None, map(_remittance, transactions))) or whole.text
        yield replace(whole, text=text, is_of_one=False, key=f"camt:{reference}" if reference else "")
        return
    for number, transaction in enumerate(transactions, start=1):
        if _text(transaction, "CdtDbtInd") == other:  # a fee that the bank keeps of the others
            continue
        own_name = _text(transaction, "Refs", "AcctSvcrRef")
        if len(transactions) > 1:
            amount, currency = _amount(transaction)
        yield replace(
            whole,
            amount=amount,
            currency=currency,
            payer=_text(transaction, "RltdPties", party, "Pty", "Nm") or _text(transaction, "RltdPties", party, "Nm"),
            text=_remittance(transaction) or whole.text,
            key=f"camt:{reference}:{own_name or number}" if reference else f"camt:{own_name}" if own_name else "",
        )


def _remittance(transaction: Element) -> str:
    structured = [element.text or "" for element in _all(transaction, "RmtInf", "Strd", "CdtrRefInf", "Ref")]
    unstructured = [element.text or "" for element in _all(transaction, "RmtInf", "Ustrd")]
    end_to_end = _text(transaction, "Refs", "EndToEndId")
    return " ".join((*structured, *unstructured, "" if end_to_end == "NOTPROVIDED" else end_to_end)).strip()


def _amounts(element: Element) -> list[Element]:
    return _all(element, "Amt") or _all(element, "AmtDtls", "TxAmt", "Amt")


def _amount(element: Element) -> tuple[int, str]:
    amount_element = next(iter(_amounts(element)), None)
    currency = "" if amount_element is None else amount_element.get("Ccy", "")
    amount = read_amount((amount_element.text or "") if amount_element is not None else "", currency)
    if isinstance(amount, Problem) or amount <= 0 or not _CURRENCY.fullmatch(currency):
        raise Refused("amount", "An entry of this statement has no amount that can be read.")
    return amount, currency


def _day(entry: Element) -> date:
    text = _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm") or _text(entry, "ValDt", "Dt")
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Refused("date", "An entry of this statement has no date that can be read.") from error


def _all(parent: Element, *path: str) -> list[Element]:
    """Returns the descendants at this path of names, in any namespace."""
    elements = [parent]
    for name in path:
        elements = [child for element in elements for child in element if child.tag.rpartition("}")[2] == name]
    return elements


def _text(parent: Element, *path: str) -> str:
    elements = _all(parent, *path)
    return (elements[0].text or "").strip() if elements else ""
