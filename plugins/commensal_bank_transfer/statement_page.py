"""The page of the bank statement in the office: hand a file in, then say of each unknown transfer what it was for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from commensal import (
    Enterprise,
    Invalid,
    OfficePage,
    Problem,
    Refused,
    Screen,
    Transaction,
    hookimpl,
    orders_by_id,
    plugin_settings,
    unpaid_orders,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of

from .entries import (
    BankEntry,
    ImportResult,
    count_open,
    entries,
    entry_by_id,
    ignore,
    import_credits,
    reopen,
    settle,
    settled_lately,
)
from .settings import Settings
from .statements.read import LARGEST, read_statement
from .suggestions import suggestions

PATH = "money/statement"
_SETTLED = 10  # transfers that are listed to be taken back


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    return [
        OfficePage(
            path=PATH, place="money", scope="payments:read", show=statement_page, send=statement_now,
            sends="payments:write", largest_file=LARGEST,
        )
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A credit that somebody has settled, with the number of its order; 0: it is for none."""

    entry: BankEntry
    number: int


def statement_page(
    visit: Visit,
    shop: Enterprise,
    errors: Mistakes = NO_MISTAKES,
    status: int = 200,
    result: ImportResult | None = None,
) -> Screen:
    with visit.read() as tx:
        waiting = entries(tx, shop.id, after=visit.query.get("after", ""), limit=1)
        left = count_open(tx, shop.id)
        credit = waiting[0] if waiting else None
        likely = suggestions(credit, unpaid_orders(tx, shop.id)) if credit else []
        settled = _with_numbers(tx, settled_lately(tx, shop.id, _SETTLED))
        has_account = bool(_settings(tx, visit, shop).iban)
    context = {
        "credit": credit, "likely": likely, "left": left, "settled": settled, "result": result, "mistakes": errors,
        "done": visit.query.get("done", ""), "has_account": has_account, "page": f"/office/{shop.id}/{PATH}",
        "typed": visit.form.get("number", ""), "day_of": date.fromisoformat,
    }  # fmt: skip
    return Screen(template="bank_transfer/statement.html", context=context, status=status)


def _with_numbers(tx: Transaction, settled: Sequence[BankEntry]) -> list[Settled]:
    orders = orders_by_id(tx, {credit.order_id for credit in settled if credit.order_id})
    return [
        Settled(entry=credit, number=orders[credit.order_id].number or 0 if credit.order_id else 0)
        for credit in settled
    ]


def _settings(tx: Transaction, visit: Visit, shop: Enterprise) -> Settings:
    return plugin_settings(tx, visit.instance.hooks, shop.id, "bank_transfer", Settings)


def statement_now(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Does what the pressed button is for. Nothing is booked twice: a settled credit is refused."""
    act = {"order": _book, "ignore": _ignore, "reopen": _reopen}.get(visit.query.get("then", ""))
    try:
        if act is None:
            return statement_page(visit, shop, result=_import(visit, shop))
        with visit.write() as tx:
            credit = act(tx, visit, shop, entry_by_id(tx, shop.id, visit.form.get("entry", "")))
    except Refused as error:
        return statement_page(visit, shop, mistakes(visit, error, lambda name: name == "number"), status_of(error))
    return visit.redirect(f"/office/{shop.id}/{PATH}" + (f"?done={credit.id}" if credit.state != "open" else ""))


def _import(visit: Visit, shop: Enterprise) -> ImportResult:
    if not visit.body:
        raise Invalid([Problem("no_file", "Choose the file of your bank first.")])
    with visit.read() as tx:
        settings = _settings(tx, visit, shop)
    credits = read_statement(visit.body, settings, shop.currency)
    with visit.write() as tx:
        return import_credits(tx, shop.id, credits)


def _book(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> BankEntry:
    typed = visit.form.get("number", "").strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) < 13):
        raise Invalid([Problem("number", "Write the number of the order, such as 124.", "/number")])
    return settle(tx, shop.id, credit.id, int(typed), person_id=visit.actor.person_id)


def _ignore(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> BankEntry:
    return ignore(tx, shop.id, credit.id, person_id=visit.actor.person_id)


def _reopen(tx: Transaction, visit: Visit, shop: Enterprise, credit: BankEntry) -> BankEntry:
    return reopen(tx, shop.id, credit.id, person_id=visit.actor.person_id or "")
