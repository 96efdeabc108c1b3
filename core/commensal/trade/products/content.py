"""Validates the fields of a product, each by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from ...base.errors import Problem
from ...base.html import clean_html
from ...base.search import search_key
from ...base.texts import read_text
from ...storage.database import Transaction
from ..stock.grains import has_few_decimals
from .fields import PRODUCT_FIELDS, Kind, ProductContent, ProductField
from .tables import image, supplied_product


def read_content(
    tx: Transaction, enterprise_id: str, content: ProductContent, problems: list[Problem], *, product_id: str = ""
) -> dict[str, Any]:
    """Validates `content`, adds mistakes to `problems`, and returns column values.

    `product_id` is the product that changes; "" for a new one.
    """
    values: dict[str, Any] = dict(content)
    for kind, read in _READERS.items():
        for field in PRODUCT_FIELDS.values():
            if field.kind == kind and field.name in values:
                values[field.name] = read(field, values[field.name], problems)
        if kind == "text" and values.get("sku") is not None:
            _refuse_taken_sku(tx, enterprise_id, values["sku"], product_id, problems)
    if content.get("image_id") is not None:
        _refuse_foreign_image(tx, enterprise_id, content["image_id"], problems)
    return values


def read_value(field: ProductField, value: Any, problems: list[Problem]) -> Any:
    """The value of one field, validated by its kind. Adds mistakes to `problems`."""
    return _READERS[field.kind](field, value, problems)


def search_text(name: str, sku: str | None) -> str:
    """The text in which a search looks for words."""
    return search_key(f"{name} {sku or ''}")


def sku_taken(sku: str | None) -> Problem:
    """The problem that another product of the enterprise has this reference."""
    return Problem("sku_taken", "Another product has the reference {sku}.", "/sku", {"sku": sku})


def _read_text(field: ProductField, text: str | None, problems: list[Problem]) -> str | None:
    read = read_text(text or "", f"/{field.name}", problems, least=field.least, most=field.most)
    return read or None if field.optional else read


def _read_html(field: ProductField, text: str, problems: list[Problem]) -> str:
    return clean_html(text)


def _read_term(field: ProductField, term: str, problems: list[Problem]) -> str:
    if term not in field.vocabulary:
        problems.append(_unknown_term(f"/{field.name}", term))
    return term


def _read_net_content(field: ProductField, number: Decimal, problems: list[Problem]) -> Decimal:
    """The net content of one piece, so far the only number among the fields."""
    if not (number.is_finite() and 0 < number <= field.most and has_few_decimals(number)):
        text = "The net content lies between 0 and {most}."
        problems.append(Problem("quantity", text, f"/{field.name}", {"most": field.most}))
    return number


def _read_terms(field: ProductField, terms: Sequence[str], problems: list[Problem]) -> list[str]:
    where = f"/{field.name}"
    if len(terms) > field.most:
        problems.append(Problem("too_many", "At most {most} can be named.", where, {"most": field.most}))
        return []
    unknown = [(index, term) for index, term in enumerate(terms) if term not in field.vocabulary]
    problems += [_unknown_term(f"{where}/{index}", term) for index, term in unknown]
    return list(dict.fromkeys(terms))


def _read_deposit(field: ProductField, amount: int, problems: list[Problem]) -> int:
    """A deposit in minor units, so far the only amount among the fields."""
    if not 0 <= amount <= field.most:
        problems.append(Problem("deposit", "A deposit is not negative.", f"/{field.name}"))
    return amount


def _read_flag(field: ProductField, flag: bool, problems: list[Problem]) -> bool:
    return flag


# In the order in which mistakes are named.
_READERS: Mapping[Kind, Callable[[ProductField, Any, list[Problem]], Any]] = {
    "text": _read_text,
    "html": _read_html,
    "term": _read_term,
    "number": _read_net_content,
    "terms": _read_terms,
    "amount": _read_deposit,
    "flag": _read_flag,
}


def _unknown_term(where: str, word: str) -> Problem:
    return Problem("unknown_term", "{term} is not known here.", where, {"term": word[:60]})


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
