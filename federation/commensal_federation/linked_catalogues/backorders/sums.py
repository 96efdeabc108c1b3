"""Compares what a hub's books say that it owes for linked goods with what its orders at platforms come to.

What follows from a difference is as for orders between instances: see `../../notices/sums.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor

from sqlalchemy import or_, select

from commensal import Problem, Transaction, enterprise_by_id, enterprises_by_id, mail_enterprise
from commensal.parts.supply import OwedToSupplier, owed_at_session
from commensal.products import products_by_id

from ...notices.sums import LATELY, SumDifference, note_differences
from ..links import link_by_id
from .questions import backorders_of_session
from .tables import federation_backorder
from .values import Backorder, BackorderLine

_row = federation_backorder.c


def platform_differences_at(tx: Transaction, hub_id: str, session_id: str) -> list[SumDifference]:
    """Returns the producers of linked goods for whom the two sums differ, once the sale has closed: both without
    deposits and fees."""
    orders = [order for order in backorders_of_session(tx, session_id) if order.state == "Complete"]
    lines = _by_supplier(tx, [line for order in orders for line in order.lines])
    if not lines:
        return []
    hub, suppliers = enterprise_by_id(tx, hub_id), enterprises_by_id(tx, lines)
    owed = {each.supplier_id: each for each in owed_at_session(tx, hub_id, session_id)}
    differences = []
    for supplier_id, ordered in lines.items():
        books = _goods(owed.get(supplier_id), with_vat=hub.prices_include_vat)
        statement = sum((line.coming * _piece(line) for line in ordered), Fraction(0))
        if not _agree(books, statement, ordered):
            differences.append(
                SumDifference(
                    hub_id=hub_id,
                    supplier_id=supplier_id,
                    producer=suppliers[supplier_id].name,
                    sale=orders[0].session_name,
                    currency=orders[0].currency,
                    books=books,
                    statement=round(statement),
                    kind="platform_sums_differ",
                    subject_id=f"{session_id} {supplier_id}",
                )
            )
    return differences


def recent_platform_differences(tx: Transaction) -> Iterator[SumDifference]:
    """Yields them for all hubs here and all sales of the last weeks."""
    sales = select(_row.enterprise_id, _row.session_id).where(
        _row.state == "Complete", _row.begins_at > tx.now - LATELY
    )
    for row in tx.all(sales.distinct().order_by(_row.enterprise_id, _row.session_id)):
        yield from platform_differences_at(tx, row["enterprise_id"], row["session_id"])


def compare_platform_sums(tx: Transaction) -> None:
    note_differences(tx, recent_platform_differences(tx))


def _by_supplier(tx: Transaction, lines: Sequence[BackorderLine]) -> dict[str, list[BackorderLine]]:
    """The lines with a price, by the producer of their copy here."""
    products = products_by_id(tx, [line.product_id for line in lines])
    by_supplier: dict[str, list[BackorderLine]] = defaultdict(list)
    for line in lines:
        if line.product_id in products and (line.told_price is not None or line.price is not None):
            by_supplier[products[line.product_id].enterprise_id].append(line)
    return by_supplier


def _piece(line: BackorderLine) -> Fraction:
    """What a piece costs by the platform's answer, else as it was listed: its share of the case."""
    price = line.price if line.told_price is None else line.told_price
    return Fraction(price or 0) / line.per_case


def _goods(owed: OwedToSupplier | None, *, with_vat: bool) -> int:
    """What is owed for goods alone, with VAT or without as prices of the hub are; not what people have corrected."""
    if owed is None:
        return 0
    amount = sum(share.gross if with_vat else share.net for share in owed.shares)
    return amount - owed.fees - owed.corrections


def _agree(books: int, statement: Fraction, lines: Sequence[BackorderLine]) -> bool:
    """Whether both come to the same. The books may have the rest of whole cases, too, as far as the hub has kept it;
    and the price of a piece is rounded in them, which may make a minor unit a piece."""
    rounding = sum(line.pieces for line in lines if line.per_case != 1)
    rest = sum((max(line.surplus, 0) * _piece(line) for line in lines), Fraction(0))
    return floor(statement) - rounding <= books <= ceil(statement + rest) + rounding


# Warnings about failing orders at platforms: a mail to the hub, once, and ``commensal check`` for the operator.

FAILED = 4  # attempts, within about twenty minutes, before the hub gets a mail


def backorder_warnings(tx: Transaction) -> Iterator[Problem]:
    """Yields a problem for each order that needs a person."""
    failing = or_(_row.parked_at.is_not(None), _row.failures >= FAILED)
    columns = (_row.id, _row.session_name, _row.parked_at, _row.failing_since, _row.error)
    for row in tx.all(select(*columns).where(failing).order_by(_row.id).limit(50)):
        if row["parked_at"] is not None:
            text = (
                "The order {id} of the sale {session_name} at a linked platform is not tried any more: {error} "
                "See `commensal dfc orders`, and run `commensal dfc order retry {id}`."
            )
        else:
            text = (
                "The order {id} of the sale {session_name} at a linked platform has failed since "
                "{failing_since:%Y-%m-%d %H:%M} UTC: {error} It is tried again by itself."
            )
        yield Problem("backorder", text, values={**row})


def mail_failure(tx: Transaction, backorder: Backorder, error: str, *, parked: bool) -> None:
    """Mails the hub about an order that it may have to place by other means."""
    values = {
        "sale": backorder.session_name,
        "platform": link_by_id(tx, backorder.link_id).name or link_by_id(tx, backorder.link_id).url,
        "error": error,
        "parked": parked,
    }
    mail_enterprise(tx, backorder.enterprise_id, "federation_backorder", values)
