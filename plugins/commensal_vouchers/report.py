"""The movements of gift cards as a report: what was put onto them, what they paid, and so what the shop owes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import select

from commensal import Column, Line, Parameter, Query, Report, enterprise_by_id, hookimpl, orders_by_id, translate

from .codes import tail
from .tables import vouchers_movement, vouchers_sale, vouchers_voucher

_movement, _card, _sale = vouchers_movement.c, vouchers_voucher.c, vouchers_sale.c


@hookimpl
def reports(language: str) -> Sequence[Report]:
    """Returns the report. A card counts as money that the shop owes until an order is paid with it."""

    def lines(query: Query) -> Iterator[Line]:
        zone = enterprise_by_id(query.tx, query.enterprise_id).zone
        since = datetime.combine(query.given["since"], time(), zone)
        until = datetime.combine(query.given["until"] + timedelta(days=1), time(), zone)
        source = vouchers_movement.join(vouchers_voucher, _card.id == _movement.voucher_id).outerjoin(
            vouchers_sale, _sale.card_id == _card.id
        )
        columns = (_movement.at, _movement.order_id, _movement.amount, _card.code, _sale.order_id.label("bought_with"))
        conditions = (_card.enterprise_id == query.enterprise_id, _movement.at >= since, _movement.at < until)
        rows = query.tx.all(select(*columns).select_from(source).where(*conditions).order_by(_movement.id))
        order_ids = {row[name] for row in rows for name in ("order_id", "bought_with") if row[name] is not None}
        orders = orders_by_id(query.tx, sorted(order_ids))
        for row in rows:
            order = orders.get(row["order_id"] or row["bought_with"] or "")
            what = _kind(row["order_id"], row["bought_with"], row["amount"], language)
            yield (
                row["at"].astimezone(zone).date(),
                tail(row["code"]),
                what,
                order.number if order else None,
                row["amount"],
            )

    return [
        Report(
            id="gift_cards",
            label=translate(language, "Movements of gift cards"),
            description=translate(
                language,
                "What was put onto gift cards, and what they have paid: the sum is by how much more you owe to their "
                "holders. Selling a card is not a sale; VAT falls due when goods are paid with it.",
            ),
            columns=[
                Column(name="day", label=translate(language, "Date"), kind="date"),
                Column(name="card", label=translate(language, "Gift card")),
                Column(name="what", label=translate(language, "What happened")),
                Column(name="number", label=translate(language, "Order"), kind="whole"),
                Column(name="amount", label=translate(language, "Amount"), kind="money", summed=True),
            ],
            rows=lines,
            parameters=[
                Parameter(name="since", label=translate(language, "From"), kind="day", default="month_begins"),
                Parameter(name="until", label=translate(language, "To"), kind="day", default="month_ends"),
            ],
            scope="payments:read",
        )
    ]


def _kind(paid: str | None, bought_with: str | None, amount: int, language: str) -> str:
    if paid is not None:
        return translate(language, "paid an order") if amount < 0 else translate(language, "given back by an order")
    if bought_with is not None:
        return translate(language, "bought") if amount > 0 else translate(language, "taken back")
    return translate(language, "put on by the shop") if amount > 0 else translate(language, "taken off by the shop")
