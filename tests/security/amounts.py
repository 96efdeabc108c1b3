"""Looks for amounts of money, and for addresses of customers, in what a packer, who may not take money, gets from every
route that answers them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Integer, update
from sqlalchemy.exc import IntegrityError

from commensal.enterprises.members import add_member
from commensal.enterprises.tables import customer
from commensal.orders.tables import adjustment, customer_order
from commensal.parts.mail.tables import sent_mail
from commensal.people.people import NewPerson, add_person
from commensal.people.sessions import begin_session
from commensal.storage.database import Exact, Store, metadata

from .filling import AppRoute, fill
from .trespass import Asker, Attempt, Village

MARK, MARKED_SHARE = 7654321, Decimal("76.54321")  # minor units; percent
TOTAL = 2 * MARK  # of an order of which MARK is paid, so that MARK is due
AMOUNT = re.compile(r"(?<!\d)(76\D{0,7}543\D?21|153\D{0,7}086\D?42)")  # as JSON, spreadsheets and people write it

# Whole numbers that are not amounts.
_COUNTS = {
    "answer", "attempts", "beyond", "bytes", "capacity", "case_of", "case_pieces", "cases_of", "cold",
    "confirm_minutes", "confirmed", "corrects", "count", "counted", "crates", "day_sent", "epoch", "epoch_seen",
    "failures", "free", "free_change", "free_cold", "free_crates", "free_kg", "granted", "height", "held",
    "hour_sent", "key_version", "kg", "last_step", "late", "lent", "lent_change", "lost", "lot_quantity", "lot_share",
    "low_level", "most_uses", "names", "number", "order_number", "ordered", "orders_of_mailbox", "orders_of_network",
    "parked", "part", "parts", "per_case", "per_unit", "pieces", "place", "position", "quantity", "recalled",
    "report", "reserved", "reserved_change", "returned", "rev", "revision", "room_crates", "rows", "said", "seen",
    "seq", "sequence", "size", "sold", "sold_before", "sold_change", "status", "stock", "swept", "top", "tries",
    "unpaid_hours", "until", "used", "value", "version", "wanted", "width", "year",
}  # fmt: skip
# Prices that the shop shows to everybody, and rules about amounts.
_SHOWN = {
    "federation_item.price", "federation_linked_product.taken", "federation_told_price.price", "delivery_slot.taken",
    "guest_policy.largest_unpaid", "offer.price", "pickup_place.price", "pickup_slot.taken", "supplied_product.deposit",
}  # fmt: skip
# Exact numbers that are neither prices nor shares of one.
_MEASURES = {
    "celsius", "default_vat", "final_quantity", "latitude", "longitude", "quantity", "rate", "unit_quantity",
    "vat_rate", "weight_tolerance",
}  # fmt: skip
_APPEND_ONLY = {"payment_journal"}

ADDRESS = re.compile("@of-a-customer\\.example")


def mark_amounts(store: Store) -> set[str]:
    """Gives every amount of money in the database the same conspicuous value, and every share of one, like a margin,
    the same digits; also who pays for a customer, and how a customer pays. Returns the columns that took it."""
    columns = [column for table in metadata.sorted_tables for column in table.columns if _is_amount(column)]
    marked = set()
    with store.write() as tx:
        for column in columns:
            try:
                with tx.attempt():
                    mark = MARK if isinstance(column.type, Integer) else MARKED_SHARE
                    if column is customer_order.c.total:
                        mark = TOTAL
                    if tx.execute(update(column.table).values({column: mark})).rowcount:
                        marked.add(f"{column.table.name}.{column.name}")
            except IntegrityError:
                pass  # a rule of the database relates it to other columns
        payers = update(adjustment).values(label=f"Paid by {MARK}", payer=f"{MARK}")
        if tx.execute(payers).rowcount:
            marked.add("adjustment.payer")
        if tx.execute(update(customer_order).values(payment_method=f"cash:{MARK}")).rowcount:
            marked.add("customer_order.payment_method")
    return marked


def mark_addresses(store: Store) -> int:
    """Gives every customer, and every order, an e-mail address that is known by its host. Returns how many took it."""
    marked = 0
    with store.write() as tx:
        for column in (customer.c.email, customer_order.c.email, sent_mail.c.to):
            address = column.table.c.id.concat("@of-a-customer.example")
            marking = update(column.table).values({column: address})
            if column.table is sent_mail:
                marking = marking.where(sent_mail.c.order_id.is_not(None))  # the others went to suppliers
            marked += tx.execute(marking).rowcount
    return marked


def _is_amount(column: Column[Any]) -> bool:
    if isinstance(column.type, Exact):
        return column.name not in _MEASURES
    return (
        isinstance(column.type, Integer)
        and not (column.primary_key or column.foreign_keys or column.name in _COUNTS)
        and f"{column.table.name}.{column.name}" not in _SHOWN
        and column.table.name not in _APPEND_ONLY
    )


def packer_of(village: Village, email: str = "packer@example.org") -> Asker:
    """A member of the victim's enterprise who packs and takes no money."""
    new = NewPerson(email=email, name="Paula", phone="", language="en", password_hash="")
    with village.instance.store.write() as tx:
        person = add_person(tx, new, confirmed=True)
        assert person is not None
        add_member(tx, village.victim.id, email=email, role="packer")
        secret = begin_session(tx, person).secret
    return Asker(name="packer", headers={"Cookie": f"session={secret}"}, settled=village.victim)


def told(
    village: Village, asker: Asker, routes: list[AppRoute], *, supplier: str = "", mark: re.Pattern[str] = AMOUNT
) -> Iterator[str]:
    """The routes that tell the asker what is marked, of the victim's enterprise, or of what it gets from `supplier`."""
    for route in routes:
        if not (route.safe or route.scope == "orders:pack"):
            continue
        with village.instance.store.read() as tx:
            values = fill(tx, route, village.victim)
        others = [{**values, "supplier": supplier}] if supplier and "supplier" in values else []
        for each in (values, *others):
            if mark.search(village.ask(asker, Attempt(route, each)).text):
                yield str(route)


def reported(village: Village, asker: Asker, *, mark: re.Pattern[str] = AMOUNT) -> Iterator[str]:
    """The reports of the victim's enterprise that tell the asker what is marked."""
    reports = f"/api/enterprises/{village.victim.id}/reports"
    for report in village.client.get(reports, headers=asker.headers).json():
        path = f"{reports}/{report['id'].replace(':', '/')}"
        for format in ("jsonl", "html"):
            answer = village.client.get(path, params={"format": format}, headers=asker.headers)
            if mark.search(answer.text):
                yield f"{report['id']}.{format}"
