"""The page on which a shop notes its suppliers' accounts, and takes a file of transfers for its bank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    NotFound,
    Problem,
    Refused,
    SaleSession,
    Screen,
    SupplierAccount,
    Transaction,
    plugin_settings,
    sale_by_id,
    supplier_accounts,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, day_field, mistakes, status_of

from .credit_transfers import CreditTransfer, credit_transfers
from .payees import Payee, note_payees, payees_of
from .settings import Settings

PATH = "money/suppliers/{session}/sepa"
_LATEST = timedelta(days=60)  # in which banks take a file for later


@dataclass(frozen=True, kw_only=True)
class Row:
    """A supplier of the page, with the account that stands in its fields."""

    account: SupplierAccount
    holder: str
    iban: str


def sepa_page(visit: Visit, shop: Enterprise) -> Screen:
    return _screen(visit, shop)


def _screen(visit: Visit, shop: Enterprise, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Screen:
    with visit.read() as tx:
        session, settings, accounts, payees = _load(tx, visit, shop)
        tomorrow = shop.date_at(tx.now) + timedelta(days=1)
    rows = []
    for account in accounts:
        supplier_id = account.owed.supplier_id
        payee = payees.get(supplier_id, Payee(holder=account.owed.supplier, iban=""))
        typed = {name: visit.form.get(f"{name}/{supplier_id}", getattr(payee, name)) for name in ("holder", "iban")}
        rows.append(Row(account=account, **typed))
    names = {row.account.owed.supplier_id: row.account.owed.supplier for row in rows}
    labels = {f"{field}/{supplier_id}": names[supplier_id] for supplier_id in names for field in ("holder", "iban")}
    context = {
        "rows": rows,
        "session": session,
        "currency": shop.currency,
        "day": visit.form.get("day", tomorrow.isoformat()),
        "ready": bool(settings.iban) and shop.currency == "EUR",
        "has_account": bool(settings.iban),
        "mistakes": errors,
        "labels": labels,
        "known": payees,
        "here": _address(shop, session.id),
        "done": visit.query.get("done", ""),
    }
    return Screen(template="bank_transfer/sepa.html", context=context, status=status)


def sepa_now(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Notes the accounts, or returns the file with the transfers to the suppliers that are ticked."""
    try:
        if visit.query.get("then") == "file":
            return _file(visit, shop)
        with visit.write() as tx:
            session, _, accounts, _ = _load(tx, visit, shop)
            ids = [account.owed.supplier_id for account in accounts]
            texts = {each: (visit.form.get(f"holder/{each}", ""), visit.form.get(f"iban/{each}", "")) for each in ids}
            note_payees(tx, shop.id, {each: pair for each, pair in texts.items() if f"iban/{each}" in visit.form})
    except NotFound:
        raise
    except Refused as error:
        return _screen(visit, shop, mistakes(visit, error, visit.form.__contains__), status_of(error))
    return visit.redirect(f"{_address(shop, session.id)}?done=noted")


def _file(visit: Visit, shop: Enterprise) -> Response:
    """The file. It records nothing: whoever sends it to the bank records the payments afterwards."""
    with visit.read() as tx:
        session, settings, accounts, payees = _load(tx, visit, shop)
        day = _read_day(visit.form.get("day", ""), shop.date_at(tx.now))
        at, id = tx.now, tx.new_id()
    if not settings.iban or shop.currency != "EUR":
        raise Conflict("no_sepa", "SEPA transfers are in euros, from the account in the settings of bank transfers.")
    transfers = [
        CreditTransfer(
            id=f"{id[-12:]}-{number}",
            holder=payees[account.owed.supplier_id].holder,
            iban=payees[account.owed.supplier_id].iban,
            amount=account.left_of_delivered,
            text=f"{shop.name} {session.name}",
        )
        for number, account in enumerate(accounts, 1)
        if f"pay/{account.owed.supplier_id}" in visit.form
        and account.left_of_delivered > 0
        and account.owed.supplier_id in payees
    ]
    content = credit_transfers(
        transfers, id=id.replace("-", ""), at=at, on=day, holder=settings.holder, iban=settings.account
    )
    headers = {"Content-Disposition": f'attachment; filename="sepa-{day}.xml"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/xml", headers=headers)


def _load(
    tx: Transaction, visit: Visit, shop: Enterprise
) -> tuple[SaleSession, Settings, list[SupplierAccount], dict[str, Payee]]:
    """The sale, the shop's account, what suppliers are owed, and their accounts. Raises `NotFound`."""
    session = sale_by_id(tx, visit.path["session"]).session
    if session.enterprise_id != shop.id:
        raise NotFound
    settings = plugin_settings(tx, visit.instance.hooks, shop.id, "bank_transfer", Settings)
    return session, settings, supplier_accounts(tx, shop.id, session.id), payees_of(tx, shop.id)


def _read_day(text: str, today: date) -> date:
    day = day_field({"day": text}, "day")
    if not today <= day <= today + _LATEST:
        text = "Banks take transfers from today on, and at most {most} days ahead."
        raise Invalid([Problem("day", text, "/day", {"most": _LATEST.days})])
    return day


def _address(shop: Enterprise, session_id: str) -> str:
    return f"/office/{shop.id}/{PATH.format(session=session_id)}"
