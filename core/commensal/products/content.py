"""Validates the fields of a product, each by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from ..base.errors import Problem
from ..base.fields import Kind, read_plain_value
from ..base.search import search_key
from ..stock.grains import has_few_decimals
from ..storage.database import Row, Transaction
from .fields import PRODUCT_FIELDS, ProductContent, ProductField
from .tables import image, supplied_product


def read_content(
    tx: Transaction, enterprise_id: str, content: ProductContent, problems: list[Problem], *, product_id: str = ""
) -> Row:
    """Validates `content`, adds mistakes to `problems`, and returns column values.

    `product_id` is the product that changes; "" for a new one.
    """
    values: Row = dict(content)
    for kind, read in _READERS.items():
        for field in PRODUCT_FIELDS.values():
            if field.kind == kind and field.name in values:
                values[field.name] = read(field, values[field.name], problems)
        if kind == "text" and values.get("sku") is not None:
            _refuse_taken_sku(tx, enterprise_id, values["sku"], product_id, problems)
    if content.get("image_id") is not None:
        _refuse_foreign_image(tx, enterprise_id, content["image_id"], problems)
    return values


def search_text(name: str, sku: str | None) -> str:
    """The text in which a search looks for words."""
    return search_key(f"{name} {sku or ''}")


def sku_taken(sku: str | None) -> Problem:
    """The problem that another product of the enterprise has this reference."""
    return Problem("sku_taken", "Another product has the reference {sku}.", "/sku", {"sku": sku})


def _read_number(field: ProductField, number: Decimal | None, problems: list[Problem]) -> Decimal | None:
    """The net content of one piece, or its tolerance in percent: so far the only numbers among the fields."""
    if number is None:
        return None
    in_range = number.is_finite() and 0 <= number <= field.most and has_few_decimals(number)
    if field.name == "quantity" and not (in_range and number):
        text = "The net content must be between 0 and {most}."
        problems.append(Problem("quantity", text, f"/{field.name}", {"most": field.most}))
    elif not in_range:
        text = "The tolerance must be between 0 and {most} percent."
        problems.append(Problem("tolerance", text, f"/{field.name}", {"most": field.most}))
    return number


def _read_deposit(field: ProductField, amount: int, problems: list[Problem]) -> int:
    """A deposit in minor units, so far the only amount among the fields."""
    if not 0 <= amount <= field.most:
        problems.append(Problem("deposit", "A deposit is not negative.", f"/{field.name}"))
    return amount


# In the order in which mistakes are named.
_READERS: Mapping[Kind, Callable[[ProductField, Any, list[Problem]], object]] = {
    "text": read_plain_value,
    "html": read_plain_value,
    "texts": read_plain_value,
    "htmls": read_plain_value,
    "term": read_plain_value,
    "number": _read_number,
    "terms": read_plain_value,
    "amount": _read_deposit,
    "flag": read_plain_value,
}


def _refuse_taken_sku(tx: Transaction, enterprise_id: str, sku: str, product_id: str, problems: list[Problem]) -> None:
    product = supplied_product.c
    query = select(product.id).where(
        product.enterprise_id == enterprise_id, product.sku == sku, product.id != product_id
    )
    if tx.first(query) is not None:
        problems.append(sku_taken(sku))


def _refuse_foreign_image(tx: Transaction, enterprise_id: str, image_id: str | None, problems: list[Problem]) -> None:
    query = select(image.c.id).where(image.c.id == image_id, image.c.enterprise_id == enterprise_id)
    if tx.first(query) is None:
        problems.append(Problem("no_image", "There is no such image.", "/image_id"))
