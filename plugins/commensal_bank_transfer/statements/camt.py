"""Reads camt.053 (ISO 20022 BankToCustomerStatement, versions 02 to 13): booked credits, one for each payer.

A batch of payments is one entry of the account with many transactions: each is its own credit. The namespace's version
does not matter, what is read here has kept its name in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from commensal import Problem, Refused, read_amount

from .values import Credit

_DENSEST = 6  # bytes a tag: those of a statement are twice as long and have values; what is denser is only work


def read_camt(content: bytes, account: str) -> Iterator[Credit]:
    """Raises `Refused` for other XML, for a statement of another account, and for XML that declares entities."""
    root = _parsed(content)
    statements = _all(root, "BkToCstmrStmt", "Stmt")
    if not statements:
        raise Refused("not_camt", "This is XML, but no bank statement in the format camt.053.")
    for statement in statements:
        theirs = _text(statement, "Acct", "Id", "IBAN")
        if theirs and account and theirs != account:
            raise Refused("other_account", "This is a statement of the account {iban}.", iban=theirs)
        for entry in _all(statement, "Ntry"):
            if _is_booked_credit(entry):
                yield from _credits(entry)


def _parsed(content: bytes) -> Element:
    if content.count(b"<") * _DENSEST > len(content):
        raise Refused("not_camt", "This is XML, but no bank statement in the format camt.053.")
    try:
        return fromstring(content)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Refused("not_xml", "This XML cannot be read: {what}", what=str(error)[:200]) from error


def _is_booked_credit(entry: Element) -> bool:
    """Pending entries come again when they are booked; a reversal of a debit is no payment of anybody."""
    booked = (_text(entry, "Sts", "Cd") or _text(entry, "Sts")) in ("BOOK", "")
    return booked and _text(entry, "CdtDbtInd") == "CRDT" and _text(entry, "RvslInd") not in ("true", "1")


def _credits(entry: Element) -> Iterator[Credit]:
    transactions = _all(entry, "NtryDtls", "TxDtls") or [entry]
    name = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    for number, one in enumerate(transactions, start=1):
        amount = _amount(one if len(transactions) > 1 else entry, entry)
        own = _text(one, "Refs", "AcctSvcrRef")
        yield Credit(
            booked_on=_day(entry),
            amount=amount[0],
            currency=amount[1],
            payer=_text(one, "RltdPties", "Dbtr", "Pty", "Nm") or _text(one, "RltdPties", "Dbtr", "Nm"),
            text=_remittance(one) or _text(entry, "AddtlNtryInf"),
            key=f"camt:{name}:{own or number}" if name else f"camt:{own}" if own else "",
        )


def _remittance(one: Element) -> str:
    structured = [found.text or "" for found in _all(one, "RmtInf", "Strd", "CdtrRefInf", "Ref")]
    written = [found.text or "" for found in _all(one, "RmtInf", "Ustrd")]
    end_to_end = _text(one, "Refs", "EndToEndId")
    return " ".join((*structured, *written, "" if end_to_end == "NOTPROVIDED" else end_to_end)).strip()


def _amount(one: Element, entry: Element) -> tuple[int, str]:
    found = next(
        (path[0] for path in (_all(one, "Amt"), _all(one, "AmtDtls", "TxAmt", "Amt"), _all(entry, "Amt")) if path), None
    )
    currency = "" if found is None else found.get("Ccy", "")
    amount = read_amount((found.text or "") if found is not None else "", currency)
    if isinstance(amount, Problem) or amount <= 0 or len(currency) != 3:
        raise Refused("amount", "An entry of this statement has no amount that can be read.")
    return amount, currency


def _day(entry: Element) -> date:
    said = _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm") or _text(entry, "ValDt", "Dt")
    try:
        return date.fromisoformat(said[:10])
    except ValueError as error:
        raise Refused("date", "An entry of this statement has no date that can be read.") from error


def _all(within: Element, *path: str) -> list[Element]:
    """Children by their names, whatever their namespace."""
    found = [within]
    for name in path:
        found = [child for one in found for child in one if child.tag.rpartition("}")[2] == name]
    return found


def _text(within: Element, *path: str) -> str:
    found = _all(within, *path)
    return (found[0].text or "").strip() if found else ""
