"""Suppliers to pay: what each is owed for a sale, its statement, and that it was paid."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from starlette.responses import Response

from commensal import (
    Invalid,
    Problem,
    Refused,
    account_of,
    csv_bytes,
    digits,
    pay_supplier,
    read_whole,
    supplier_accounts,
    translate,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, amount_field, mistakes, page_parts, status_of
from commensal.parts.supply import (
    OwedToSupplier,
    StatementCorrection,
    StatementLine,
    payments_to,
    statement_corrections,
    statement_lines,
    undelivered_at_session,
)

from ..frame.desk import open_desk
from ..frame.render import amount_in_field, show
from ..frame.sessions import chosen_session, recent_sessions, session_of_page
from .statement_mails import StatementRow, mail_statement, statement_mails, statement_rows

_FIELDS = ("amount", "reference")


def suppliers_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        undelivered = undelivered_at_session(tx, desk.enterprise.id, session.id) if session else []
        accounts = supplier_accounts(tx, desk.enterprise.id, session.id, undelivered=undelivered) if session else []
        now = tx.now
        added_parts = (
            page_parts(tx, visit, "suppliers", desk.enterprise.id, desk.scopes, subject=session.id) if session else []
        )
    return show(
        visit,
        desk,
        "suppliers",
        at="money",
        session=session,
        sessions=sessions,
        accounts=accounts,
        added_parts=added_parts,
        undelivered=undelivered,
        left=sum(account.left_of_delivered for account in accounts),
        overpaid=sum(account.overpaid for account in accounts),
        is_over=session is not None and session.ends_at <= now,
    )


def account_page(
    visit: Visit, typed: dict[str, str] | None = None, errors: Mistakes = NO_MISTAKES, status: int = 200
) -> Response:
    supplier = visit.path["supplier"]
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
        session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
        at_session = undelivered_at_session(tx, desk.enterprise.id, session.id)
        account = account_of(tx, desk.enterprise.id, session.id, supplier, undelivered=at_session)
        lines = statement_lines(tx, desk.enterprise.id, session.id, supplier)
        corrections = statement_corrections(tx, desk.enterprise.id, session.id, supplier)
        payments = payments_to(tx, desk.enterprise.id, session.id, supplier)
        mails = statement_mails(tx, desk.enterprise.id, session.id, supplier)
        now = tx.now
    currency = account.owed.currency
    most = account.paid if visit.query.get("then") == "back" else account.left_of_delivered
    amount = amount_in_field(most, currency, visit.language)
    return show(
        visit,
        desk,
        "account",
        at="money",
        status=status,
        session=session,
        account=account,
        lines=lines,
        corrections=corrections,
        payments=payments,
        mails=mails,
        mistakes=errors,
        typed=typed or {"amount": amount, "reference": ""},
        is_over=session.ends_at <= now,
        done=visit.query.get("done", ""),
        undelivered=[goods for goods in at_session if goods.supplier_id == supplier],
    )


def post_account(visit: Visit) -> Response:
    """Records that a supplier was paid, or takes a payment back by an opposite one."""
    typed = {name: visit.form.get(name, "") for name in _FIELDS}
    try:
        with visit.read() as tx:
            desk = open_desk(tx, visit, "payments:write")
        if visit.query.get("then") == "mail":
            return _mail(visit)
        back = visit.query.get("then") == "back"
        amount = amount_field(typed, "amount", desk.enterprise.currency)
        with visit.write() as tx:
            open_desk(tx, visit, "payments:write")
            session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
            pay_supplier(
                tx,
                desk.enterprise.id,
                session.id,
                visit.path["supplier"],
                amount=-amount if back else amount,
                left=_shown(visit.form.get("left", "")),
                reference=typed["reference"],
                person_id=visit.actor.person_id or "",
            )
    except Refused as error:
        return account_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    return visit.redirect(f"{visit.request.url.path}?done=1")


def _mail(visit: Visit) -> Response:
    """Mails the statement to the supplier, as the page shows it."""
    with visit.write() as tx:
        desk = open_desk(tx, visit, "payments:write")
        session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
        mail_statement(
            tx,
            desk.enterprise,
            session,
            visit.path["supplier"],
            sent_before=_shown(visit.form.get("sent", "")),
            person_id=visit.actor.person_id or "",
        )
    return visit.redirect(f"{visit.request.url.path}?done=mailed")


def _shown(text: str) -> int:
    amount = read_whole(text, 12, signed=True)
    if amount is None:
        raise Invalid([Problem("left", "Load this page again.")])
    return amount


def account_csv(visit: Visit) -> Response:
    """The statement of a supplier as a table for spreadsheets."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
        session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
        account = account_of(tx, desk.enterprise.id, session.id, visit.path["supplier"])
        of_sale = (desk.enterprise.id, session.id, visit.path["supplier"])
        lines, corrections = statement_lines(tx, *of_sale), statement_corrections(tx, *of_sale)
    return statement_csv(visit, account.owed, lines, corrections)


def statement_csv(
    visit: Visit, owed: OwedToSupplier, lines: Sequence[StatementLine], corrections: Sequence[StatementCorrection]
) -> Response:
    """The lines of a statement as a table for spreadsheets: amounts and deposits add up to the last row, and both
    together to what is owed."""

    def decimal(amount: int) -> Decimal:
        return Decimal(amount).scaleb(-digits(owed.currency))

    rows: list[Sequence[object]] = [
        ("product", "pieces", "quantity", "unit", "size", "price", "vat_rate", "amount", "deposits", "currency")
    ]
    total = StatementRow(
        label=translate(visit.language, "Total"), amount=owed.total - owed.deposits, deposits=owed.deposits
    )
    for row in (*statement_rows(owed, lines, corrections, visit.language), total):
        goods: Sequence[object] = (None,) * 5
        if (line := row.goods) is not None:
            goods = (line.pieces, line.paid_quantity, line.unit, line.unit_quantity, decimal(line.price))
        rows.append((row.label, *goods, row.vat_rate, decimal(row.amount), decimal(row.deposits), owed.currency))
    content = csv_bytes(rows, visit.language)
    headers = {"Content-Disposition": 'attachment; filename="statement.csv"', "Cache-Control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
