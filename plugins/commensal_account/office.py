"""What accounts add to the office: the balance on a customer's page, and a page to note what is paid in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from starlette.responses import Response

from commensal import (
    LARGEST,
    Conflict,
    Enterprise,
    Invalid,
    NotFound,
    OfficePage,
    PageLine,
    PagePart,
    Problem,
    Screen,
    Transaction,
    customer_by_id,
    customers_by_id,
    enterprise_by_id,
    format_moment,
    hookimpl,
    plugin_settings,
    read_day,
    read_decimal,
    read_whole,
    translate,
)
from commensal.pages import Visit, amount_field, on_refusal

from .accounts import Account, EntryKind, account_of, balances, latest_entries, open_account, write_entry
from .mails import SHOWN, entry_labels, mail_statement, statement_mails
from .settings import PARTS, Settings

_PATH = "customers/{customer}/account"
_OWN_ENTRIES = 12  # on the customer's own page
_KINDS: tuple[EntryKind, ...] = ("paid in", "paid out", "correction")
_FIELDS = ("kind", "amount", "note")


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    return [
        OfficePage(
            path=_PATH,
            place="customers",
            scope="payments:read",
            show=account_page,
            send=post_account,
            sends="payments:write",
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
    """The balance on the page of a customer, for those who see money, and on the customer's own with the latest
    entries; all balances where the treasurer sees what is open."""
    if page == "shop/account":
        return _own_account(tx, settings, enterprise_id, subject, language)
    if page == "open" and "payments:read" in scopes:
        return _balances(tx, settings, enterprise_id, read_day(subject), language)
    if page != "customer" or "payments:read" not in scopes:
        return []
    account = _account(tx, enterprise_id, subject)
    if account is None:
        text, action = translate(language, "No account yet"), translate(language, "Open one")
    else:
        currency = enterprise_by_id(tx, enterprise_id).currency
        text = settings.balance_in_words(account.balance, currency, language)
        action = translate(language, "Pay in, pay out")
    url = f"/office/{enterprise_id}/{_PATH.format(customer=subject)}"
    line = PageLine(text=text, url=url, action=action, urgent=account is not None and account.balance < 0)
    return [PagePart(title=translate(language, "Account"), lines=[line])]


def _balances(tx: Transaction, settings: Settings, enterprise_id: str, day: date, language: str) -> Sequence[PagePart]:
    """What members have paid in and not spent at the end of a day, and what they are to pay in: in sum, and each."""
    shop = enterprise_by_id(tx, enterprise_id)
    evening = datetime.combine(day + timedelta(days=1), time.min, shop.zone) - timedelta(microseconds=1)
    balance_of = balances(tx, enterprise_id, evening)
    names = {id: customer.name for id, customer in customers_by_id(tx, balance_of).items()}
    above = sum(balance for balance in balance_of.values() if balance > 0)
    below = -sum(balance for balance in balance_of.values() if balance < 0)
    lines = [
        PageLine(text=text.format(amount=settings.as_text(amount, shop.currency, language)), urgent=urgent)
        for text, amount, urgent in (
            (translate(language, "Members have paid in and not spent {amount}"), above, False),
            (translate(language, "Members are to pay in {amount}"), below, True),
        )
        if amount
    ]
    action = translate(language, "Pay in, pay out")
    for id in sorted(balance_of, key=lambda id: (names[id], id)):
        url = f"/office/{enterprise_id}/{_PATH.format(customer=id)}"
        amount = settings.as_text(balance_of[id], shop.currency, language)
        lines.append(PageLine(text=names[id], detail=amount, url=url, action=action))
    return [PagePart(title=translate(language, "Accounts of members"), lines=lines)] if lines else []


def _own_account(
    tx: Transaction, settings: Settings, enterprise_id: str, customer_id: str, language: str
) -> Sequence[PagePart]:
    account = _account(tx, enterprise_id, customer_id)
    if account is None:
        return []
    shop = enterprise_by_id(tx, enterprise_id)

    def shown(amount: int) -> str:
        return settings.as_text(amount, shop.currency, language)

    labels = entry_labels(language)
    balance = settings.balance_in_words(account.balance, shop.currency, language)
    lines = [PageLine(text=balance, urgent=account.balance < 0)]
    for entry in latest_entries(tx, enterprise_id, customer_id, limit=_OWN_ENTRIES):
        parts = (
            f"{'+' if entry.amount > 0 else ''}{shown(entry.amount)}",
            f"{labels[entry.kind]} {entry.order_number or ''}".strip(),
            entry.note,
        )
        moment = format_moment(entry.at, shop.timezone, language)
        lines.append(PageLine(text=" · ".join(filter(None, parts)), detail=moment))
    return [PagePart(title=translate(language, "Account"), lines=lines)]


def account_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        customer = customer_by_id(tx, shop.id, visit.path["customer"])
        account = _account(tx, shop.id, customer.id)
        ledger = latest_entries(tx, shop.id, customer.id, limit=SHOWN)
        settings = plugin_settings(tx, visit.instance.hooks, shop.id, "account", Settings)
        mails = statement_mails(tx, shop.id, customer.id)

    def shown(amount: int) -> str:
        return settings.as_text(amount, shop.currency, visit.language)

    context = {
        "customer": customer,
        "account": account,
        "ledger": ledger,
        "shown": shown,
        "typed": _typed(visit) if visit.form else {"kind": "paid in", "amount": "", "note": ""},
        "unit": settings.unit or shop.currency,
        "done": visit.query.get("done", ""),
        "here": f"/office/{shop.id}/{_PATH.format(customer=customer.id)}",
        "seen": ledger[0].id if ledger else "",
        "mails": mails,
        "labels": entry_labels(visit.language),
    }
    return Screen(template="account/account.html", context=context)


def _account(tx: Transaction, enterprise_id: str, customer_id: str) -> Account | None:
    try:
        return account_of(tx, enterprise_id, customer_id)
    except NotFound:
        return None


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.form.get(name, "").strip() for name in _FIELDS}


@on_refusal(account_page, _FIELDS)
def post_account(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Opens the account, writes one entry or mails the statement: once, however often the button is pressed."""
    customer_id = visit.path["customer"]
    then = visit.query.get("then")
    with visit.write() as tx:
        if then == "open":
            open_account(tx, shop.id, customer_id)
        elif then == "mail":
            _mail(tx, visit, shop, customer_id)
        else:
            _write(tx, visit, shop, customer_id, _typed(visit))
    done = {"open": "opened", "mail": "mailed"}.get(then or "", "written")
    return visit.redirect(f"/office/{shop.id}/{_PATH.format(customer=customer_id)}?done={done}")


def _mail(tx: Transaction, visit: Visit, shop: Enterprise, customer_id: str) -> None:
    sent = read_whole(visit.form.get("sent", ""))
    settings = plugin_settings(tx, visit.instance.hooks, shop.id, "account", Settings)
    mail_statement(
        tx,
        shop,
        customer_by_id(tx, shop.id, customer_id),
        settings,
        sent_before=-1 if sent is None else sent,
        person_id=visit.actor.person_id or "",
    )


def _write(tx: Transaction, visit: Visit, shop: Enterprise, customer_id: str, typed: dict[str, str]) -> None:
    """Raises `Conflict` if the ledger has grown since the page was read: a second press of the button, or somebody
    else."""
    kind = next((kind for kind in _KINDS if kind == typed["kind"]), None)
    if kind is None:
        raise Invalid([Problem("kind", "Choose what it is.", "/kind")])
    settings = plugin_settings(tx, visit.instance.hooks, shop.id, "account", Settings)
    amount = _read_amount(typed, shop.currency, settings)
    account_of(tx, shop.id, customer_id, lock=True)
    latest = latest_entries(tx, shop.id, customer_id, limit=1)
    if visit.form.get("seen", "") != (latest[0].id if latest else ""):
        text = (
            "Another entry was written meanwhile: look at the list below, and send yours again only if it is missing."
        )
        raise Conflict("ledger_grown", text)
    signed = -amount if kind == "paid out" else amount
    write_entry(tx, shop.id, customer_id, kind, signed, note=typed["note"], person_id=visit.actor.person_id)


def _read_amount(typed: Mapping[str, str], currency: str, settings: Settings) -> int:
    """The amount in minor units of the shop's money, or in hundredths of its unit. Raises `Invalid`."""
    if not settings.unit:
        return amount_field(typed, "amount", currency)
    try:
        hundredths = read_decimal(typed["amount"].replace(",", ".")) * PARTS
    except InvalidOperation:
        hundredths = Decimal("NaN")
    if not hundredths.is_finite() or abs(hundredths) > LARGEST or hundredths != int(hundredths):
        raise Invalid([Problem("amount", "Write a number with at most two decimals.", "/amount")])
    return int(hundredths)
