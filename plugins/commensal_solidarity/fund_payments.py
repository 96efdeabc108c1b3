"""The payments of a fund to the hub, in append-only entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import func, insert, select

from commensal import LARGEST, Invalid, Problem, Transaction, read_text

from .tables import solidarity_payment

_row = solidarity_payment.c


@dataclass(frozen=True, kw_only=True)
class FundPayment:
    """A payment of the fund, in minor units of the hub's currency; a negative amount corrects a wrong entry."""

    id: str
    enterprise_id: str
    programme: str
    amount: int
    paid_on: date
    reference: str
    recorded_at: datetime
    recorded_by: str | None


def record_payment(
    tx: Transaction,
    enterprise_id: str,
    programme: str,
    *,
    amount: int,
    paid_on: date,
    reference: str = "",
    by: str | None = None,
) -> FundPayment:
    """Records a payment of the fund; `by` is the person who records it. Raises `Invalid`."""
    problems: list[Problem] = []
    reference = read_text(reference, "/reference", problems)
    if not 0 < abs(amount) <= LARGEST:
        text = "Give an amount; a negative one takes an entry back."
        problems.append(Problem("amount", text, "/amount"))
    if problems:
        raise Invalid(problems)
    payment = FundPayment(
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        programme=programme,
        amount=amount,
        paid_on=paid_on,
        reference=reference,
        recorded_at=tx.now,
        recorded_by=by,
    )
    tx.execute(insert(solidarity_payment).values({**asdict(payment), "paid_on": paid_on.isoformat()}))
    return payment


def fund_payments_of(
    tx: Transaction, enterprise_id: str, programme: str, *, after: str = "", limit: int = 50
) -> Sequence[FundPayment]:
    """Returns the payments of the fund, in the order in which they were recorded."""
    conditions = (_row.enterprise_id == enterprise_id, _row.programme == programme)
    statement = select(solidarity_payment).where(*conditions, _row.id > after).order_by(_row.id).limit(limit)
    return [FundPayment(**{**row, "paid_on": date.fromisoformat(row["paid_on"])}) for row in tx.all(statement)]


def latest_fund_payments(
    tx: Transaction, enterprise_id: str, *, programme: str | None = None, limit: int
) -> Sequence[FundPayment]:
    """Returns the payments of one fund, or of all funds, that were recorded last, the newest first."""
    conditions = [_row.enterprise_id == enterprise_id, *([] if programme is None else [_row.programme == programme])]
    statement = select(solidarity_payment).where(*conditions).order_by(_row.id.desc()).limit(limit)
    return [FundPayment(**{**row, "paid_on": date.fromisoformat(row["paid_on"])}) for row in tx.all(statement)]


def received_from_fund(
    tx: Transaction, enterprise_id: str, programme: str, *, first: date = date.min, last: date
) -> int:
    """Returns what the fund has paid from the first to the last of these days, in minor units."""
    conditions = (_row.enterprise_id == enterprise_id, _row.programme == programme)
    days = (_row.paid_on >= first.isoformat(), _row.paid_on <= last.isoformat())
    return int(tx.value(select(func.coalesce(func.sum(_row.amount), 0)).where(*conditions, *days)))
