"""What this plugin adds to the week of a hub: transfers whose order is not known."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import PageLine, PagePart, Transaction, hookimpl, plural, translate

from .entries import entries

_MOST = 50


@hookimpl
def page_parts(
    tx: Transaction, page: str, enterprise_id: str, scopes: frozenset[str], language: str
) -> Sequence[PagePart]:
    if page != "week" or "payments:read" not in scopes:
        return []
    number = len(entries(tx, enterprise_id, limit=_MOST))
    if not number:
        return []
    text = plural(language, "{number} transfer without an order", "{number} transfers without an order", number)
    detail = translate(language, "Say whose it is: `commensal bank_transfer open` lists them.")
    line = PageLine(text=text.format(number=number), detail=detail, urgent=True)
    return [PagePart(title=translate(language, "Bank transfers"), lines=[line])]
