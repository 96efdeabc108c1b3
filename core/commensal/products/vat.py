"""VAT rates of products with the days from which they apply. The seller sets them: a product type implies no rate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, delete, select

from ..base.errors import Conflict, Invalid, NotFound, Problem
from ..events.announce import announce_products
from ..storage.database import Transaction, insert_or
from .tables import product_vat, supplied_product

ALWAYS = date.min  # the day from which a product's first rate applies
_MOST = 100  # rates of one product
_PLACES = 2  # decimals of a percentage: 2.10 in Corsica, 1.05 overseas


@dataclass(frozen=True, kw_only=True)
class VatRate:
    """`rate` is in percent, and in force from the day `valid_from` until that of the next rate."""

    valid_from: date
    rate: Decimal


def read_rate(rate: Decimal, where: str = "/vat_rate") -> Decimal | Problem:
    """The rate in percent if it may be stored, or a `Problem`."""
    if not rate.is_finite() or not 0 <= rate < 100 or rate != round(rate, _PLACES):
        return Problem("vat_rate", "A VAT rate must be between 0 and 100 percent, with at most two decimals.", where)
    return rate


def set_rate(tx: Transaction, enterprise_id: str, product_id: str, rate: Decimal, valid_from: date = ALWAYS) -> VatRate:
    """Sets the rate, in percent, from `valid_from` on; replaces one of the same day. Placed orders keep theirs.

    Raises `Invalid`, `NotFound`, `Conflict` if the product has 100 rates already.
    """
    rates = rates_of(tx, enterprise_id, product_id)
    checked_rate = read_rate(rate, "/rate")
    if isinstance(checked_rate, Problem):
        raise Invalid([checked_rate])
    if len(rates) >= _MOST:
        raise Conflict("too_many", "A product has at most {most} VAT rates.", most=_MOST)
    insertion = insert_or(tx, product_vat).values(
        product_id=product_id, valid_from=valid_from.isoformat(), rate=checked_rate
    )
    tx.execute(
        insertion.on_conflict_do_update(
            index_elements=["product_id", "valid_from"], set_={"rate": insertion.excluded.rate}
        )
    )
    announce_products(tx, supplied_product.c.id == product_id)
    return VatRate(valid_from=valid_from, rate=checked_rate)


def remove_rate(tx: Transaction, enterprise_id: str, product_id: str, valid_from: date) -> None:
    """Removes a rate. Raises `NotFound`, `Conflict` for the first rate: a product always has one."""
    rates = rates_of(tx, enterprise_id, product_id)
    if valid_from not in {rate.valid_from for rate in rates}:
        raise NotFound
    if valid_from == rates[0].valid_from:
        raise Conflict("first_rate", "The first VAT rate of a product can be changed, not removed.")
    conditions = (product_vat.c.product_id == product_id, product_vat.c.valid_from == valid_from.isoformat())
    tx.execute(delete(product_vat).where(*conditions))
    announce_products(tx, supplied_product.c.id == product_id)


def rates_of(tx: Transaction, enterprise_id: str, product_id: str) -> list[VatRate]:
    """All rates of the enterprise's product, ordered by day. Raises `NotFound`."""
    rows = tx.all(
        select(product_vat.c.valid_from, product_vat.c.rate)
        .join(supplied_product, supplied_product.c.id == product_vat.c.product_id)
        .where(supplied_product.c.id == product_id, supplied_product.c.enterprise_id == enterprise_id)
        .order_by(product_vat.c.valid_from)
    )
    if not rows:
        raise NotFound("no_product", "There is no such product.")
    return [VatRate(valid_from=date.fromisoformat(row["valid_from"]), rate=row["rate"]) for row in rows]


def rate_in_force(product_id: ColumnElement[str] | str, day: ColumnElement[str] | str) -> ColumnElement[object]:
    """The expression for a product's rate on a day (ISO 8601 text), for use in joins.

    Costs one lookup in the primary key for each row.
    """
    return (
        select(product_vat.c.rate)
        .where(product_vat.c.product_id == product_id, product_vat.c.valid_from <= day)
        .order_by(product_vat.c.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )
