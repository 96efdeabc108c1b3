"""What this plugin adds to pages of the office: transfers whose order is not known, and transfers to suppliers."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import PageLine, PagePart, Transaction, hookimpl, plural, translate

from .debits import count_debits, count_open_debits
from .entries import count_open, settled_lately
from .sepa_page import PATH as SEPA
from .statement_page import PATH


@hookimpl
def page_parts(
    tx: Transaction, page: str, enterprise_id: str, scopes: frozenset[str], language: str, subject: str
) -> Sequence[PagePart]:
    if page == "suppliers" and "payments:write" in scopes:
        url = f"/office/{enterprise_id}/{SEPA.format(session=subject)}"
        text = translate(language, "All at once, by a file for your bank (SEPA)")
        line = PageLine(text=text, url=url, action=translate(language, "Transfers to suppliers"))
        return [PagePart(title=translate(language, "Bank transfers"), lines=[line])]
    if page not in ("week", "money", "close") or "payments:read" not in scopes:
        return []
    number, sent = count_open(tx, enterprise_id), count_open_debits(tx, enterprise_id)
    if not number and not sent and page != "money":
        return []
    text = plural(language, "{number} transfer without an order", "{number} transfers without an order", number)
    line = PageLine(
        text=text.format(number=number) if number else _nothing_open(tx, enterprise_id, language),
        detail=translate(language, "Say whose it is, one after the other.") if number else "",
        url=f"/office/{enterprise_id}/{PATH}",
        action=translate(language, "Open the bank statement"),
        urgent=bool(number),
    )
    lines = [line] if number or page == "money" else []
    if sent:
        text = plural(language, "{number} outgoing transfer to decide", "{number} outgoing transfers to decide", sent)
        url, action = f"/office/{enterprise_id}/{PATH}#outgoing", translate(language, "Open the bank statement")
        lines.append(PageLine(text=text.format(number=sent), url=url, action=action))
    return [PagePart(title=translate(language, "Bank transfers"), lines=lines)]


def _nothing_open(tx: Transaction, enterprise_id: str, language: str) -> str:
    if settled_lately(tx, enterprise_id, 1) or count_debits(tx, enterprise_id):
        return translate(language, "Every transfer is decided.")
    return translate(language, "No bank statement was handed in yet.")
