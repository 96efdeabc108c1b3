"""The fields of a product and their validation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from sqlalchemy import select

from ...base.errors import Problem
from ...base.html import clean_html
from ...base.money import LARGEST as LARGEST_AMOUNT
from ...base.search import search_key
from ...base.texts import read_text
from ...base.units.facets import ALLERGENS, LABELS
from ...base.units.measures import MEASURES
from ...base.units.product_types import PRODUCT_TYPES
from ...storage.database import Transaction
from ..stock.grains import has_few_decimals
from .tables import image, supplied_product

LARGEST_QUANTITY = 10**6
_MOST = 40  # labels, or allergens


class ProductContent(TypedDict, total=False):
    """Fields of a product that can be set; they are those of `SuppliedProduct`."""

    name: str
    description: str
    product_type: str
    sku: str | None
    quantity: Decimal
    unit: str
    weighed: bool
    labels: Sequence[str]
    allergens: Sequence[str]
    deposit: int
    image_id: str | None
    lot_id: str


def read_content(
    tx: Transaction, enterprise_id: str, content: ProductContent, problems: list[Problem], *, product_id: str = ""
) -> dict[str, Any]:
    """Validates `content`, adds mistakes to `problems`, and returns column values.

    `product_id` is the product that changes; "" for a new one.
    """
    values: dict[str, Any] = dict(content)
    if "name" in content:
        values["name"] = read_text(content["name"], "/name", problems, least=1)
    if "description" in content:
        values["description"] = clean_html(content["description"])
    if "sku" in content:
        values["sku"] = read_text(content["sku"] or "", "/sku", problems, most=100) or None
        _refuse_taken_sku(tx, enterprise_id, values["sku"], product_id, problems)
    if "product_type" in content and content["product_type"] not in PRODUCT_TYPES:
        problems.append(_unknown_term("/product_type", content["product_type"]))
    if "unit" in content and (content["unit"] not in MEASURES or MEASURES[content["unit"]].dimension == "ratio"):
        problems.append(_unknown_term("/unit", content["unit"]))
    if "quantity" in content and not _is_net_content(content["quantity"]):
        text = "The net content lies between 0 and {most}."
        problems.append(Problem("quantity", text, "/quantity", {"most": LARGEST_QUANTITY}))
    if "labels" in content:
        values["labels"] = _read_terms(content["labels"], LABELS, "/labels", problems)
    if "allergens" in content:
        values["allergens"] = _read_terms(content["allergens"], ALLERGENS, "/allergens", problems)
    if "deposit" in content and not 0 <= content["deposit"] <= LARGEST_AMOUNT:
        problems.append(Problem("deposit", "A deposit is not negative.", "/deposit"))
    if content.get("image_id") is not None:
        _refuse_foreign_image(tx, enterprise_id, content["image_id"], problems)
    return values


def search_text(name: str, sku: str | None) -> str:
    """The text in which a search looks for words."""
    return search_key(f"{name} {sku or ''}")


def sku_taken(sku: str | None) -> Problem:
    """The problem that another product of the enterprise has this reference."""
    return Problem("sku_taken", "Another product has the reference {sku}.", "/sku", {"sku": sku})


def _is_net_content(quantity: Decimal) -> bool:
    return quantity.is_finite() and 0 < quantity <= LARGEST_QUANTITY and has_few_decimals(quantity)


def _read_terms(words: Sequence[str], table: Iterable[str], where: str, problems: list[Problem]) -> list[str]:
    if len(words) > _MOST:
        problems.append(Problem("too_many", "At most {most} can be named.", where, {"most": _MOST}))
        return []
    terms = set(table)
    problems += [_unknown_term(f"{where}/{index}", word) for index, word in enumerate(words) if word not in terms]
    return list(dict.fromkeys(words))


def _unknown_term(where: str, word: str) -> Problem:
    return Problem("unknown_term", "{term} is not known here.", where, {"term": word[:60]})


def _refuse_taken_sku(
    tx: Transaction, enterprise_id: str, sku: str | None, product_id: str, problems: list[Problem]
) -> None:
    if sku is None:
        return
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
