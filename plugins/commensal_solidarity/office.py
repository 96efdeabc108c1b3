"""Funds for the treasurer: what each has granted and owes, a page to note what it has paid, and its statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    OfficePage,
    PageLine,
    PagePart,
    Problem,
    Screen,
    Transaction,
    enterprise_by_id,
    format_money,
    hookimpl,
    plugin_settings,
    read_amount,
    read_day,
    translate,
)
from commensal.pages import Visit, on_refusal

from .settings import Programme, Settings
from .statement import FundPayment, FundSums, latest_fund_payments, owed_by_fund, record_payment, sums_of

PATH = "money/funds"
_SHOWN = 12  # payments of each fund
_FIELDS = ("amount", "paid_on", "reference")


@dataclass(frozen=True, kw_only=True)
class Fund:
    """A programme, what it has granted in the fund's year until today, and its latest payments, the newest first."""

    programme: Programme
    statement: FundSums
    payments: Sequence[FundPayment]


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    return [
        OfficePage(
            path=PATH, place="money", scope="payments:read", show=funds_page, send=post_funds, sends="payments:write"
        )
    ]


@hookimpl
def page_parts(
    tx: Transaction,
    settings: Settings,
    page: str,
    enterprise_id: str,
    scopes: frozenset[str],
    language: str,
    subject: str,
) -> Sequence[PagePart]:
    """What funds owe, where the treasurer looks at what is still to come."""
    if page not in ("money", "close", "open") or "payments:read" not in scopes:
        return []
    url, action = f"/office/{enterprise_id}/{PATH}", translate(language, "Open the funds")
    shop, lines = enterprise_by_id(tx, enterprise_id), list[PageLine]()
    for programme in settings.programmes:
        owed = owed_by_fund(tx, shop, programme, read_day(subject) if page == "open" else shop.date_at(tx.now))
        if owed or page == "money":
            text = translate(language, "{payer} still owes {amount}")
            amount = format_money(owed, shop.currency, language)
            text, urgent = text.format(payer=programme.payer, amount=amount), page == "open"
            lines.append(PageLine(text=text, url=url, action=action, urgent=urgent))
    title = translate(language, "Funds that help to pay")
    return [PagePart(title=title, lines=lines)] if lines or page != "open" else []


def funds_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        settings = plugin_settings(tx, visit.instance.hooks, shop.id, "solidarity", Settings)
        funds = [
            Fund(
                programme=programme,
                statement=sums_of(tx, shop.id, programme),
                payments=latest_fund_payments(tx, shop.id, programme=programme.id, limit=_SHOWN),
            )
            for programme in settings.programmes
        ]
        seen, today = _newest(tx, shop.id), shop.date_at(tx.now)
    typed = {"programme": "", "amount": "", "paid_on": today.isoformat(), "reference": "", **visit.form}
    context = {
        "funds": funds,
        "typed": typed,
        "done": visit.query.get("done", ""),
        "seen": seen,
        "here": f"/office/{shop.id}/{PATH}",
        "api": f"/api/-/solidarity/enterprises/{shop.id}/programmes",
    }
    return Screen(template="solidarity/funds.html", context=context)


@on_refusal(funds_page)
def post_funds(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Notes what a fund has paid: once, however often the button is pressed."""
    with visit.write() as tx:
        settings = plugin_settings(tx, visit.instance.hooks, shop.id, "solidarity", Settings)
        _record(tx, visit, shop, settings.programme(visit.form.get("programme", "")))
    return visit.redirect(f"/office/{shop.id}/{PATH}?done=1")


def _record(tx: Transaction, visit: Visit, shop: Enterprise, programme: Programme) -> None:
    """Raises `Invalid` with every mistake, and `Conflict` if a payment was noted since the page was read."""
    problems = list[Problem]()
    amount = read_amount(visit.form.get("amount", "").strip(), shop.currency)
    if isinstance(amount, Problem):
        problems.append(Problem(amount.code, amount.text, "/amount", amount.values))
    try:
        paid_on = read_day(visit.form.get("paid_on", "").strip())
    except ValueError:
        problems.append(Problem("day", "Give a day, like 2026-06-30.", "/paid_on"))
    if problems:
        raise Invalid(problems)
    assert isinstance(amount, int)
    if visit.form.get("seen", "") != _newest(tx, shop.id):
        text = "A payment was noted meanwhile: look at the list, and send yours again only if it is missing."
        raise Conflict("payments_grown", text)
    record_payment(
        tx,
        shop.id,
        programme.id,
        amount=amount,
        paid_on=paid_on,
        reference=visit.form.get("reference", ""),
        by=visit.actor.person_id,
    )


def _newest(tx: Transaction, enterprise_id: str) -> str:
    """The id of the payment of any fund that was noted last; "": none was."""
    payments = latest_fund_payments(tx, enterprise_id, limit=1)
    return payments[0].id if payments else ""
