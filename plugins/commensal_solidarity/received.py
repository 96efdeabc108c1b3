"""What a fund has paid to the hub: entries that only grow."""

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
    """Money of the fund, in minor units of the hub's currency; a negative amount corrects an entry that was wrong."""

    id: str
    enterprise_id: str
    programme: str
    amount: int
    paid_on: date
    reference: str
    recorded_at: datetime
    recorded_by: str | None


def record_payment(
    tx: Transaction, enterprise_id: str, programme: str, *, amount: int, paid_on: date, reference: str = "",
    by: str | None = None,
) -> FundPayment:  # fmt: skip
    """Writes down what the fund has paid; `by` is the person. Raises `Invalid`."""
    problems: list[Problem] = []
    reference = read_text(reference, "/reference", problems)
    if not 0 < abs(amount) <= LARGEST:
        text = "Give an amount; a negative one takes an entry back."
        problems.append(Problem("amount", text, "/amount"))
    if problems:
        raise Invalid(problems)
    made = FundPayment(
        id=tx.new_id(), enterprise_id=enterprise_id, programme=programme, amount=amount, paid_on=paid_on,
        reference=reference, recorded_at=tx.now, recorded_by=by,
    )  # fmt: skip
    tx.execute(insert(solidarity_payment).values({**asdict(made), "paid_on": paid_on.isoformat()}))
    return made


def payments_by(
    tx: Transaction, enterprise_id: str, programme: str, *, after: str = "", limit: int = 50
) -> Sequence[FundPayment]:
    """What the fund has paid, in the order in which it was written down."""
    mine = (_row.enterprise_id == enterprise_id, _row.programme == programme)
    found = select(solidarity_payment).where(*mine, _row.id > after).order_by(_row.id).limit(limit)
    return [FundPayment(**{**row, "paid_on": date.fromisoformat(row["paid_on"])}) for row in tx.all(found)]


def received(tx: Transaction, enterprise_id: str, programme: str, *, first: date = date.min, last: date) -> int:
    """What the fund has paid from the first to the last of these days; minor units."""
    mine = (_row.enterprise_id == enterprise_id, _row.programme == programme)
    days = (_row.paid_on >= first.isoformat(), _row.paid_on <= last.isoformat())
    return int(tx.value(select(func.coalesce(func.sum(_row.amount), 0)).where(*mine, *days)))
