"""E-mails to enterprises about what has happened: stock that has run low, empty sales, expired orders of
guests, producers that are away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from ...base.languages.formats import format_day, format_moment, format_quantity
from ...enterprises.enterprises import addresses_of, enterprise_by_id
from ...orders.tables import customer_order, guest_order
from ...sale_sessions.questions import count_on_sale, sale_by_id
from ...stock.lots import StockLot
from ...storage.database import Transaction
from ...storage.jobs import Job, NewJob, enqueue_all
from ..supply.unsupplied_sales import sales_without

if TYPE_CHECKING:
    from ...instance import Instance
    from .message import MailTable

_MOST = 30  # lots that an e-mail names
_guest = guest_order.c


def mail_low_stock(tx: Transaction, lots: Sequence[StockLot]) -> None:
    """Mails each enterprise what has run low; `lots` are sorted by enterprise."""
    for enterprise_id, group in groupby(lots, key=lambda lot: lot.enterprise_id):
        low, language = list(group), addresses_of(tx, enterprise_id).language
        rows = [_describe_lot(lot, language) for lot in low[:_MOST]]
        values = {"count": len(low), "lots": rows, "path": f"office/{enterprise_id}/products"}
        mail_enterprise(tx, enterprise_id, "stock_low", values)


def _describe_lot(lot: StockLot, language: str) -> dict[str, str]:
    quantities = {"left": lot.free, "level": lot.low_level or 0}
    texts = {name: format_quantity(quantity, lot.unit, language) for name, quantity in quantities.items()}
    return {"name": lot.name, **texts}


def mail_empty_sales(tx: Transaction, session_ids: Sequence[str]) -> None:
    """Mails the coordinators of those sales without items, so that they hear of it before shoppers complain."""
    if not session_ids:
        return
    items_on_sale = count_on_sale(tx, session_ids)
    empty = [session_id for session_id in session_ids if session_id not in items_on_sale]
    for sale in (sale_by_id(tx, session_id) for session_id in empty):
        coordinator_id = sale.session.coordinator_id
        path = f"office/{coordinator_id}/sale/{sale.session.id}"
        values = {"sale": sale.session.name, "shop": sale.shop.name, "path": path}
        mail_enterprise(tx, coordinator_id, "empty_sale", values)


def mail_expired_orders(instance: Instance, job: Job) -> None:
    """Mails a hub which orders of guests have expired since it was last told. Does the job `unpaid_guests.ALERT`, which
    runs at most once an hour."""
    instance.transact(lambda tx: _mail_expired(tx, job.payload["enterprise_id"]))


def _mail_expired(tx: Transaction, enterprise_id: str) -> None:
    conditions = (_guest.enterprise_id == enterprise_id, _guest.expired_at.is_not(None))
    statement = (
        select(customer_order.c.number).join(guest_order, _guest.order_id == customer_order.c.id).where(*conditions)
    )
    numbers = [row["number"] for row in tx.all(statement.order_by(customer_order.c.number))]
    if numbers:
        shown = ", ".join(map(str, numbers[:20]))
        values = {"count": len(numbers), "numbers": shown, "path": f"office/{enterprise_id}/rules"}
        mail_enterprise(tx, enterprise_id, "guest_orders_expired", values)
        tx.execute(delete(guest_order).where(*conditions))


def mail_absence(instance: Instance, job: Job) -> None:
    """Mails each shop which of its sales a producer that is away does not supply. Does the job `absences.AWAY`."""
    days = [date.fromisoformat(job.payload[name]) for name in ("first_day", "last_day")]
    instance.transact(lambda tx: _mail_absence(tx, job.payload["enterprise_id"], *days))


def _mail_absence(tx: Transaction, producer_id: str, first: date, last: date) -> None:
    producer = enterprise_by_id(tx, producer_id)
    without = sorted(sales_without(tx, producer_id, first, last), key=lambda sale: sale.shop_id)
    for shop_id, group in groupby(without, key=lambda sale: sale.shop_id):
        sales, language = list(group), addresses_of(tx, shop_id).language
        noons = [datetime.combine(day, time(12), producer.zone) for day in (first, last)]
        first_day, last_day = (format_day(noon, producer.timezone, language) for noon in noons)
        rows = [
            {"name": sale.name, "begins": format_moment(sale.begins_at, sale.timezone, language), "pieces": sale.pieces}
            for sale in sales
        ]
        values = {
            "producer": producer.name,
            "first": first_day,
            "last": last_day,
            "sales": rows[:_MOST],
            "path": f"office/{shop_id}/sale/{sales[0].session_id}",
        }
        mail_enterprise(tx, shop_id, "producer_away", values, caused_by=producer_id)


def mail_enterprise(
    tx: Transaction,
    enterprise_id: str,
    kind: str,
    values: Mapping[str, object],
    *,
    caused_by: str = "",
    table: MailTable | None = None,
) -> None:
    """Enqueues an e-mail to the enterprise's address in its language; without an address, to each of its owners.

    The plugin has the templates ``templates/mail/<kind>.txt`` and ``.html``, which get `values` (what JSON can encode)
    and the enterprise's name as `enterprise`. Name the kind after the plugin. `caused_by` is the id of another
    enterprise whose act the e-mail is about: of these a mailbox gets as many an hour from each as `limits.mails` says,
    and the others are dropped. A `table` goes with it as files. Raises `NotFound`.
    """
    to = addresses_of(tx, enterprise_id)
    payload = {"kind": kind, "language": to.language, "enterprise": to.name, "values": dict(values)}
    if caused_by:
        payload["caused_by"] = caused_by
    if table is not None:
        payload["table"] = table.payload
    enqueue_all(tx, [NewJob("mail", {**payload, "to": email}) for email in to.emails])
